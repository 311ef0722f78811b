#ifndef QUEUE_SERIES_H
#define QUEUE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "door.h"

struct db;
struct text;

struct series_row {
	int64_t id, lane_id;
	const char *metric, *dimensions, *wire; /* in texts */
	size_t wire_len;
	char *texts; /* series_row_free() */
};

/** The hash of a series of lane ${lane_id}, over its wire text (which holds
 * metric and dimensions); never DOOR_HASH. */
int64_t series_hash(int64_t lane_id, const char *wire, size_t wire_len);

/** Find (by hash, then by text) or make the series; its id into ${id}.  In the
 * caller's bracket.  0 or -1. */
int series_intern(struct db *db, int64_t lane_id, const char *metric,
    const char *dimensions, const char *wire, size_t wire_len, int64_t *id);

/** Load one; its hash is recomputed (H10), or, if the SQL door made it, its
 * texts are compared: FAULT_CORRUPT if they differ.  1 found
 * (series_row_free() it), 0 not, -1. */
int series_load(struct db *db, int64_t id, struct series_row *row);
/** Judge one, as series_load() does. */
enum door_verdict series_judge(struct db *db, int64_t id);
/** Free what series_load() copied; needless unless it returned 1. */
void series_row_free(struct series_row *row);

/**
 * series_collect(db, cursor, most):
 * In a bracket of its own: look at ${most} series after ${cursor}, which
 * moves on and wraps to 0, and remove those that no row of metric,
 * dead_letter, edit or suspect uses.  Lanes with more than 1,000 pending rows
 * are passed over.  Return how many were removed, or -1.
 */
int64_t series_collect(struct db *db, int64_t *cursor, int most);

#endif
