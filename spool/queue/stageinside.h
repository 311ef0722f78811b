#ifndef QUEUE_STAGEINSIDE_H
#define QUEUE_STAGEINSIDE_H

#include <stdint.h>

#include "base/text.h"
#include "stage.h"

/* What stage.c writes and stage_commit.c reads back. */

struct memo;

/* Bytes kept in memory, and read back at a time. */
#define STAGE_BUFFER (256u << 10)

/*
 * A record: this head, the value, then as the flags say the two times, the
 * texts of the series, each with its NUL, and the key with its NUL.
 */
struct stage_record {
	uint32_t len; /* of all that follows the head */
	uint16_t slot;
	uint8_t flags, value_len;
};
#define STAGE_DEFINES 1 /* the slot's series, from here on */
#define STAGE_TIMED 2   /* observed_at and max_age_ms follow */
#define STAGE_KEYED 4

struct stage {
	char *dir;
	int fd;             /* -1 while all fits the buffer */
	struct text buffer; /* not yet in the file */
	int64_t rows, spilled, text_bytes;
	struct memo *memo;
	struct text name; /* of the series looked for */
	char *key;        /* of the whole; or NULL */
};

/** Move the buffer to the file, which is made if need be.  0 or -1. */
int stage_spill(struct stage *stage, struct fault *fault);

#endif
