#ifndef FORWARD_JUDGE_H
#define FORWARD_JUDGE_H

#include "protocol/answer.h"
#include "protocol/disposition.h"
#include "queue/lane.h"

#include "lane.h"
#include "world.h"

struct core;
struct settlement;
struct trip;

/* An answer, judged. */
struct judged {
	const struct reply *reply;
	struct answer answer;
	struct outcome outcome;
	const struct disposition *what;
	int code; /* -1: none */
	enum errand errand;
	int64_t clock_offset_ms; /* by which the request was signed */
	int64_t sent_ms;         /* steady: when it went */
	char reason[LANE_TEXT];
};

/** Judge ${reply} to ${trip}; ${judged} borrows it. */
void judge_reply(
    const struct trip *trip, const struct reply *reply, struct judged *judged);
/** Whether the account went too fast, and nobody else is to blame. */
bool judge_is_throttle(const struct judged *judged);
/** Fill in what is written down of every request: the attempt, its outcome,
 * whether that is ambiguous. */
void judge_describe(const struct trip *trip, const struct judged *judged,
    struct settlement *settlement);
/** The request and its answer, on one line, for the rows that die of it. */
void judge_give_evidence(
    const struct judged *judged, struct settlement *settlement);
/** What the forwarder says of itself after this answer. */
void judge_tell(struct core *core, const struct judged *judged);

#endif
