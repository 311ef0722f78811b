#ifndef CLI_DEAD_IMPORT_H
#define CLI_DEAD_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/config.h"
#include "queue/entry.h"
#include "queue/operation.h"
#include "row.h"

struct cli;
struct db;
struct fault;
struct writer;

/** A message is kept up to so many bytes, as the receiver's is. */
#define DEAD_MESSAGE_MOST 256

/** What an export says of a row besides the metric. */
struct dead_history {
	int64_t accepted_at, attempts, code; /* code -1: none */
	char message[DEAD_MESSAGE_MOST];
};

/** An import from its first line to its last. */
struct dead_import {
	const struct cli *cli;
	struct db *db;
	struct config config; /* the queue's copy */
	bool replay;          /* into the queue, not to the dead */
	FILE *copy;           /* of the input, all lines of it checked */
	int64_t rows, bytes;
	uint64_t
	    hash; /* of the input, so that a broken import is known again */
	struct row row;
	struct entry_wire wire;
	struct operation_row operation;
	struct writer *writer;     /* of --replay */
	int64_t first_id, last_id; /* of what this call imported; -1: none */
	int64_t resumed;           /* rows of an earlier call */
	int64_t repeats;           /* a finished import of the same; 0: none */
};

/** Read and check all of ${name}; nothing is stored yet.  0, or -1 with
 * ${fault}, place included. */
int dead_import_read(
    struct dead_import *import, const char *name, struct fault *fault);
/** The next line of the copy, which was checked when it was made: 1 with the
 * row read, 0 at the end, -1 with ${fault}. */
int dead_import_next(
    struct dead_import *import, char **line, size_t *size, struct fault *fault);
/** What the row that was read last says of itself. */
void dead_import_history(
    const struct dead_import *import, struct dead_history *history);
/** Store it in transactions of at most OPERATION_ROWS; where an import of the same
 * input was cut short, from there on.  0 or -1. */
int dead_import_store(struct dead_import *import, struct fault *fault);
void dead_import_free(struct dead_import *import);

#endif
