#ifndef QUEUE_FORMER_H
#define QUEUE_FORMER_H

#include <stdint.h>

struct db;

/*
 * The ids that a replayed row had before; see schema/0003-former.sql.
 */

/** In the caller's bracket, while ${id} is dead still: it is going to be
 * ${new_id}.  0 or -1. */
int former_replay(struct db *db, int64_t id, int64_t new_id);

/** In the caller's bracket: the row goes.  0 or -1. */
int former_forget(struct db *db, int64_t row_id);
/** So do the pending rows of the lane from ${first} to ${last}.  0 or -1. */
int former_forget_range(
    struct db *db, int64_t lane_id, int64_t first, int64_t last);

struct former_row {
	int64_t id, lane_id;
};
/** Those of ${row_id} above ${after}, ascending: how many, or -1. */
int former_list(struct db *db, int64_t row_id, int64_t after,
    struct former_row *rows, int count);

#endif
