#ifndef QUEUE_ORIGIN_H
#define QUEUE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct db;

/*
 * Where replayed rows come from.  Most rows were never replayed, and the
 * calls for them cost next to nothing.
 */

/** Whether a row with an id above ${after} was replayed: 1, 0, -1. */
int origin_any(struct db *db, int64_t after);

/** Before the pending rows of the lane from ${first} to ${last} go for good:
 * forget where they come from, which ids they had, and what edits replaced.
 * 0 or -1. */
int origin_forget(struct db *db, int64_t lane_id, int64_t first, int64_t last);
/** The same for the dead row ${id}. */
int origin_forget_dead(struct db *db, int64_t id);

/**
 * origin_replay(db, id, new_id, group_id, alone):
 * The dead row ${id} is replayed as ${new_id}, by ${group_id} of an operation
 * (0: none): keep its first id and count the replay.  ${alone}: it is to go
 * in a request of its own.  0 or -1.
 */
int origin_replay(
    struct db *db, int64_t id, int64_t new_id, int64_t group_id, bool alone);

#endif
