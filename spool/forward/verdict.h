#ifndef FORWARD_VERDICT_H
#define FORWARD_VERDICT_H

struct reply;
struct trip;

/**
 * verdict_apply(trip, reply):
 * Judge the answer to the request of ${trip} and queue its consequences for
 * this turn's commit.  Takes the trip's batch.
 */
void verdict_apply(struct trip *trip, const struct reply *reply);

#endif
