#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "protocol/backoff.h"
#include "protocol/batch.h"

#include "core_state.h"
#include "doubt.h"
#include "hold.h"
#include "isolate.h"
#include "judge.h"
#include "lane.h"
#include "lone.h"
#include "probe.h"
#include "resign.h"

/* A learned cap is raised after so many full requests in a row were taken. */
#define CAP_RAISE_AFTER 64

/* ---- consequences ---- */

typedef void consequence(struct lane *lane, struct settlement *settlement,
    const struct judged *judged);

/* The rows were not judged: a part of an isolation comes again. */
static void
keep_part(struct lane *lane, enum errand errand)
{
	if (errand == ERRAND_PART && lane->isolation != NULL)
		isolation_return(lane->isolation);
}

static void
raise_cap(struct lane *lane, const struct batch *batch)
{
	int64_t limit = config_batch_bytes(lane->core->config);

	if (lane->row.byte_cap < 0)
		return;
	/* of large rows the last may leave half of the cap and more */
	if ((!batch->full &&
		(int64_t)batch->bytes * 4 < lane->row.byte_cap * 3) ||
	    ++lane->full_taken < CAP_RAISE_AFTER)
		return;
	lane->full_taken = 0;
	lane->row.byte_cap += lane->row.byte_cap / 4 + 1;
	if (lane->row.byte_cap >= limit)
		lane->row.byte_cap = -1;
	lane->changed = true;
}

static void
on_delivered(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	struct core *core = lane->core;

	(void)judged;
	settlement->fate = FATE_DELIVERED;
	account_accepted(lane->account, core_steady_ms(core),
	    settlement->attempt.rows, settlement->attempt.bytes);
	account_note_rows(lane->account, settlement->attempt.rows,
	    settlement->attempt.first_id, settlement->attempt.last_id);
	core->clock_corrected = false;
	lane->retried = false;
	lane->check_one = false;
	lane->on_trust = false;
	if (errand_drains(judged->errand))
		lane->one_by_one = false;
	doubt_end(lane);
	raise_cap(lane, settlement->batch);
	if (judged->errand == ERRAND_CANARY)
		settlement->clear_id = settlement->batch->rows[0].series_id;
	if (judged->errand == ERRAND_SCOUT) {
		lane->row.doomed_through = -1;
		lane->changed = true;
	}
	if (judged->errand == ERRAND_PROBE)
		hold_release(lane);
	else if (lane->row.state != LANE_HELD)
		lane_set_ready(lane);
}

static void
on_hold(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	(void)settlement;
	lane_drop_parts(lane);
	hold_set(lane, judged->what, judged->code, judged->reason);
}

/* Whether a failure is another one in a row.  Requests that were out together
 * fail together: one trouble, and one wait. */
static bool
is_another(const struct lane *lane, const struct judged *judged)
{
	if (lane->row.state != LANE_WAITING)
		return lane->row.state == LANE_READY;
	return lane->row.failures == 0 || judged->sent_ms > lane->failed_ms;
}

/* What it waits at least, whatever the dice say. */
static int64_t
least_wait_ms(const struct lane *lane, const struct judged *judged)
{
	int64_t asked_ms = judged->reply->retry_after_ms;
	int64_t probe_ms = lane->core->config->retry.hold_probe_least_ms;

	/* a namespace just made is not known everywhere within a second */
	return judged->what->retry_first &&
		judged->what->scope == SCOPE_NAMESPACE && asked_ms < probe_ms
	    ? probe_ms
	    : asked_ms;
}

static void
wait_for_retry(struct lane *lane, const struct judged *judged)
{
	const struct config_retry *retry = &lane->core->config->retry;
	int64_t now_ms = core_steady_ms(lane->core);
	int64_t wait_ms = lane->wake_ms - now_ms;
	int64_t least_ms = least_wait_ms(lane, judged);
	bool another = is_another(lane, judged);

	if (judged->what->scope == SCOPE_ENDPOINT)
		account_failed(lane->account);
	if (another) {
		lane->failed_ms = now_ms;
		wait_ms = backoff_ms(retry->base_ms, retry->max_ms,
		    (unsigned)++lane->row.failures, core_random(lane->core));
	}
	if (wait_ms < least_ms)
		wait_ms = least_ms;
	else if (!another)
		return; /* the wait that the first one began is long enough */
	lane_set_waiting(lane, wait_ms, scope_name(judged->what->scope),
	    judged->code, judged->reason);
}

