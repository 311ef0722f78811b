#ifndef FORWARD_SWEEP_H
#define FORWARD_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane;

/*
 * late.policy = latest-only: of the late rows of a series only the newest is
 * sent, the others are dropped and counted.  A sweep reads the late rows of
 * a lane in order, page by page, and drops each whose series comes again.
 */
struct sweep {
	bool active;
	int64_t after_id; /* rows up to here were looked at */
	int64_t swept_id; /* no two late rows up to here share a series */
	struct sweep_seen *seen;
	size_t count, size; /* size is a power of two, or 0 */
};

void sweep_clear(struct sweep *sweep);

/** Go on with the sweep of ${lane} by one page: what is dropped is queued for
 * the commit.  0, or -1 when the queue or memory failed. */
int sweep_step(struct lane *lane);

#endif
