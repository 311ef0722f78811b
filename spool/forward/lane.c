#include "lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "protocol/batch.h"
#include "queue/db.h"
#include "queue/metric.h"

#include "core_state.h"
#include "hold.h"
#include "isolate.h"
#include "key.h"
#include "verdict.h"

/* Rows looked at in one page when they leave without a request. */
#define PAGE_LEAST 1000

const char *
lane_name(const struct lane *lane, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s/%s", lane->row.ns,
	    lane->row.region[0] != '\0' ? lane->row.region : "-",
	    lane->row.account);
	return buf;
}

/* ---- states ---- */

static void
enter(struct lane *lane, enum lane_state state)
{
	if (lane->row.state != state)
		lane->row.since_at = core_wall_ms(lane->core);
	lane->row.state = state;
	lane->changed = true;
}

static void
set_reason(struct lane *lane, const char *scope, int code, const char *reason)
{
	snprintf(lane->row.scope, sizeof(lane->row.scope), "%s", scope);
	snprintf(lane->row.reason, sizeof(lane->row.reason), "%s", reason);
	lane->row.code = code;
}

static void
set_wake(struct lane *lane, int64_t wait_ms)
{
	lane->wake_ms = core_steady_ms(lane->core) + wait_ms;
	lane->row.wake_at = core_wall_ms(lane->core) + wait_ms;
}

void
lane_set_ready(struct lane *lane)
{
	char name[800];

	if (lane->row.state == LANE_READY && lane->row.failures == 0 &&
	    lane->row.reason[0] == '\0')
		return;
	if (lane->row.state == LANE_HELD || lane->row.failures > 0)
		log_event(LOG_INFO, "lane_ready", "lane=%s",
		    lane_name(lane, name, sizeof(name)));
	enter(lane, LANE_READY);
	set_reason(lane, "", -1, "");
	lane->row.held_by[0] = '\0';
	lane->row.failures = 0;
	lane->row.wake_at = lane->wake_ms = -1;
}

void
lane_set_waiting(struct lane *lane, int64_t wait_ms, const char *scope,
    int code, const char *reason)
{
	char name[800], text[300];

	if (lane->row.state == LANE_HELD)
		return;
	if (lane->row.code != code || strcmp(lane->row.reason, reason) != 0)
		log_event(LOG_WARN, "lane_waiting",
		    "lane=%s scope=%s code=%d reason=%s",
		    lane_name(lane, name, sizeof(name)), scope, code,
		    log_text(text, sizeof(text), reason));
	enter(lane, LANE_WAITING);
	set_reason(lane, scope, code, reason);
	set_wake(lane, wait_ms);
}

void
lane_set_held(struct lane *lane, const char *scope, int code,
    const char *reason, int64_t probe_in_ms)
{
	char name[800], text[300];

	log_event(LOG_ERROR, "lane_held", "lane=%s scope=%s code=%d reason=%s",
	    lane_name(lane, name, sizeof(name)), scope, code,
	    log_text(text, sizeof(text), reason));
	enter(lane, LANE_HELD);
	set_reason(lane, scope, code, reason);
	snprintf(lane->row.held_by, sizeof(lane->row.held_by), "forwarder");
	lane->row.failures = 0;
	set_wake(lane, probe_in_ms);
}

/* ---- which rows go next ---- */

/* What a page comes to: rows for one request, and rows that go without. */
struct gather {
	struct lane *lane;
	struct batch *batch;
	struct settlement *met;
	enum errand errand;
	int64_t wall_ms;
	bool failed;
};

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
		return gather->batch->count == gather->batch->limits.max_rows;
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

/* The first row of a suspect series goes alone, before any other. */
static int
add_canary(struct gather *gather, const struct metric_row *row)
{
	struct batch_row new = new_row(row);

	gather->errand = ERRAND_CANARY;
	return start_alone(gather, &new, row);
}

