#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol/answer.h"
#include "protocol/backoff.h"
#include "protocol/batch.h"
#include "protocol/disposition.h"

#include "core_state.h"
#include "hold.h"
#include "isolate.h"
#include "lane.h"

/* Corrections below this are not worth one. */
#define OFFSET_LEAST_MS 2000
/* A learned cap is raised after so many full requests in a row were taken. */
#define CAP_RAISE_AFTER 64

/* An answer, judged. */
struct judged {
	const struct reply *reply;
	struct answer answer;
	struct outcome outcome;
	const struct disposition *what;
	int code; /* -1: none */
	char reason[LANE_TEXT];
};

/* Why the rows are not delivered, in a few words. */
static void
give_reason(struct judged *judged)
{
	const struct reply *reply = judged->reply;
	const char *words;

	if (reply->transfer != 0)
		words = reply->error;
	else if (judged->answer.message[0] != '\0')
		words = judged->answer.message;
	else
		words = judged->what->text;
	if (reply->transfer != 0 || judged->code > 0)
		snprintf(judged->reason, sizeof(judged->reason), "%.*s",
		    LANE_TEXT - 1, words);
	else if (reply->http_status != 200)
		snprintf(judged->reason, sizeof(judged->reason),
		    "HTTP %d%s%.200s", reply->http_status,
		    reply->location[0] != '\0' ? " to " : "", reply->location);
	else
		snprintf(judged->reason, sizeof(judged->reason),
		    "not an answer of the API: %s", judged->answer.fault);
}

static void
judge(const struct core *core, const struct reply *reply, struct judged *judged)
{
	judged->reply = reply;
	answer_read(&judged->answer, reply->body, reply->len);
	judged->outcome = (struct outcome){ .transfer = reply->transfer,
		.request_size = reply->request_size,
		.http_status = reply->http_status,
		.retry_after_ms = reply->retry_after_ms,
		.date_ms = reply->date_ms,
		.answer = &judged->answer };
	judged->what = disposition_judge(core->dispositions, &judged->outcome);
	judged->code = judged->answer.well_formed && reply->transfer == 0
	    ? judged->answer.code
	    : -1;
	give_reason(judged);
}

/* ---- what is written down of every request ---- */

static void
describe(const struct lane *lane, const struct judged *judged,
    struct settlement *settlement)
{
	const struct batch *batch = lane->batch;
	struct attempt_row *attempt = &settlement->attempt;

	attempt->lane_id = lane->row.id;
	attempt->first_id = batch->rows[0].id;
	attempt->last_id = batch->rows[batch->count - 1].id;
	attempt->rows = (int64_t)batch->count;
	attempt->bytes = (int64_t)lane->request.bytes;
	attempt->started_at = lane->started_at;
	attempt->took_ms = judged->reply->took_ms;
	attempt->http_status = judged->reply->http_status;
	attempt->code = judged->code;
	attempt->counted = disposition_counts(&judged->outcome);
	snprintf(settlement->message, sizeof(settlement->message), "%s",
	    judged->code >= 0 ? judged->answer.message : judged->reason);
	snprintf(settlement->outcome, sizeof(settlement->outcome), "%s",
	    judged->reply->transfer != 0 ? judged->what->name
					 : verdict_name(judged->what->verdict));
	settlement->ambiguous = attempt->counted &&
	    judged->what->verdict != VERDICT_DELIVERED &&
	    disposition_stored(judged->what, &judged->outcome) == STORED_MAYBE;
}

/* The request and its answer, on one line. */
static void
give_evidence(const struct judged *judged, struct settlement *settlement)
{
	const struct reply *reply = judged->reply;
	struct text body = { 0 };
	size_t len = reply->len < 256 ? reply->len : 256;

	text_add_escaped(&body, reply->body, len);
	snprintf(settlement->evidence, sizeof(settlement->evidence),
	    "%lld rows, %lld bytes; HTTP %d: %s",
	    (long long)settlement->attempt.rows,
	    (long long)settlement->attempt.bytes, reply->http_status,
	    text_string(&body));
	text_free(&body);
}

/* Whether the answer says something about rows, and nothing about the way. */
static bool
blames_rows(const struct disposition *what)
{
	return what->scope == SCOPE_ROW || what->scope == SCOPE_SERIES ||
	    what->scope == SCOPE_NAMESPACE || what->scope == SCOPE_SIZE;
}

