#ifndef FORWARD_SETTLE_H
#define FORWARD_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "queue/status.h"

#include "settlement.h"

struct core;

/* The settlements of a turn, and what the forwarder says of itself. */
struct settle {
	struct settlement *head, *tail;
	struct status_forwarder told;
	int64_t told_ms; /* steady: when it was last stored, -1: never */
	bool told_changed, telling;
	int64_t purged; /* dead letters that this turn's deaths push out */
	/* A commit failed: nothing is sent until one succeeds. */
	bool blocked;
	int64_t retry_ms; /* steady: when to try again */
	unsigned failures;
	struct fault trouble; /* the last of them */
	bool broken;          /* the connection must be opened anew */
};

/** Queue it for this turn's commit; it is taken. */
void settle_add(struct core *core, struct settlement *settlement);
/**
 * settle_commit(core):
 * Write down all settlements and all changed lanes in one transaction, then
 * tell each lane.  On failure everything is kept and tried again later, and
 * nothing is sent meanwhile; a full disk costs the ballast first (contract.md H7).
 */
void settle_commit(struct core *core);
/** Whether there is anything to write. */
bool settle_waits(const struct core *core);
/** When it wants the next turn, steady; -1: never by itself. */
int64_t settle_next_ms(const struct core *core);
void settle_free(struct settle *settle);

#endif
