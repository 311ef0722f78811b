#ifndef FORWARD_HOLD_H
#define FORWARD_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/disposition.h"

struct lane;

/*
 * Holds.  A hold of an account, an endpoint or the clock covers all lanes it
 * concerns: the lanes are held together, and one of them, the prober, sends one
 * row now and then; they take turns.  Its acceptance releases them all.  A lane
 * that is refused again after another's was accepted is held alone.  A narrower
 * hold is the lane's own.
 */

/** Hold what ${disposition} says, for the code and words of an answer that ${lane} got. */
void hold_set(struct lane *lane, const struct disposition *disposition,
    int code, const char *reason);
/** A lane that is new, or has come to have rows: it joins a hold that covers it. */
void hold_join(struct lane *lane);
/** Whether the forwarder holds the lane, and may end that by itself. */
bool hold_is_ours(const struct lane *lane);
/** A probe of ${lane} was accepted: release all that its hold covers.  An
 * operator's hold, or a brake's, stays. */
void hold_release(struct lane *lane);
/** A probe failed for whatever reason: the next one, later, and not before
 * ${least_ms} from now. */
void hold_postpone(struct lane *lane, bool slow, int64_t least_ms);
/** A probe of ${lane} failed: the next one is another lane's of the hold, until
 * each had its turn; what ails one lane may be its own. */
void hold_take_turns(struct lane *lane);
/** All rows of ${lane} were probed, and refused for what may be their own
 * fault: another lane of the hold has its turn, then it begins again. */
void hold_pass_on(struct lane *lane);
/** A probe of ${lane} was due, and could not even be sent: another lane of the
 * hold has its turn, and none at once. */
void hold_skip_probe(struct lane *lane, const char *why);
/** Whether ${lane} may send a probe now: it is held by the forwarder,
 * it is the prober, and the time has come; or an operator asked for one. */
bool hold_may_probe(const struct lane *lane, int64_t steady_ms);
/** Whether ${lane} is the one of its hold that probes. */
bool hold_is_prober(const struct lane *lane);

#endif
