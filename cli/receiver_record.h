#ifndef RECEIVER_RECORD_H
#define RECEIVER_RECORD_H

#include "receiver_outcome.h"
#include "base/text.h"

struct fault;

/** The output files, appended to.  A descriptor of -1: no such file. */
struct record {
	int rows_fd, requests_fd;
	const char *rows_path, *requests_path;
	struct text text; /* what one request adds */
};

/**
 * record_open(record, rows_path, requests_path, fault):
 * Open the files; NULL is none.  Return 0, or -1 with ${fault}
 * (FAULT_CANNOT_CREATE); then nothing is open.
 */
int record_open(struct record *record, const char *rows_path,
    const char *requests_path, struct fault *fault);
void record_close(struct record *record);

/**
 * record_add(record, request, outcome, fault):
 * Write a line for each accepted row, then the line of the request; one
 * write() a file, so that a reader never sees half a request's rows for
 * long.  When this returns the lines are in the files.  Return 0, or -1 with ${fault}.
 */
int record_add(struct record *record, const struct request *request,
    const struct outcome *outcome, struct fault *fault);

#endif
