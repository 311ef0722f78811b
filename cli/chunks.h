#ifndef CLI_CHUNKS_H
#define CLI_CHUNKS_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct import;
struct put;
struct stage;
struct writer;

/**
 * How staged rows get into the queue: all at once when all input was read, or
 * with --per-line in chunks, each in a transaction of its own.
 */
struct chunks {
	struct put *put;
	struct import *import;
	struct writer *writer;
	int64_t since_ms; /* of the oldest record not settled; -1: none */
	int64_t records;  /* since */
	long line;        /* of this input up to which all is taken; 0: none */
	bool failed;      /* a commit did */
};

/** Make what ${put} needs; ${import} gets its stage and its callback.  0, or -1
 * with ${fault}. */
int chunks_open(struct chunks *chunks, struct put *put, struct import *import,
    struct fault *fault);
void chunks_close(struct chunks *chunks);

/** Commit what is staged.  0, or -1 with ${fault}. */
int chunks_commit(struct chunks *chunks, struct fault *fault);
/** For input.h: wait until ${fd} can be read, and commit what gets old
 * meanwhile. */
int chunks_wait(void *cookie, int fd, struct fault *fault);

#endif
