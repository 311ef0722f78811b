#ifndef CLI_REJECTS_H
#define CLI_REJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct fault;

/** What put --per-line passes over: counted, and written down in a new file,
 * one JSON line each. */
struct rejects {
	const char *path;   /* NULL: only counted */
	int64_t most;       /* so many are passed over; -1: any number */
	int64_t count;      /* out: bad records, also the one too many */
	int64_t kept;       /* of them, written down */
	int fd;             /* -1: none */
	bool named;         /* the file's name is durable */
	bool dirty;         /* it holds what may not be on disk */
	struct text buffer; /* not yet written */
};

/** Create the file, if there is to be one; ${rejects} has its first members.
 * 0, or -1 with ${fault}. */
int rejects_open(struct rejects *rejects, struct fault *fault);
/** Count ${raw}, which was refused for ${why}, and keep it.  1: too many now,
 * and it was not kept; 0; or -1 with ${fault}. */
int rejects_add(struct rejects *rejects, const struct fault *why,
    const char *raw, size_t len, struct fault *fault);
/** What was kept is on disk when this returns.  0, or -1 with ${fault}. */
int rejects_sync(struct rejects *rejects, struct fault *fault);
/** Close the file; one without a line is removed. */
void rejects_close(struct rejects *rejects);

#endif
