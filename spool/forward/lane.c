#include "lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "protocol/batch.h"

#include "core_state.h"
#include "gather.h"
#include "hold.h"
#include "isolate.h"
#include "verdict.h"

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

	gather_envelope(lane, &envelope);
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
