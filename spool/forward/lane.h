#ifndef FORWARD_LANE_H
#define FORWARD_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/request.h"
#include "queue/lane.h"

struct account;
struct batch;
struct core;
struct flight;
struct isolation;

/* What a request is for. */
enum errand {
	ERRAND_DRAIN,  /* the next rows */
	ERRAND_PART,   /* a part of a refused batch */
	ERRAND_CANARY, /* one row of a suspect series */
	ERRAND_SCOUT,  /* one row of a lane that is a suspect as a whole */
	ERRAND_CHECK,  /* one row that decides for its lane */
	ERRAND_PROBE   /* one row that may end a hold */
};

/*
 * What a lane is busy with shows in its handles; at most one is set.
 *   flight     an answer is awaited          -> settling, by on_reply()
 *   settling   this turn's commit is awaited -> none, by lane_settled()
 *   none       lane_pump() may start one; nobody else ever does
 * Which of its rows go next is decided anew from the queue each time, so
 * nothing is lost with the process; only the parts of an isolation are kept.
 */
struct lane {
	struct core *core;
	struct account *account; /* NULL: none of that name is configured */
	struct lane_row row;     /* the stored lane, as it will be committed */
	bool changed;            /* row is to be stored */
	struct flight *flight;
	bool settling;
	enum errand errand;
	struct batch *batch; /* ours while a request is out */
	bool contiguous;     /* batch is all of the lane in between */
	struct request request;
	int64_t started_at, sent_ms; /* wall and steady, of the request */
	struct isolation *isolation;
	bool check_one;      /* the next request carries one row */
	bool retried;        /* a verdict that is retried first was, once */
	unsigned full_taken; /* requests near the learned cap, taken in a row */
	int64_t wake_ms;     /* steady: of a wait or a probe; -1: none */
};

struct lane *lane_new(struct core *core, const struct lane_row *row);
/** Cancels the flight; the rows stay pending. */
void lane_free(struct lane *lane);

/** Start whatever the lane may do now.  The only place that starts anything. */
void lane_pump(struct lane *lane);
/** Its settlement is committed; ${gone} of its rows left the queue. */
void lane_settled(struct lane *lane, int64_t gone);
/** When it wants to be pumped, steady; -1: never by itself. */
int64_t lane_next_ms(struct lane *lane);
/** Forget parts that are not yet judged; their rows are pending. */
void lane_drop_parts(struct lane *lane);

/* State changes; all mark the row as changed. */
void lane_set_ready(struct lane *lane);
void lane_set_waiting(struct lane *lane, int64_t wait_ms, const char *scope,
    int code, const char *reason);
void lane_set_held(struct lane *lane, const char *scope, int code,
    const char *reason, int64_t probe_in_ms);
/** "namespace/region/account" for the log. */
const char *lane_name(const struct lane *lane, char *buf, size_t size);

#endif
