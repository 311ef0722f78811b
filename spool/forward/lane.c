#include "lane.h"

#include <stdlib.h>

#include "base/config.h"
#include "protocol/backoff.h"
#include "protocol/batch.h"

#include "bounds.h"
#include "core_state.h"
#include "doubt.h"
#include "gather.h"
#include "hold.h"
#include "isolate.h"
#include "settle.h"
#include "trip.h"

/* ---- what starts ---- */

/* Nothing could be started (memory, or the queue cannot be read). */
static void
give_up_for_now(struct lane *lane, const char *why)
{
	const struct config_retry *retry = &lane->core->config->retry;
	int64_t wait_ms;

	if (lane->row.state == LANE_HELD) {
		hold_skip_probe(lane, why);
		return;
	}
	lane->row.failures++;
	wait_ms = backoff_probe_ms(retry->base_ms, retry->max_ms,
	    (unsigned)lane->row.failures, core_random(lane->core));
	lane_set_waiting(lane, wait_ms, "row", -1, why);
}

static void
give_up_reading(struct lane *lane)
{
	gather_note_trouble(lane);
	give_up_for_now(lane, "the queue cannot be read");
}

static void
start_part(struct lane *lane)
{
	struct batch *batch;
	bool failed;

	batch = isolation_take(lane->isolation, &failed);
	if (batch == NULL) {
		give_up_for_now(lane, "out of memory");
		return;
	}
	if ((int64_t)batch->count > bounds_left(lane->core)) {
		batch_free(batch);
		lane_drop_parts(lane); /* its rows come up again, fewer */
		return;
	}
	if (trip_start(trip_free_one(lane), batch, ERRAND_PART, false)) {
		isolation_return(lane->isolation);
		give_up_for_now(lane, "out of memory");
	}
}

/* Deaths count for the brake as soon as they are decided. */
static void
count_deaths(struct lane *lane, const struct settlement *met)
{
	int64_t deaths = 0;
	size_t i;

	for (i = 0; i < met->met_count; i++)
		deaths += met->met[i].met != MET_EXPIRED &&
		    met->met[i].met != MET_DROPPED;
	lane_count_deaths(lane, deaths);
}

void
lane_settle_met(struct lane *lane, struct settlement *met)
{
	lane->meeting = true;
	lane->unsettled++;
	settle_add(lane->core, met);
}

/* Send what was gathered, or settle what was met.  Whether a request is out. */
static bool
start_gathered(struct lane *lane, struct gather *gather)
{
	struct batch *batch = gather->batch;
	size_t rows = batch->count;

	if (gather->met != NULL && lane->core->mode == CORE_PREVIEW) {
		settlement_free(gather->met); /* as if they had left */
		gather->met = NULL;
	}
	if (gather->met != NULL) {
		count_deaths(lane, gather->met);
		lane_settle_met(lane, gather->met);
	} else if (gather->sweep) {
		if (lane_is_busy(lane))
			lane->rewind = true;
		else if (sweep_step(lane))
			give_up_reading(lane);
	} else if (gather->braked) {
		lane->probe_asked = false;
		lane_brake(lane, -1);
	} else if (batch->count == 0 && lane->probe_after > 0 &&
	    gather->errand == ERRAND_PROBE) {
		hold_pass_on(lane);
	} else if (batch->count == 0) {
		/* Somebody else took the rows; the next look will tell. */
		lane->row.pending = lane->taken;
	} else if (!errand_drains(gather->errand) && lane_is_busy(lane)) {
		lane->rewind = true; /* a canary waits for the others */
	} else {
		if (trip_start(trip_free_one(lane), batch, gather->errand,
			batch->count == 1 || errand_drains(gather->errand))) {
			give_up_for_now(lane, "out of memory");
			return false;
		}
		fresh_count(lane, gather->fresh, (int64_t)rows);
		if (gather->late)
			pace_spend(&lane->late_pace, core_steady_ms(lane->core),
			    (double)rows);
		return true;
	}
	batch_free(batch);
	return false;
}

