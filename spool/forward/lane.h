#ifndef FORWARD_LANE_H
#define FORWARD_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/request.h"
#include "queue/lane.h"

#include "brake.h"
#include "fresh.h"
#include "pace.h"
#include "sweep.h"

struct account;
struct batch;
struct core;
struct flight;
struct isolation;
struct settlement;

/* What a request is for.  All but the first two go while nothing else is out. */
enum errand {
	ERRAND_DRAIN,  /* the next rows */
	ERRAND_FRESH,  /* the same, from the lane's fresh end */
	ERRAND_PART,   /* a part of a refused batch */
	ERRAND_CANARY, /* one row of a suspect series, or of a replay */
	ERRAND_SCOUT,  /* one row of a lane that is a suspect as a whole */
	ERRAND_CHECK,  /* one row that decides for its lane */
	ERRAND_PROBE   /* one row that may end a hold */
};

/* One request of a lane, from its start until its answer is judged. */
struct trip {
	struct lane *lane;
	struct flight *flight; /* NULL: the trip is free */
	enum errand errand;
	struct batch *batch; /* ours while the request is out */
	bool contiguous;     /* batch is all of the lane in between */
	struct request request;
	int64_t started_at, sent_ms; /* wall and steady */
	int64_t clock_offset_ms;     /* by which it is signed */
};

/*
 * What a lane is busy with shows in its counts:
 *   out        requests whose answer is awaited -> unsettled, by on_reply()
 *   unsettled  answers whose commit is awaited  -> none, by lane_settled()
 *   none       lane_pump() may start one; nobody else ever does
 * Draining goes on while others are out or unsettled, up to batch.in_flight,
 * with the rows behind through_id, and behind what the fresh end sent; one
 * request of those out is of the fresh end.  Everything else, and draining after
 * anything but a delivery (rewind), waits until both counts are zero, and
 * then begins with the lane's first row again.  Which rows go next is read
 * from the queue each time, so nothing is lost with the process; only the
 * parts of an isolation are kept.
 */
struct lane {
	struct core *core;
	struct account *account; /* core->nobody: its own is not configured */
	struct lane_row row;     /* the stored lane, as it will be committed */
	bool changed;            /* row is to be stored */
	bool skipped;            /* this run is bounded to others */
	bool unreadable; /* its rows were, when last looked at: damage */
	struct trip *trips;
	size_t trip_count, out, unsettled;
	int64_t taken;      /* rows that are out or unsettled */
	int64_t through_id; /* rows up to here were taken since the rewind */
	bool rewind;
	bool meeting; /* rows met without a request are unsettled */
	struct isolation *isolation;
	struct settlement *doubts; /* of rows of the isolation: see doubt.h */
	bool one_by_one;     /* a batch was refused: one request at a time,
	                        until one is taken */
	bool check_one;      /* the next request carries one row */
	int64_t probe_after; /* the next probe's row lies behind this id */
	bool probe_spent;    /* it was probed in vain, others' turn */
	bool on_trust;       /* another's probe released it; none of its own
	                        was taken since */
	bool probe_asked;    /* by an operator: one row, whoever holds it */
	bool retried;        /* a verdict that is retried first was, once */
	int64_t failed_ms;   /* steady: the answer that row.failures grew by */
	int64_t strange;     /* answers in a row that end in a hold */
	unsigned full_taken; /* requests near the learned cap, taken in a row */
	struct brake brake;
	struct sweep sweep;
	struct fresh fresh;
	/* What the settings say of this lane's namespace. */
	int64_t max_age_ms, late_after_ms; /* 0: off */
	int late_policy;                   /* enum config_late */
	struct pace late_pace;             /* rows, while the head is late */
	int64_t wake_ms;   /* steady: of a wait or a probe; -1: none */
	int64_t linger_ms; /* steady: until then a fuller batch is awaited */
};

struct lane *lane_new(struct core *core, const struct lane_row *row);
/** Cancels the flight; the rows stay pending. */
void lane_free(struct lane *lane);

/** Whether ${errand} may go beside others of its kind. */
static inline bool
errand_drains(enum errand errand)
{
	return errand == ERRAND_DRAIN || errand == ERRAND_FRESH;
}

/** Start whatever the lane may do now.  The only place that starts anything. */
void lane_pump(struct lane *lane);
/** A settlement of ${rows} rows sent (0: rows met) is committed; ${gone} rows left the queue. */
void lane_settled(struct lane *lane, int64_t rows, int64_t gone);
/** The queue says how many rows the lane has now. */
void lane_set_pending(struct lane *lane, int64_t pending);
/** Whether there is a key to sign its requests with. */
bool lane_has_signer(const struct lane *lane);
/** Whether it has a request out, or an answer unsettled. */
bool lane_is_busy(const struct lane *lane);
/** When it wants to be pumped, steady; -1: never by itself. */
int64_t lane_next_ms(struct lane *lane);
/** Whether a row accepted then is late by the lane's settings. */
bool lane_row_is_late(
    const struct lane *lane, int64_t accepted_at, int64_t wall_ms);
/** Rows met without a request go to this turn's commit; ${met} is taken. */
void lane_settle_met(struct lane *lane, struct settlement *met);
/** Hold it until an operator looks: more of its rows would die than may. */
void lane_brake(struct lane *lane, int code);
/** How many of its rows may still die now; none in soft mode. */
int64_t lane_deaths_left(const struct lane *lane);
void lane_count_deaths(struct lane *lane, int64_t deaths);
/** Take over what the settings say of its namespace. */
void lane_configure(struct lane *lane);
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
