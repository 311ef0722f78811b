#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

struct config;
struct fault;

struct queue_init {
	const char *path;
	const char *group; /* NULL: leave */
	unsigned mode;     /* of the files; 0: 0660 */
	bool any_filesystem;
	const struct config *config; /* settings to copy in; NULL: the
	                              * defaults, or what the queue has */
};

/**
 * queue_init(init, created, fault):
 * Make the last directory (2770) and the queue with all its files, copy the
 * settings, fsync both (contract.md H11, H18).  On an existing queue correct
 * the modes and refresh the settings; rows stay.  A foreign file is
 * FAULT_QUEUE_FOREIGN, a network file system FAULT_CANNOT_CREATE.  0 or -1.
 */
int queue_init(
    const struct queue_init *init, bool *created, struct fault *fault);

/**
 * queue_open(path, kind, busy_timeout_ms, config, fault):
 * Check the place, connect, load the settings copy into ${config} (never
 * NULL), apply max_size.  ${busy_timeout_ms} < 0 takes queue.busy_timeout of
 * the copy.  NULL with ${fault}.
 */
struct db *queue_open(const char *path, enum db_kind kind,
    int64_t busy_timeout_ms, struct config *config, struct fault *fault);

#endif
