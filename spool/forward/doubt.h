#ifndef FORWARD_DOUBT_H
#define FORWARD_DOUBT_H

struct lane;
struct settlement;

/*
 * Doubts: rows that were refused alone while a lane's batch is bisected, with
 * a code that needs contrast (protocol.md section 8), when none was there yet.
 * The parts that are still to come usually provide it; then those rows die
 * of the answer they had, and are not sent again.  If all parts are judged
 * and nothing was accepted, the lane is held: the request may be at fault.
 */

/** Take ${settlement}, which is committed; without parts to come it is freed. */
void doubt_keep(struct lane *lane, struct settlement *settlement);
/** A request was accepted: what is in doubt dies in this turn's commit. */
void doubt_end(struct lane *lane);
/** All parts are judged: what is in doubt dies, or the lane is held. */
void doubt_decide(struct lane *lane);
/** Forget them; the rows are pending. */
void doubt_drop(struct lane *lane);

#endif
