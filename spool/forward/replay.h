#ifndef FORWARD_REPLAY_H
#define FORWARD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct core;

/*
 * Replays that operators asked for (design.md 7).  Each group sends canaries
 * first; where all of them are accepted, the rest follows at the rate that was
 * asked for.  Which rows are still to be moved is read from the queue each
 * time, so nothing is lost with the process; only the pace is kept here.
 */
struct replay {
	bool look;            /* somebody may have asked for one */
	bool news;            /* rows were settled: perhaps canaries */
	bool open;            /* one is not finished */
	bool works;           /* and has rows that may be moved, now or soon */
	unsigned failures;    /* of it, in a row */
	struct fault trouble; /* the latest of them */
	int64_t next_ms;      /* steady: of the next look while one is open */
	struct replay_turn {
		int64_t operation_id;
		int64_t next_ms; /* steady: when it may move rows again */
	} * turns;
	size_t turn_count, turn_size;
};

/** Move what may be moved now. */
void replay_turn(struct core *core);
/** When it wants the next turn, steady; -1: never by itself. */
int64_t replay_next_ms(const struct core *core);
/** Whether there is more to do than to wait for answers. */
bool replay_works(const struct core *core);
/** Rows were settled. */
void replay_news(struct core *core);
void replay_free(struct replay *replay);

#endif
