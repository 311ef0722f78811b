#include "gather.h"

#include <string.h>

#include "base/config.h"
#include "protocol/batch.h"
#include "queue/bound.h"
#include "queue/db.h"
#include "queue/metric.h"

#include "bounds.h"
#include "core_state.h"
#include "key.h"

/* Rows looked at in one page when they leave without a request. */
#define PAGE_LEAST 1000

static int
meet(struct gather *gather, const struct metric_row *row, enum met met)
{
	if (gather->met == NULL &&
	    (gather->met = settlement_new(gather->lane)) == NULL)
		gather->failed = true;
	else if (settlement_meet(gather->met, row->id, row->series_id, met))
		gather->failed = true;
	return gather->failed;
}

static struct batch_row
new_row(const struct metric_row *row)
{
	return (struct batch_row){ .id = row->id,
		.series_id = row->series_id,
		.accepted_at = row->accepted_at,
		.attempts = row->attempts };
}

/* The page's request shall carry ${row} and nothing else. */
static int
start_alone(struct gather *gather, const struct batch_row *new,
    const struct metric_row *row)
{
	struct batch_limits limits = gather->batch->limits;
	struct batch *alone;

	limits.max_bytes = SIZE_MAX;
	limits.max_rows = 1;
	if ((alone = batch_new(&limits)) == NULL) {
		gather->failed = true;
		return 1;
	}
	batch_free(gather->batch);
	gather->batch = alone;
	gather->failed = batch_add(alone, new, row->wire, row->wire_len,
			     row->value, row->value_len) != BATCH_ADDED;
	return 1;
}

static int
add_row(struct gather *gather, const struct metric_row *row)
{
	struct batch_row new = new_row(row);

	switch (batch_add(gather->batch, &new, row->wire, row->wire_len,
	    row->value, row->value_len)) {
	case BATCH_ADDED:
		return 0;
	case BATCH_OVERSIZE: /* its size is the receiver's to judge */
		return gather->batch->count > 0 ||
		    start_alone(gather, &new, row);
	case BATCH_NO_MEMORY:
		gather->failed = true;
		return 1;
	case BATCH_FULL:
		break;
	}
	return 1;
}

/* The first row of a suspect series, and a replay's canary, go alone, before
 * any other. */
static int
add_canary(struct gather *gather, const struct metric_row *row)
{
	struct batch_row new = new_row(row);

	gather->errand = ERRAND_CANARY;
	return start_alone(gather, &new, row);
}

/* A row that dies without a request counts for the brake. */
static int
meet_death(struct gather *gather, const struct metric_row *row, enum met met)
{
	if (gather->deaths_left == 0) {
		gather->braked = true;
		return 1;
	}
	gather->deaths_left--;
	return meet(gather, row, met);
}

static bool
is_expired(const struct gather *gather, const struct metric_row *row)
{
	int64_t max_age_ms = gather->lane->max_age_ms;

	return (row->expires_at >= 0 && row->expires_at <= gather->wall_ms) ||
	    (max_age_ms > 0 && gather->wall_ms - row->accepted_at > max_age_ms);
}

/* Whether the row is doomed by one that was refused; under dead.soft none
 * is, it goes as a canary instead, and so does the one that an operator
 * probes a braked lane with. */
static bool
is_kin(const struct gather *gather, const struct metric_row *row,
    const struct suspect_row *suspect)
{
	const struct lane *lane = gather->lane;

	if (lane->core->config->dead.soft ||
	    (gather->errand == ERRAND_PROBE && gather->deaths_left == 0))
		return false;
	return row->id <= lane->row.doomed_through ||
	    (suspect != NULL && row->id <= suspect->doomed_through);
}

enum late {
	LATE_SEND, /* as any other row */
	LATE_MET,  /* it goes without a request */
	LATE_STOP  /* the page ends here */
};

/* What late.policy makes of a late row. */
static enum late
judge_late(struct gather *gather, const struct metric_row *row)
{
	struct lane *lane = gather->lane;

	if (lane->late_policy == CONFIG_LATE_DEAD_LETTER)
		return meet_death(gather, row, MET_LATE) ? LATE_STOP : LATE_MET;
	if (lane->late_policy == CONFIG_LATE_LATEST_ONLY &&
	    (lane->sweep.active || row->id > lane->sweep.swept_id) &&
	    lane->probe_after == 0) {
		/* A sweep begins with the lane's first row: those before this
		 * one, which are not late after a step of the clock, go now. */
		gather->sweep = gather->batch->count == 0;
		return LATE_STOP;
	}
	gather->late |= gather->batch->count == 0;
	return LATE_SEND;
}

