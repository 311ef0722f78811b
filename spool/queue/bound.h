#ifndef QUEUE_BOUND_H
#define QUEUE_BOUND_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct db;
struct fault;

/**
 * How queue.max_size is shared out.  Each share is kept to by itself, so that
 * database and log together stay under the whole (contract.md C7), and a log
 * that is long for a while takes nothing from the rows.
 */
struct bound {
	int64_t rows; /* of the database, what writers may fill */
	/* and the rest, for operators and the forwarder: notes and deaths */
	int64_t database;
	int64_t log;       /* of the WAL */
	int64_t log_short; /* up to which nobody shortens it */
	int64_t log_long;  /* beyond which nobody leaves that to another */
	int64_t log_kept;  /* to which it is cut when it begins anew */
};
/** The shares of ${max_size}; 0 is no bound.  On a small disk the log is shortened
 * sooner, so that the ballast makes up for it (contract.md H7): ${disk} bytes
 * in all, -1 where that does not matter. */
void bound_share(int64_t max_size, int64_t disk, struct bound *bound);
/** How many bytes are to be free where the ballast is made: beside it there must be
 * room for the log, or it would be given up at once. */
int64_t bound_ballast_room(struct db *db, const struct config *config);

/** Put the shares of ${max_size} in force on a connection (contract.md H14); that
 * of the database is left out for the forwarder (${draining}): a full queue
 * must still be drained.  0 or -1. */
int bound_apply(struct db *db, int64_t max_size, bool draining);

/** Rule H3 (checkpoint.h), by the shares of the bound: in the gate, ahead of an
 * insert. */
void bound_shorten_log(struct db *db, const struct config *config);

/** Whether what is stored, the open bracket as far as it has come, and ${more}
 * bytes keep to queue.max_size: half of them into the log first; pages that
 * drained rows left count as room.  0, or -1 with FAULT_QUEUE_FULL. */
int bound_check(struct db *db, const struct config *config, int64_t more,
    struct fault *fault);

/** How many requests are remembered: queue.attempts_kept, fewer under a small
 * bound. */
int64_t bound_attempts(const struct config *config);
/** How many rows may die in a bracket, for the log to keep to its share. */
int bound_deaths(const struct config *config);
/** Whether the log wants shortening before more is written. */
bool bound_log_is_long(struct db *db, const struct config *config);
/** For the forwarder, whose dead letters are larger than the rows that they were:
 * whether they take the rest that is left for them.  In a bracket.  1, 0, -1. */
int bound_overflows(struct db *db, const struct config *config);
/** How many bytes dead letters may take of the rows' share, so that they keep no
 * writer out; 0: any number. */
int64_t bound_dead(const struct config *config);
/** Whether all that is stored takes no more than that.  In a bracket.  1, 0, -1. */
int bound_dead_fit(struct db *db, const struct config *config);

/** For drop-oldest: whether there is so little room left that some is to be made.
 * In a bracket.  1, 0, -1. */
int bound_presses(struct db *db, const struct config *config);
/** For drop-oldest: whether ${more} bytes would go into an empty queue.  0, or
 * -1 with FAULT_QUEUE_FULL. */
int bound_check_size(
    const struct config *config, int64_t more, struct fault *fault);

/** Whether the disk has room for ${more} bytes and a transaction's log, for what
 * the database grows by when the log is copied back, and for the ballast where
 * it is not there (contract.md H7).  0, or -1 with FAULT_DISK_FULL. */
int bound_check_disk(struct db *db, const struct config *config, int64_t more,
    struct fault *fault);

/** For the forwarder, outside a bracket: how many bytes the disk lacks for what
 * the database grows by when the log is copied back, and for ${more} bytes of
 * log beside it; 0 where it lasts, where nothing grows, and where that cannot
 * be told.  Whoever writes while some are lacking may never copy the log back
 * again (contract.md H7). */
int64_t bound_disk_lacks(struct db *db, int64_t more);

#endif
