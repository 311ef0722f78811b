#ifndef CLI_HOLD_CHANGE_H
#define CLI_HOLD_CHANGE_H

#include <stdbool.h>

#include "base/config.h"
#include "queue/wish.h"
#include "lanes.h"

struct db;
struct fault;

/** An operator's change of lanes: hold, release or probe them. */
struct hold_change {
	struct wish wish;
	struct lane_pattern pattern; /* which lanes; no parts: all */
	bool dry_run;                /* find them only */
	struct db *db;
	const struct config *config; /* the queue's copy */

	struct lanes lanes; /* out: those concerned, as they are after it */
	bool running;       /* out: a forwarder does */
	bool unseen;        /* out: and did not take it up yet */
};

/** Make it; where a forwarder runs, wait for it to take the wish up, though
 * not for ever.  0, or -1 with ${fault}; then nothing was changed. */
int hold_change_make(struct hold_change *change, struct fault *fault);

#endif
