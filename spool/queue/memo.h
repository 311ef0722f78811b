#ifndef QUEUE_MEMO_H
#define QUEUE_MEMO_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A bounded table of texts.  Each text has a numbered slot as long as it is
 * remembered; a newer one may take the slot over.  Whole texts are compared,
 * never hashes alone: who feeds names must not be able to have his rows filed
 * under another's.  What belongs to a slot the caller keeps in an array of
 * MEMO_SLOTS of his own.
 */
struct memo;

#define MEMO_SLOTS 8192

/** NULL when out of memory. */
struct memo *memo_new(void);
void memo_free(struct memo *memo);
/** Forget all texts. */
void memo_clear(struct memo *memo);

/** The slot of ${text}; ${known} tells whether it was remembered already.
 * -1 when out of memory. */
int memo_slot(struct memo *memo, const void *text, size_t len, bool *known);
/** Forget the text of ${slot}: what belongs to it could not be made. */
void memo_forget(struct memo *memo, int slot);

#endif