/* A part of an isolation comes again, unless its rows die of doubt. */
static void
on_retry(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (!judged->what->hold_after)
		lane->strange = 0;
	else if (is_another(lane, judged))
		lane->strange++;
	if (lane->strange >= lane->core->config->retry.hold_after) {
		on_hold(lane, settlement, judged);
		return;
	}
	if (settlement->fate == FATE_STAY)
		keep_part(lane, judged->errand);
	wait_for_retry(lane, judged);
}

static void
throttle_requests(struct lane *lane, const struct judged *judged)
{
	struct core *core = lane->core;
	const struct config_retry *retry = &core->config->retry;
	int64_t now_ms = core_steady_ms(core), wait_ms = 0;
	unsigned in_a_row;

	in_a_row = account_throttle_requests(
	    lane->account, now_ms, judged->sent_ms);
	/* The learned pace is wait enough, unless it goes on being refused. */
	if (in_a_row > 2)
		wait_ms = backoff_ms(retry->base_ms, retry->max_ms,
		    in_a_row - 1, core_random(core));
	if (judged->reply->retry_after_ms > wait_ms)
		wait_ms = judged->reply->retry_after_ms;
	account_pause(lane->account, now_ms, wait_ms);
}

/* Too fast is the account, whatever becomes of this request and its lane. */
static void
slow_account(struct lane *lane, const struct judged *judged)
{
	if (judged->what->verdict == VERDICT_THROTTLE_REQUESTS)
		throttle_requests(lane, judged);
	else if (judged->what->verdict == VERDICT_THROTTLE_ROWS)
		account_throttle_rows(
		    lane->account, core_steady_ms(lane->core), judged->sent_ms);
}

static void
on_throttle(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	int64_t now_ms = core_steady_ms(lane->core);

	if (settlement->fate == FATE_STAY)
		keep_part(lane, judged->errand);
	lane_set_waiting(lane, account_pause_ms(lane->account, now_ms),
	    scope_name(judged->what->scope), judged->code, judged->reason);
}

/* Requests that were out beside the one that is retried were not tried again,
 * either. */
static bool
is_first_try(const struct lane *lane, const struct judged *judged)
{
	return judged->what->retry_first &&
	    (!lane->retried ||
		(lane->row.state == LANE_WAITING && !is_another(lane, judged)));
}

/* Begin to bisect the batch that was refused as a whole. */
static void
start_isolation(
    struct lane *lane, const struct batch *batch, enum isolate_by by)
{
	size_t *all, i;
	struct batch *copy = NULL;

	lane_drop_parts(lane);
	if ((all = calloc(batch->count, sizeof(*all))) != NULL) {
		for (i = 0; i < batch->count; i++)
			all[i] = i;
		copy = batch_pick(batch, all, batch->count);
		free(all);
	}
	if (copy == NULL || (lane->isolation = isolation_new(copy, by)) == NULL)
		return; /* no memory: the batch comes up again as a whole */
	if (!isolation_split(lane->isolation))
		lane_drop_parts(lane);
}

static void
on_isolate(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	const struct batch *batch = settlement->batch;
	enum isolate_by by = judged->what->scope == SCOPE_SERIES
	    ? ISOLATE_SERIES
	    : ISOLATE_ROWS;

	if (is_first_try(lane, judged) && judged->errand != ERRAND_PART) {
		lane->retried = true;
		on_retry(lane, settlement, judged);
		return;
	}
	if (isolate_count(batch, by) == 1) {
		lone_apply(lane, settlement, judged);
		return;
	}
	lane->one_by_one = true;
	if ((judged->errand == ERRAND_PART) != (lane->isolation != NULL))
		return; /* one at a time, or given up: these rows come up again */
	if (judged->errand != ERRAND_PART ||
	    isolation_units(lane->isolation) < 2)
		start_isolation(lane, batch, by);
	else
		(void)isolation_split(lane->isolation);
}

