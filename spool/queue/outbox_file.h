#ifndef QUEUE_OUTBOX_FILE_H
#define QUEUE_OUTBOX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

struct fault;
struct sqlite3;

/*
 * An application's database with an outbox in it, as the mover uses it: never
 * checkpointed, its triggers and views switched off.
 */

/* Texts of a row. */
enum outbox_column {
	OUTBOX_TOKEN,
	OUTBOX_NAMESPACE,
	OUTBOX_METRIC,
	OUTBOX_DIMENSIONS,
	OUTBOX_REGION,
	OUTBOX_ACCOUNT,
	OUTBOX_KEY,
	OUTBOX_TEXTS
};
#define OUTBOX_NO_TEXT SIZE_MAX

/** A row as it was read; texts are offsets into the file's bytes. */
struct outbox_row {
	int64_t id, observed_at, max_age_ms; /* -1: not told */
	double value;
	size_t texts[OUTBOX_TEXTS];
	bool cut;     /* a text has a NUL */
	size_t error; /* why it is refused, or OUTBOX_NO_TEXT */
};

/** Rows of a round. */
#define OUTBOX_ROWS_MOST 5000

struct outbox_file {
	char *path;
	struct sqlite3 *handle; /* NULL: to be opened */
	dev_t device;           /* of the file that is open */
	ino_t inode;
	char uuid[64]; /* of the outbox */
	struct outbox_row *rows;
	size_t count;
	bool more; /* rows were left for another round */
	struct text bytes;
};

/** 0, or -1 when there is no memory; outbox_file_end() either way. */
int outbox_file_init(struct outbox_file *file, const char *path);
void outbox_file_end(struct outbox_file *file);

/** Open it, if it is not, or if another file has taken its place.  0, or -1:
 * FAULT_NOT_FOUND while it or its tables are not there, ... */
int outbox_file_connect(struct outbox_file *file, struct fault *fault);
void outbox_file_disconnect(struct outbox_file *file);

/** Read up to OUTBOX_ROWS_MOST rows into memory.  0 or -1. */
int outbox_file_read(struct outbox_file *file, struct fault *fault);
/** Delete those rows for good, and leave their error in those that have one.
 * 0 or -1; then nothing changed. */
int outbox_file_clear(struct outbox_file *file, struct fault *fault);
/** Whether there is a row of this id and token: 1, 0 or -1. */
int outbox_file_has(struct outbox_file *file, int64_t id, const char *token,
    struct fault *fault);

/** NULL where it has none. */
const char *outbox_file_text(const struct outbox_file *file,
    const struct outbox_row *row, enum outbox_column column);

#endif
