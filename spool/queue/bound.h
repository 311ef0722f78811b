#ifndef QUEUE_BOUND_H
#define QUEUE_BOUND_H

#include <stdint.h>

struct config;
struct db;
struct fault;

/** Whether ${more} bytes go under queue.max_size; pages that drained rows left
 * count as room.  In a bracket.  0, or -1 with FAULT_QUEUE_FULL. */
int bound_check(struct db *db, const struct config *config, int64_t more,
    struct fault *fault);

/** The length of the WAL at which a checkpoint is made before an insert:
 * queue.wal_max, and not above the log's share of the bound. */
int64_t bound_wal(const struct config *config);
/** For drop-oldest: whether there is so little room left that some is to be made.
 * In a bracket.  1, 0, -1. */
int bound_presses(struct db *db, const struct config *config);
/** For drop-oldest: whether ${more} bytes would go into an empty queue.  0, or
 * -1 with FAULT_QUEUE_FULL. */
int bound_check_size(
    const struct config *config, int64_t more, struct fault *fault);

/** Whether the disk has room for ${more} bytes and a transaction's log, and for
 * the ballast where it is not there (contract.md H7).  0, or -1 with FAULT_DISK_FULL. */
int bound_check_disk(struct db *db, const struct config *config, int64_t more,
    struct fault *fault);

#endif
