#ifndef CLI_SUGGESTION_H
#define CLI_SUGGESTION_H

#include <stddef.h>

#include "base/text.h"

struct deadletter_row;
struct look_alikes;

#define SUGGESTIONS_MOST 8

/** Commands that may cure what a row died of, as a shell takes them. */
struct suggestions {
	struct text commands[SUGGESTIONS_MOST];
	size_t count;
};

/** What to type for ${row}, and for those that died like it: an edit where
 * ${found} has something, and the replay.  ${suggestions} is zeroed. */
void suggestions_make(struct suggestions *suggestions,
    const struct deadletter_row *row, const struct look_alikes *found);
void suggestions_free(struct suggestions *suggestions);

#endif