static int
on_row(void *cookie, const struct metric_row *row)
{
	struct gather *gather = cookie;
	const struct lane *lane = gather->lane;
	const struct suspect_row *suspect;

	if (row->wire == NULL)
		return meet(gather, row, MET_DAMAGED);
	if (row->expires_at >= 0 && row->expires_at <= gather->wall_ms)
		return meet(gather, row, MET_EXPIRED);
	if (row->id <= lane->row.doomed_through)
		return meet(gather, row, MET_KIN);
	suspect = suspects_find(&lane->core->suspects, row->series_id);
	if (suspect != NULL && row->id <= suspect->doomed_through)
		return meet(gather, row, MET_KIN);
	if (suspect != NULL && gather->errand == ERRAND_DRAIN)
		return add_canary(gather, row);
	return add_row(gather, row);
}

static const char *
region_of(const struct lane *lane)
{
	return lane->row.region[0] != '\0' ? lane->row.region
					   : lane->account->credential->region;
}

static void
fill_envelope(const struct lane *lane, struct envelope *envelope)
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

static void
fill_limits(
    const struct lane *lane, enum errand errand, struct batch_limits *limits)
{
	const struct config *config = lane->core->config;
	struct envelope envelope;

	fill_envelope(lane, &envelope);
	limits->get = envelope.get;
	limits->envelope = request_envelope(&envelope);
	limits->max_bytes = least(
	    config_batch_bytes(config), lane->row.byte_cap);
	limits->max_rows = errand == ERRAND_DRAIN
	    ? least(config->batch.max_rows, lane->row.row_cap)
	    : 1;
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
	return ERRAND_DRAIN;
}

/* Read the head of the lane.  0, or -1 when the queue or memory failed. */
static int
gather_rows(struct gather *gather)
{
	struct lane *lane = gather->lane;
	struct batch_limits limits;
	int page;

	fill_limits(lane, gather->errand, &limits);
	if ((gather->batch = batch_new(&limits)) == NULL)
		return -1;
	page = limits.max_rows > PAGE_LEAST ? (int)limits.max_rows : PAGE_LEAST;
	if (metric_page(
		lane->core->db, lane->row.id, 0, page, on_row, gather) == -1 ||
	    gather->failed)
		return -1;
	return 0;
}

/* ---- requests ---- */

static void
on_reply(void *owner, const struct reply *reply)
{
	struct lane *lane = owner;

	lane->flight = NULL;
	lane->core->stats.in_flight--;
	verdict_apply(lane, reply);
}

static uint32_t
fresh_nonce(struct core *core)
{
	uint32_t nonce;

	do
		nonce = (uint32_t)(core_random(core) % 2147483647U) + 1;
	while (nonce == core->last_nonce);
	return core->last_nonce = nonce;
}

/* Send ${batch}, which is taken. */
static int
send_batch(struct lane *lane, struct batch *batch, enum errand errand)
{
	struct core *core = lane->core;
	struct envelope envelope;
	int64_t signed_at;

	fill_envelope(lane, &envelope);
	signed_at = (core_wall_ms(core) + core->clock_offset_ms) / 1000;
	lane->batch = batch;
	lane->errand = errand;
	lane->started_at = core_wall_ms(core);
	lane->sent_ms = core_steady_ms(core);
	if (request_build(
		&lane->request, &envelope, batch, signed_at, fresh_nonce(core)))
		return -1;
	lane->flight = core->world->post(
	    core->world->cookie, &lane->request, on_reply, lane);
	if (lane->flight == NULL)
		return -1;
	account_spend(lane->account, lane->sent_ms);
	core->stats.requests++;
	core->stats.in_flight++;
	return 0;
}

/* Nothing could be started (memory, or the queue cannot be read). */
static void
give_up_for_now(struct lane *lane, const char *why)
{
	if (lane->errand == ERRAND_PART && lane->batch != NULL)
		isolation_return(lane->isolation);
	batch_free(lane->batch);
	lane->batch = NULL;
	lane->row.failures++;
	lane_set_waiting(
	    lane, lane->core->config->retry.base_ms, "row", -1, why);
}

