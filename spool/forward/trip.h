#ifndef FORWARD_TRIP_H
#define FORWARD_TRIP_H

#include "lane.h"

/** A free trip of ${lane}, or NULL. */
struct trip *trip_free_one(struct lane *lane);
/**
 * trip_start(trip, batch, errand, contiguous):
 * Sign and send ${batch}, which is taken; the answer goes to verdict_apply().
 * 0, or -1 (memory, OpenSSL): then the trip is free again.
 */
int trip_start(struct trip *trip, struct batch *batch, enum errand errand,
    bool contiguous);
/** Cancel it, if it is under way, and free what it holds. */
void trip_clear(struct trip *trip);

#endif
