#ifndef QUEUE_REPLAY_H
#define QUEUE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/**
 * replay_rows(db, ids, count, group_id, alone):
 * In the caller's bracket: move the dead rows ${ids} to pending, each under a
 * new id at the tail of its lane, with its times, attempts, edits and first
 * id.  ${group_id} of operation_group is told what becomes of them (0: none);
 * ${alone}: each goes in a request of its own.  Rows that are dead no longer
 * are passed over.  Return how many moved, or -1.
 */
int64_t replay_rows(struct db *db, const int64_t *ids, size_t count,
    int64_t group_id, bool alone);

#endif
