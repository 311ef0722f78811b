#ifndef CLI_EXPORT_FILE_H
#define CLI_EXPORT_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"

struct deadletter_row;
struct fault;

/** Dead rows, one JSON line each, in a new file (0600) or on standard output. */
struct export_file {
	const char *path; /* NULL: standard output */
	FILE *file;
	struct text line;
	int64_t rows; /* out */
	int error;    /* errno of the first write that failed */
	bool hidden;  /* it has no name yet */
};

/** Create it; one that is there already is FAULT_CANNOT_CREATE.  0 or -1. */
int export_open(
    struct export_file *export, const char *path, struct fault *fault);
/** Write one row; a failure is told by export_close(). */
void export_row(struct export_file *export, const struct deadletter_row *row);
/** Make it durable, its name too; where the system can, it has that name only
 * now.  0, or -1 with ${fault}. */
int export_close(struct export_file *export, struct fault *fault);
/** Give it up: what was written of it is removed. */
void export_abandon(struct export_file *export);

#endif