static enum errand
next_errand(const struct lane *lane)
{
	if (lane->row.state == LANE_HELD)
		return ERRAND_PROBE;
	if (lane->check_one)
		return ERRAND_CHECK;
	if (lane->row.doomed_through >= 0)
		return ERRAND_SCOUT;
	if (lane->isolation != NULL)
		return ERRAND_PART;
	return ERRAND_DRAIN;
}

/* Whether a request was started, and another may be. */
static bool
start_request(struct lane *lane, enum errand errand)
{
	struct gather gather = { .lane = lane,
		.errand = errand,
		.fresh = errand == ERRAND_FRESH,
		.wall_ms = core_wall_ms(lane->core) };

	if (errand == ERRAND_PART) {
		start_part(lane);
		return false;
	}
	/* The parts hold some of the rows that go now. */
	lane_drop_parts(lane);
	if (gather_rows(&gather) == 0)
		return start_gathered(lane, &gather) && errand_drains(errand);
	settlement_free(gather.met);
	batch_free(gather.batch);
	give_up_for_now(lane, "the queue cannot be read");
	return false;
}

/* ---- what may start ---- */

/* Rows that are neither out nor unsettled. */
static int64_t
waiting_rows(const struct lane *lane)
{
	return lane->row.pending - lane->taken;
}

/* A fuller batch is awaited for a while, while the forwarder runs on. */
static bool
lingers(const struct lane *lane, int64_t now_ms)
{
	return lane->core->mode == CORE_RUN && now_ms < lane->linger_ms &&
	    lane->row.state == LANE_READY &&
	    waiting_rows(lane) < lane->core->config->batch.max_rows;
}

/* When the account's pace, and that of late rows, let it send. */
static int64_t
pace_at(struct lane *lane, enum errand errand, int64_t now_ms)
{
	int64_t account_ms = account_ready_at(lane->account, now_ms), late_ms;

	if (errand == ERRAND_DRAIN && fresh_may_go(lane))
		return account_ms;
	late_ms = pace_ready_at(&lane->late_pace, now_ms);
	return account_ms > late_ms ? account_ms : late_ms;
}

/* Whether the lane's state lets it send now. */
static bool
may_send(struct lane *lane, enum errand errand, int64_t now_ms)
{
	if (lane->row.state == LANE_WAITING && lane->wake_ms > now_ms)
		return false;
	/* Stored as waiting until the answer: the trouble is not over yet. */
	if (lane->row.state == LANE_WAITING) {
		lane->row.state = LANE_READY;
		lane->wake_ms = -1;
	}
	if (lane->row.state == LANE_HELD && !hold_may_probe(lane, now_ms))
		return false;
	return !lingers(lane, now_ms) &&
	    pace_at(lane, errand, now_ms) <= now_ms;
}

/* Whether another request fits beside those that are out, and those whose
 * answer would be forgotten if the process died now: all of them would go
 * twice. */
static bool
has_room(const struct lane *lane, enum errand errand)
{
	if (lane->meeting || lane->out + lane->unsettled >= lane->trip_count)
		return false;
	return !lane_is_busy(lane) ||
	    (errand_drains(errand) && !lane->rewind && !lane->one_by_one &&
		lane->row.state == LANE_READY);
}

/* As many trips as the settings allow requests.  0, or -1 (memory). */
static int
set_trips(struct lane *lane)
{
	size_t count = (size_t)lane->core->config->batch.in_flight, i;
	struct trip *trips;

	if (count == lane->trip_count)
		return 0;
	if ((trips = calloc(count, sizeof(*trips))) == NULL)
		return -1;
	for (i = 0; i < lane->trip_count; i++)
		trip_clear(&lane->trips[i]);
	free(lane->trips);
	for (i = 0; i < count; i++)
		trips[i].lane = lane;
	lane->trips = trips;
	lane->trip_count = count;
	return 0;
}

/* Nothing is out: the next request carries the lane's first rows. */
static int
begin_again(struct lane *lane)
{
	if (set_trips(lane)) {
		give_up_for_now(lane, "out of memory");
		return -1;
	}
	lane->rewind = false;
	lane->through_id = 0;
	fresh_rewind(lane);
	return 0;
}

