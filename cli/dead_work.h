#ifndef CLI_DEAD_WORK_H
#define CLI_DEAD_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "queue/operation.h"

struct config;
struct db;
struct dead_choice;
struct fault;
struct output;

/*
 * What edit and purge have in common: an operation that this process carries
 * out itself, in transactions of at most OPERATION_ROWS rows.
 */

/** Fill in kind and state of ${row}, who asks and when. */
void dead_work_ask(struct operation_row *row, enum operation_kind kind);
/** That, and for what. */
void dead_work_describe(struct operation_row *row, enum operation_kind kind,
    const struct dead_choice *choice);
/** Store it.  0, or -1 with ${fault}. */
int dead_work_begin(
    struct db *db, struct operation_row *row, struct fault *fault);

/** Begin a bracket as writers do, a checkpoint before it where the log is long and
 * no forwarder runs (contract.md H3).  0 or -1. */
int dead_work_bracket(struct db *db, const struct config *config);
/** The operation is done.  0, or -1 with ${fault}. */
int dead_work_end(
    struct db *db, struct operation_row *row, struct fault *fault);

/** One transaction's work on ${count} rows: returns the rows done, or -1; what
 * else was passed over goes into ${skipped}. */
typedef int64_t dead_work_step(struct db *db, void *cookie, const int64_t *ids,
    size_t count, int64_t *skipped);
struct dead_work {
	struct db *db;
	const struct config *config; /* the queue's copy */
	struct operation_row *operation;
	dead_work_step *step;
	void *cookie;
	const struct output *output; /* is told how far it is, ... */
	const char *what;            /* ... "edited" */
};
/** Do all of it, and end the operation.  0, or -1 with ${fault}: what was done
 * stays done. */
int dead_work_do(const struct dead_work *work, const int64_t *ids, size_t count,
    struct fault *fault);

#endif