static void
on_check_one(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (is_first_try(lane, judged)) {
		lane->retried = true;
		on_retry(lane, settlement, judged);
		return;
	}
	if (settlement->batch->count == 1) {
		lone_apply(lane, settlement, judged);
		return;
	}
	lane_drop_parts(lane);
	lane->check_one = true;
}

/* Too large: remember half of it; what comes next is packed under that. */
static void
on_split(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (settlement->batch->count == 1) {
		lone_apply(lane, settlement, judged);
		return;
	}
	lane_drop_parts(lane);
	lane->full_taken = 0;
	lane->row.byte_cap = settlement->attempt.bytes / 2;
	lane->changed = true;
}

static void
on_resign(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (resign_by_reply(lane->core, judged))
		keep_part(lane, judged->errand);
	else
		on_hold(lane, settlement, judged);
}

static consequence *const CONSEQUENCES[] = {
	[VERDICT_DELIVERED] = on_delivered,
	[VERDICT_RETRY] = on_retry,
	[VERDICT_THROTTLE_REQUESTS] = on_throttle,
	[VERDICT_THROTTLE_ROWS] = on_throttle,
	[VERDICT_HOLD] = on_hold,
	[VERDICT_SPLIT] = on_split,
	[VERDICT_ISOLATE] = on_isolate,
	[VERDICT_CHECK_ONE] = on_check_one,
	[VERDICT_DEAD_LETTER] = lone_apply,
	[VERDICT_RESIGN] = on_resign,
};

/* ---- the outcome is unknown ---- */

/* What the lane does about an answer that its rows die of. */
static void
apply_to_lane(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (judged->errand == ERRAND_PROBE)
		probe_failed(lane, settlement, judged);
	else if (judged->what->verdict == VERDICT_HOLD)
		on_hold(lane, settlement, judged);
	else if (judge_is_throttle(judged))
		on_throttle(lane, settlement, judged);
	else
		on_retry(lane, settlement, judged);
}

/* receiver.on_ambiguous = dead-letter: better lost, and known to be, than
 * perhaps twice.  What may not die is not sent again either. */
static void
bury_in_doubt(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	int64_t rows = settlement->attempt.rows;

	if (lane_deaths_left(lane) < rows) {
		lane_drop_parts(lane);
		lane_brake(lane, judged->code);
		return;
	}
	settlement->fate = FATE_DIE;
	settlement->cause = "ambiguous";
	settlement->scope = scope_name(SCOPE_NONE);
	settlement->alone = rows == 1;
	judge_give_evidence(judged, settlement);
	lane_count_deaths(lane, rows);
	apply_to_lane(lane, settlement, judged);
}

void
verdict_apply(struct trip *trip, const struct reply *reply)
{
	struct lane *lane = trip->lane;
	struct settlement *settlement;
	struct judged judged;

	judge_reply(trip, reply, &judged);
	slow_account(lane, &judged);
	if ((settlement = settlement_new(lane)) == NULL) {
		keep_part(lane, judged.errand);
		lane->taken -= (int64_t)trip->batch->count;
		lane->rewind = true;
		batch_free(trip->batch);
		trip->batch = NULL;
		return; /* the rows are pending, and go again */
	}
	judge_describe(trip, &judged, settlement);
	settlement->batch = trip->batch;
	settlement->contiguous = trip->contiguous;
	trip->batch = NULL;
	lane->unsettled++;
	judge_tell(lane->core, &judged);
	if (judged.what->verdict != VERDICT_DELIVERED ||
	    !errand_drains(judged.errand))
		lane->rewind = true;
	if (settlement->ambiguous &&
	    lane->core->config->receiver.ambiguous_dead_letter)
		bury_in_doubt(lane, settlement, &judged);
	else if (judged.errand == ERRAND_PROBE &&
	    judged.what->verdict != VERDICT_DELIVERED)
		probe_failed(lane, settlement, &judged);
	else
		CONSEQUENCES[judged.what->verdict](lane, settlement, &judged);
	settle_add(lane->core, settlement);
}
