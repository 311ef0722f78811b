#include "judge.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "protocol/batch.h"

#include "core_state.h"

/* Of an answer's body, escaped; with what stands before it, it fits. */
#define EVIDENCE_BODY 440

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

void
judge_reply(
    const struct trip *trip, const struct reply *reply, struct judged *judged)
{
	judged->reply = reply;
	judged->errand = trip->errand;
	judged->clock_offset_ms = trip->clock_offset_ms;
	judged->sent_ms = trip->sent_ms;
	answer_read(&judged->answer, reply->body, reply->len);
	judged->outcome = (struct outcome){ .transfer = reply->transfer,
		.request_size = reply->request_size,
		.http_status = reply->http_status,
		.retry_after_ms = reply->retry_after_ms,
		.date_ms = reply->date_ms,
		.answer = &judged->answer };
	judged->what = disposition_judge(
	    trip->lane->core->dispositions, &judged->outcome);
	judged->code = judged->answer.well_formed && reply->transfer == 0
	    ? judged->answer.code
	    : -1;
	give_reason(judged);
}

bool
judge_is_throttle(const struct judged *judged)
{
	return judged->what->verdict == VERDICT_THROTTLE_REQUESTS ||
	    judged->what->verdict == VERDICT_THROTTLE_ROWS;
}

/* ---- what is written down of every request ---- */

void
judge_describe(const struct trip *trip, const struct judged *judged,
    struct settlement *settlement)
{
	const struct batch *batch = trip->batch;
	struct attempt_row *attempt = &settlement->attempt;

	attempt->lane_id = trip->lane->row.id;
	attempt->first_id = batch->rows[0].id;
	attempt->last_id = batch->rows[batch->count - 1].id;
	attempt->rows = (int64_t)batch->count;
	attempt->bytes = (int64_t)trip->request.bytes;
	attempt->started_at = trip->started_at;
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

void
judge_give_evidence(const struct judged *judged, struct settlement *settlement)
{
	const struct reply *reply = judged->reply;
	size_t len = reply->len < 256 ? reply->len : 256;
	char *text = settlement->evidence, body[EVIDENCE_BODY];
	size_t size = sizeof(settlement->evidence), at;

	at = (size_t)snprintf(text, size, "%lld rows, %lld bytes; ",
	    (long long)settlement->attempt.rows,
	    (long long)settlement->attempt.bytes);
	if (reply->http_status == 0) {
		text_shown(
		    body, sizeof(body), judged->reason, strlen(judged->reason));
		snprintf(text + at, size - at, "no answer: %s", body);
		return;
	}
	text_shown(body, sizeof(body), reply->body, len);
	snprintf(text + at, size - at, "HTTP %d: %s", reply->http_status, body);
}

/* Whether the answer says something about rows, and nothing about the way. */
static bool
blames_rows(const struct disposition *what)
{
	return what->scope == SCOPE_ROW || what->scope == SCOPE_SERIES ||
	    what->scope == SCOPE_NAMESPACE || what->scope == SCOPE_SIZE;
}

void
judge_tell(struct core *core, const struct judged *judged)
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
	if (told->failing_since < 0) {
		told->failing_since = core_wall_ms(core);
		core->settle.told_ms = -1; /* at once: this is news */
	}
	told->tries++;
	snprintf(
	    told->last_error, sizeof(told->last_error), "%s", judged->reason);
}