/* Draining may go on at either end.  Whether it may at all. */
static bool
choose_end(struct lane *lane, enum errand *errand)
{
	enum fresh_end end = fresh_choose(lane);

	if (end == FRESH_FAILED)
		give_up_reading(lane);
	if (end == FRESH_END)
		*errand = ERRAND_FRESH;
	return end == FRESH_HEAD || end == FRESH_END;
}

void
lane_pump(struct lane *lane)
{
	const struct core *core = lane->core;
	enum errand errand;

	if (!lane_has_signer(lane) || lane->skipped)
		return;
	do {
		if (core->stopping || core->settle.blocked ||
		    waiting_rows(lane) <= 0 || bounds_left(core) == 0)
			return;
		errand = next_errand(lane);
		if (!has_room(lane, errand) ||
		    !may_send(lane, errand, core_steady_ms(core)))
			return;
		if (!lane_is_busy(lane) && begin_again(lane))
			return;
		if (errand == ERRAND_DRAIN && !choose_end(lane, &errand))
			return;
	} while (start_request(lane, errand));
}

bool
lane_has_signer(const struct lane *lane)
{
	return lane->account->credential != NULL;
}

bool
lane_is_busy(const struct lane *lane)
{
	return lane->out > 0 || lane->unsettled > 0;
}

/* All parts are judged. */
static void
end_isolation(struct lane *lane)
{
	doubt_decide(lane);
	if (!lane_is_busy(lane))
		lane_drop_parts(lane);
}

void
lane_settled(struct lane *lane, int64_t rows, int64_t gone)
{
	lane->unsettled--;
	lane->taken -= rows;
	lane->row.pending -= gone;
	lane->fresh.none = false; /* for all we know */
	if (rows == 0)
		lane->meeting = false;
	if (lane->isolation != NULL && isolation_empty(lane->isolation) &&
	    !lane_is_busy(lane))
		end_isolation(lane);
	lane->core->look |= waiting_rows(lane) <= 0;
}

void
lane_set_pending(struct lane *lane, int64_t pending)
{
	if (waiting_rows(lane) <= 0 && pending > lane->taken)
		lane->linger_ms = core_steady_ms(lane->core) +
		    lane->core->config->batch.linger_ms;
	lane->fresh.none &= pending <= lane->row.pending;
	lane->row.pending = pending;
}

int64_t
lane_next_ms(struct lane *lane)
{
	int64_t now_ms = core_steady_ms(lane->core), ready_ms;
	enum errand errand = next_errand(lane);

	if (!lane_has_signer(lane) || lane->skipped ||
	    waiting_rows(lane) <= 0 || bounds_left(lane->core) == 0 ||
	    !has_room(lane, errand))
		return -1;
	if (lane->row.state == LANE_HELD && !lane->probe_asked &&
	    (!hold_is_prober(lane) || lane->wake_ms < 0))
		return -1;
	ready_ms = pace_at(lane, errand, now_ms);
	if (lane->row.state != LANE_READY && !lane->probe_asked &&
	    lane->wake_ms > ready_ms)
		ready_ms = lane->wake_ms;
	if (lingers(lane, now_ms) && lane->linger_ms > ready_ms)
		ready_ms = lane->linger_ms;
	return ready_ms;
}

void
lane_drop_parts(struct lane *lane)
{
	isolation_free(lane->isolation);
	lane->isolation = NULL;
	doubt_drop(lane);
}

struct lane *
lane_new(struct core *core, const struct lane_row *row)
{
	struct lane *lane;

	if ((lane = calloc(1, sizeof(*lane))) == NULL)
		return NULL;
	lane->core = core;
	lane->account = &core->nobody;
	lane->row = *row;
	lane->wake_ms = lane->failed_ms = -1;
	brake_clear(&lane->brake);
	lane_configure(lane);
	if (set_trips(lane)) {
		free(lane);
		return NULL;
	}
	return lane;
}

void
lane_free(struct lane *lane)
{
	size_t i;

	if (lane == NULL)
		return;
	for (i = 0; i < lane->trip_count; i++)
		trip_clear(&lane->trips[i]);
	free(lane->trips);
	lane_drop_parts(lane);
	sweep_clear(&lane->sweep);
	free(lane);
}
