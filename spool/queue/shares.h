#ifndef QUEUE_SHARES_H
#define QUEUE_SHARES_H

#include <stddef.h>
#include <stdint.h>

struct db;

/** Rows that a round adds to each lane.  Zero it first. */
struct shares {
	struct lane_share *list;
	size_t count, size, last; /* last: whose row came last */
};

/** One row more for ${lane_id}.  0, or -1 (memory). */
int shares_add(struct shares *shares, int64_t lane_id);
/** Add them to what the lanes count.  In a bracket; 0 or -1. */
int shares_count(const struct shares *shares, struct db *db);
/** For another round. */
void shares_clear(struct shares *shares);
void shares_free(struct shares *shares);

#endif