static void
start_part(struct lane *lane)
{
	struct batch *batch;
	bool failed;

	batch = isolation_take(lane->isolation, &failed);
	lane->contiguous = false;
	lane->errand = ERRAND_PART;
	if (batch == NULL || send_batch(lane, batch, ERRAND_PART))
		give_up_for_now(lane, "out of memory");
}

static void
start_gathered(struct lane *lane, struct gather *gather)
{
	lane->contiguous = gather->batch->count == 1 ||
	    gather->errand == ERRAND_DRAIN;
	if (gather->met != NULL) {
		lane->settling = true;
		settle_add(lane->core, gather->met);
		batch_free(gather->batch);
	} else if (gather->batch->count == 0) {
		/* Somebody else took the rows; the next look will tell. */
		lane->row.pending = 0;
		batch_free(gather->batch);
	} else if (send_batch(lane, gather->batch, gather->errand))
		give_up_for_now(lane, "out of memory");
}

static void
start_request(struct lane *lane)
{
	struct gather gather = { .lane = lane,
		.errand = next_errand(lane),
		.wall_ms = core_wall_ms(lane->core) };

	if (gather.errand == ERRAND_DRAIN && lane->isolation != NULL) {
		start_part(lane);
		return;
	}
	if (gather_rows(&gather) == 0) {
		start_gathered(lane, &gather);
		return;
	}
	settlement_free(gather.met);
	batch_free(gather.batch);
	give_up_for_now(lane, "the queue cannot be read");
}

/* Whether the lane's state lets it send now. */
static bool
may_send(struct lane *lane, int64_t now_ms)
{
	if (lane->row.state == LANE_WAITING && lane->wake_ms > now_ms)
		return false;
	if (lane->row.state == LANE_WAITING) {
		enter(lane, LANE_READY);
		lane->row.wake_at = lane->wake_ms = -1;
	}
	if (lane->row.state == LANE_HELD && !hold_may_probe(lane, now_ms))
		return false;
	return account_ready_at(lane->account, now_ms) <= now_ms;
}

void
lane_pump(struct lane *lane)
{
	const struct core *core = lane->core;

	if (lane->flight != NULL || lane->settling || core->stopping ||
	    core->settle.blocked)
		return;
	if (lane->row.pending <= 0 || lane->account == NULL)
		return;
	if (may_send(lane, core_steady_ms(core)))
		start_request(lane);
}

void
lane_settled(struct lane *lane, int64_t gone)
{
	lane->settling = false;
	lane->row.pending -= gone;
	if (lane->isolation != NULL && isolation_empty(lane->isolation))
		lane_drop_parts(lane);
	lane->core->look |= lane->row.pending <= 0;
}

int64_t
lane_next_ms(struct lane *lane)
{
	int64_t now_ms = core_steady_ms(lane->core), ready_ms;

	if (lane->flight != NULL || lane->settling || lane->row.pending <= 0 ||
	    lane->account == NULL)
		return -1;
	if (lane->row.state == LANE_HELD &&
	    (!hold_is_prober(lane) || lane->wake_ms < 0))
		return -1;
	ready_ms = account_ready_at(lane->account, now_ms);
	if (lane->row.state != LANE_READY && lane->wake_ms > ready_ms)
		ready_ms = lane->wake_ms;
	return ready_ms;
}

void
lane_drop_parts(struct lane *lane)
{
	isolation_free(lane->isolation);
	lane->isolation = NULL;
}

struct lane *
lane_new(struct core *core, const struct lane_row *row)
{
	struct lane *lane;

	if ((lane = calloc(1, sizeof(*lane))) == NULL)
		return NULL;
	lane->core = core;
	lane->row = *row;
	lane->wake_ms = -1;
	return lane;
}

void
lane_free(struct lane *lane)
{
	if (lane == NULL)
		return;
	if (lane->flight != NULL)
		lane->core->world->cancel(
		    lane->core->world->cookie, lane->flight);
	batch_free(lane->batch);
	isolation_free(lane->isolation);
	request_clear(&lane->request);
	free(lane);
}
