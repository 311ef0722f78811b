#ifndef QUEUE_PURGE_H
#define QUEUE_PURGE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

struct db;

/** Remove the dead rows ${ids}, counted as purged; those that are dead no
 * longer are passed over.  In the caller's bracket, which should hold no more
 * than OPERATION_ROWS.  How many went, or -1. */
int64_t purge_rows(struct db *db, const int64_t *ids, size_t count);

struct config;
/**
 * purge_for_room(db, config):
 * In the caller's bracket, after deaths: the longest dead go while they take
 * more than half of the rows' share of queue.max_size, or the file would grow above it
 * (contract.md C7).  No more than a bracket should hold, save where it would: the rest
 * with the next deaths.  How many went, or -1.
 */
int64_t purge_for_room(struct db *db, const struct config *config);
/** Whether the settings let dead letters go; else the forwarder must not let more
 * die than there is room for. */
bool purge_may(const struct config *config);

/**
 * purge_bounds(db, max_rows, died_before, most):
 * In a bracket of its own: remove those that died before ${died_before} (-1:
 * none), by a clock that can have been right then, and the longest dead beyond
 * ${max_rows} (0: any number may stay), at most ${most} in all.  How many went,
 * or -1.
 */
int64_t purge_bounds(
    struct db *db, int64_t max_rows, int64_t died_before, int64_t most);

#endif