/* While the head is late, late.rate bounds a request as well. */
static bool
is_full(const struct gather *gather)
{
	double rate = gather->lane->core->config->late.rate;
	size_t count = gather->batch->count;

	return count == gather->batch->limits.max_rows ||
	    (gather->late && rate > 0 && (double)count + 1 > rate);
}

/* The drain stops before what the fresh end sent. */
static bool
is_out_of_reach(const struct gather *gather, const struct metric_row *row)
{
	int64_t first_id = gather->lane->fresh.first_id;

	return !gather->fresh && first_id > 0 && row->id >= first_id;
}

static int
on_row(void *cookie, const struct metric_row *row)
{
	struct gather *gather = cookie;
	const struct lane *lane = gather->lane;
	const struct suspect_row *suspect;
	enum late late = LATE_SEND;

	if (is_out_of_reach(gather, row))
		return 1;
	if (row->wire == NULL)
		return meet_death(
		    gather, row, row->unfit ? MET_UNFIT : MET_DAMAGED);
	if (is_expired(gather, row))
		return meet(gather, row, MET_EXPIRED);
	suspect = suspects_find(&lane->core->suspects, row->series_id);
	if (is_kin(gather, row, suspect))
		return meet_death(gather, row, MET_KIN);
	/* A replay is asked for by somebody who knows how old its rows are. */
	if (!row->replayed &&
	    lane_row_is_late(lane, row->accepted_at, gather->wall_ms))
		late = judge_late(gather, row);
	if (late != LATE_SEND)
		return late == LATE_STOP;
	if ((suspect != NULL || row->alone) && errand_drains(gather->errand))
		return add_canary(gather, row);
	return add_row(gather, row) || is_full(gather);
}

static const char *
region_of(const struct lane *lane)
{
	return lane->row.region[0] != '\0' ? lane->row.region
					   : lane->account->credential->region;
}

void
gather_envelope(const struct lane *lane, struct envelope *envelope)
{
	const struct config_receiver *receiver = &lane->core->config->receiver;
	const struct credential *credential = lane->account->credential;

	*envelope = (struct envelope){ .get = receiver->get,
		.url = receiver->url,
		.sign_host = receiver->sign_host,
		.sign_path = receiver->sign_path,
		.secret_id = credential->secret_id,
		.key = credential->key,
		.key_len = credential->key_len,
		.region = region_of(lane),
		.ns = lane->row.ns };
}

static size_t
least(int64_t limit, int64_t cap)
{
	return (size_t)(cap > 0 && cap < limit ? cap : limit);
}

/* 0, or -1 (memory). */
static int
fill_limits(
    const struct lane *lane, enum errand errand, struct batch_limits *limits)
{
	const struct config *config = lane->core->config;
	struct envelope envelope;

	gather_envelope(lane, &envelope);
	limits->get = envelope.get;
	if ((limits->envelope = request_envelope(&envelope)) == 0)
		return -1;
	limits->max_bytes = least(
	    config_batch_bytes(config), lane->row.byte_cap);
	limits->max_rows = errand_drains(errand)
	    ? least(config->batch.max_rows, lane->row.row_cap)
	    : 1;
	limits->max_rows = least(
	    (int64_t)limits->max_rows, bounds_left(lane->core));
	return 0;
}

void
gather_note_trouble(struct lane *lane)
{
	const struct fault *fault = db_fault(lane->core->db);

	lane->unreadable = fault->kind == FAULT_CORRUPT;
	if (lane->unreadable)
		lane->core->settle.trouble = *fault;
}

int
gather_rows(struct gather *gather)
{
	struct lane *lane = gather->lane;
	int64_t after_id = gather->errand == ERRAND_PROBE ? lane->probe_after
	    : gather->fresh ? lane->fresh.from_id - 1
			    : lane->through_id;
	struct batch_limits limits;
	int page;

	gather->deaths_left = lane_deaths_left(lane);
	if (fill_limits(lane, gather->errand, &limits) ||
	    (gather->batch = batch_new(&limits)) == NULL)
		return -1;
	page = limits.max_rows > PAGE_LEAST ? (int)limits.max_rows : PAGE_LEAST;
	if (page > bound_deaths(lane->core->config))
		page = bound_deaths(lane->core->config);
	lane->unreadable = false;
	if (metric_page(lane->core->db, lane->row.id, after_id, page, on_row,
		gather) == -1) {
		gather_note_trouble(lane);
		return -1;
	}
	return gather->failed ? -1 : 0;
}
