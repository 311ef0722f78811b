#ifndef FORWARD_VERDICT_H
#define FORWARD_VERDICT_H

struct lane;
struct reply;

/**
 * verdict_apply(lane, reply):
 * Judge the answer to the request of ${lane} and queue its consequences for
 * this turn's commit.  Takes the lane's batch.
 */
void verdict_apply(struct lane *lane, const struct reply *reply);

#endif