static void
tell(struct core *core, const struct judged *judged)
{
	struct status_forwarder *told = &core->settle.told;

	if (blames_rows(judged->what))
		return;
	core->settle.told_changed = true;
	if (judged->what->verdict == VERDICT_DELIVERED) {
		told->last_success_at = core_wall_ms(core);
		told->failing_since = -1;
		told->tries = 0;
		told->last_error[0] = '\0';
		return;
	}
	if (told->failing_since < 0)
		told->failing_since = core_wall_ms(core);
	told->tries++;
	snprintf(
	    told->last_error, sizeof(told->last_error), "%s", judged->reason);
}

/* ---- consequences ---- */

typedef void consequence(struct lane *lane, struct settlement *settlement,
    const struct judged *judged);

/* The rows were not judged: a part of an isolation comes again. */
static void
keep_part(struct lane *lane)
{
	if (lane->errand == ERRAND_PART && lane->isolation != NULL)
		isolation_return(lane->isolation);
}

static void
raise_cap(struct lane *lane, const struct batch *batch)
{
	int64_t limit = config_batch_bytes(lane->core->config);

	if (lane->row.byte_cap < 0)
		return;
	if ((int64_t)batch->bytes * 4 < lane->row.byte_cap * 3 ||
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
	account_accepted(
	    lane->account, core_steady_ms(core), settlement->attempt.bytes);
	core->clock_corrected = false;
	lane->retried = false;
	lane->check_one = false;
	raise_cap(lane, settlement->batch);
	if (lane->errand == ERRAND_CANARY)
		settlement->clear_id = settlement->batch->rows[0].series_id;
	if (lane->errand == ERRAND_SCOUT) {
		lane->row.doomed_through = -1;
		lane->changed = true;
	}
	if (lane->errand == ERRAND_PROBE)
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

static void
wait_for_retry(struct lane *lane, const struct judged *judged)
{
	const struct config_retry *retry = &lane->core->config->retry;
	int64_t wait_ms;

	lane->row.failures++;
	wait_ms = backoff_ms(retry->base_ms, retry->max_ms,
	    (unsigned)lane->row.failures, core_random(lane->core));
	if (judged->reply->retry_after_ms > wait_ms)
		wait_ms = judged->reply->retry_after_ms;
	lane_set_waiting(lane, wait_ms, scope_name(judged->what->scope),
	    judged->code, judged->reason);
}

static void
on_retry(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (judged->what->hold_after &&
	    lane->row.failures + 1 >= lane->core->config->retry.hold_after) {
		on_hold(lane, settlement, judged);
		return;
	}
	keep_part(lane);
	wait_for_retry(lane, judged);
}

static void
on_throttle_requests(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	struct core *core = lane->core;
	const struct config_retry *retry = &core->config->retry;
	int64_t wait_ms;

	(void)settlement;
	wait_ms = backoff_ms(retry->base_ms, retry->max_ms,
	    lane->account->request_throttles + 1, core_random(core));
	if (judged->reply->retry_after_ms > wait_ms)
		wait_ms = judged->reply->retry_after_ms;
	account_throttle_requests(lane->account, core_steady_ms(core), wait_ms);
	keep_part(lane);
	lane_set_waiting(lane, wait_ms, scope_name(judged->what->scope),
	    judged->code, judged->reason);
}

static void
on_throttle_rows(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	int64_t wait_ms;

	(void)settlement;
	wait_ms = account_throttle_rows(
	    lane->account, core_steady_ms(lane->core));
	keep_part(lane);
	lane_set_waiting(lane, wait_ms, scope_name(judged->what->scope),
	    judged->code, judged->reason);
}

/* The guilty rows leave, with the reason. */
static void
die(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	const struct disposition *what = judged->what;
	struct account *account = lane->account;
	int64_t now_ms = core_steady_ms(lane->core);

	settlement->fate = FATE_DIE;
	settlement->alone = true;
	settlement->scope = scope_name(what->scope);
	settlement->cause = what->verdict == VERDICT_SPLIT ? "oversize"
	    : judged->code >= 0                            ? "code"
							   : "http";
	give_evidence(judged, settlement);
	if (account_has_contrast(account, now_ms))
		snprintf(settlement->contrast, sizeof(settlement->contrast),
		    "a request accepted %lld s before",
		    (long long)((now_ms - account->accepted_ms) / 1000));
	if (what->scope == SCOPE_SERIES)
		settlement->suspect_id = settlement->batch->rows[0].series_id;
	if (what->scope == SCOPE_NAMESPACE)
		settlement->doom_lane = true;
	lane->check_one = false;
	if (lane->row.state != LANE_HELD)
		lane_set_ready(lane);
}

/* A row, or a series, got this answer alone. */
static void
on_lone(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	bool contrast = account_has_contrast(
	    lane->account, core_steady_ms(lane->core));

	switch (judged->what->lone) {
	case LONE_DEAD:
		die(lane, settlement, judged);
		return;
	case LONE_CONTRAST:
		if (contrast) {
			die(lane, settlement, judged);
			return;
		}
		break;
	case LONE_HOLD:
	case LONE_SAME:
		break;
	}
	lane->check_one = false;
	on_hold(lane, settlement, judged);
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

	if (judged->what->retry_first && !lane->retried) {
		lane->retried = true;
		on_retry(lane, settlement, judged);
		return;
	}
	if (isolate_count(batch, by) == 1) {
		on_lone(lane, settlement, judged);
		return;
	}
	if (lane->errand != ERRAND_PART || isolation_units(lane->isolation) < 2)
		start_isolation(lane, batch, by);
	else
		(void)isolation_split(lane->isolation);
}

static void
on_check_one(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	if (settlement->batch->count == 1) {
		on_lone(lane, settlement, judged);
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
		on_lone(lane, settlement, judged);
		return;
	}
	lane_drop_parts(lane);
	lane->full_taken = 0;
	lane->row.byte_cap = settlement->attempt.bytes / 2;
	lane->changed = true;
}

/* Sign by the receiver's clock, once. */
static void
on_resign(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	struct core *core = lane->core;
	int64_t most_ms = core->config->receiver.clock_correction_ms, offset_ms;

	offset_ms = judged->reply->date_ms - core_wall_ms(core);
	if (core->clock_corrected || judged->reply->date_ms <= 0 ||
	    offset_ms > most_ms || offset_ms < -most_ms ||
	    (offset_ms < OFFSET_LEAST_MS && offset_ms > -OFFSET_LEAST_MS)) {
		on_hold(lane, settlement, judged);
		return;
	}
	log_event(LOG_WARN, "clock_corrected", "offset_ms=%lld",
	    (long long)offset_ms);
	core->clock_offset_ms = offset_ms;
	core->clock_corrected = true;
	keep_part(lane);
}

static consequence *const CONSEQUENCES[] = {
	[VERDICT_DELIVERED] = on_delivered,
	[VERDICT_RETRY] = on_retry,
	[VERDICT_THROTTLE_REQUESTS] = on_throttle_requests,
	[VERDICT_THROTTLE_ROWS] = on_throttle_rows,
	[VERDICT_HOLD] = on_hold,
	[VERDICT_SPLIT] = on_split,
	[VERDICT_ISOLATE] = on_isolate,
	[VERDICT_CHECK_ONE] = on_check_one,
	[VERDICT_DEAD_LETTER] = on_lone,
	[VERDICT_RESIGN] = on_resign,
};

/* Whether a probe's answer shows that the hold is over although the row was
 * not taken: the receiver knew the key and looked at the row. */
static bool
ends_hold(const struct lane *lane, const struct judged *judged)
{
	const char *scope = lane->row.scope;

	if (judged->what->lone != LONE_DEAD || judged->code < 0)
		return false;
	return strcmp(scope, scope_name(SCOPE_ACCOUNT)) == 0 ||
	    strcmp(scope, scope_name(SCOPE_ENDPOINT)) == 0 ||
	    strcmp(scope, scope_name(SCOPE_CLOCK)) == 0;
}

static void
apply_probe(struct lane *lane, struct settlement *settlement,
    const struct judged *judged)
{
	enum verdict verdict = judged->what->verdict;

	if (verdict == VERDICT_DELIVERED || ends_hold(lane, judged)) {
		if (verdict != VERDICT_DELIVERED)
			hold_release(lane);
		CONSEQUENCES[verdict](lane, settlement, judged);
		return;
	}
	if (verdict == VERDICT_RESIGN)
		on_resign(lane, settlement, judged);
	hold_postpone(lane, judged->what->slow_probe);
	snprintf(
	    lane->row.reason, sizeof(lane->row.reason), "%s", judged->reason);
	lane->row.code = judged->code;
}

void
verdict_apply(struct lane *lane, const struct reply *reply)
{
	struct settlement *settlement;
	struct judged judged;

	if ((settlement = settlement_new(lane)) == NULL) {
		keep_part(lane);
		batch_free(lane->batch);
		lane->batch = NULL;
		return; /* the rows are pending, and go again */
	}
	judge(lane->core, reply, &judged);
	describe(lane, &judged, settlement);
	settlement->batch = lane->batch;
	settlement->contiguous = lane->contiguous;
	lane->batch = NULL;
	lane->settling = true;
	tell(lane->core, &judged);
	if (lane->errand == ERRAND_PROBE)
		apply_probe(lane, settlement, &judged);
	else
		CONSEQUENCES[judged.what->verdict](lane, settlement, &judged);
	settle_add(lane->core, settlement);
}
