#ifndef CAPI_H
#define CAPI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "base/fault.h"
#include "monspool.h"
#include "queue/entry.h"
#include "queue/writer.h"

/* What the files of the C API share. */

struct capi_series;

struct msp_queue {
	pthread_mutex_t mutex; /* recursive: msp_begin() keeps it */
	pid_t pid;             /* of the process that opened it */
	char *path;
	int64_t busy_timeout_ms;
	struct config config;
	struct db *db; /* NULL: to be opened anew (H12) */
	struct writer *writer;
	bool transaction;
	bool unknown; /* the last one ended in MSP_E_UNKNOWN */
	struct entry_wire wire;
	struct capi_series *series; /* NULL until there is a batch */
};

/** Say in ${error} (NULL is allowed) what went wrong, and return what it means
 * to the caller. */
msp_status capi_fail(msp_error *error, const struct fault *fault);
msp_status capi_fail_with(
    msp_error *error, msp_status status, const char *message);
void capi_clear(msp_error *error);

/** Dimensions that are converted without asking for memory. */
#define CAPI_DIMENSIONS 16

/** A metric as the queue shelf takes it; borrows its texts. */
struct capi_metric {
	struct entry entry;
	struct entry_dimension stack[CAPI_DIMENSIONS], *dimensions;
};

/** MSP_OK: capi_release() it. */
msp_status capi_convert(
    struct capi_metric *converted, const msp_metric *metric, msp_error *error);
void capi_release(struct capi_metric *converted);
/** Check and render: the wire is what the queue would store. */
msp_status capi_prepare(const struct capi_metric *converted,
    const struct config_checks *checks, struct entry_wire *wire,
    msp_error *error);
/** All of it. */
msp_status capi_check(const msp_metric *metric,
    const struct config_checks *checks, struct entry_wire *wire,
    msp_error *error);
/** The limits where no queue says others; NULL when there is no memory. */
const struct config_checks *capi_builtin_checks(msp_error *error);

/** Begin a call on ${queue}: its mutex is ours unless this fails. */
msp_status capi_enter(msp_queue *queue, msp_error *error);
/** End it; returns ${status}. */
msp_status capi_leave(msp_queue *queue, msp_status status);

/** Queue one metric in the open round. */
msp_status capi_add(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error);

/** Open what is not open: at first, after a commit that failed midway, and
 * where another file has taken the queue's place.  Each call begins with it,
 * and only that. */
msp_status capi_connect(msp_queue *queue, msp_error *error);
/** A round of the handle's writer. */
msp_status capi_begin(msp_queue *queue, msp_error *error);
msp_status capi_commit(msp_queue *queue, msp_error *error);

#endif
