#include "show_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/attempt.h"
#include "queue/db.h"
#include "queue/edit.h"
#include "queue/former.h"
#include "cli.h"
#include "jsonline.h"
#include "lines.h"

static void
add_attempt_json(struct text *text, const struct attempt_row *attempt)
{
	jsonline_open(text, NULL, '{');
	jsonline_time(text, "at", attempt->started_at);
	jsonline_int(text, "rows", attempt->rows);
	jsonline_int(text, "bytes", attempt->bytes);
	jsonline_optional(text, "http_status", attempt->http_status, 0);
	jsonline_optional(text, "code", attempt->code, -1);
	jsonline_text(text, "message", attempt->message);
	jsonline_text(text, "outcome", attempt->outcome);
	jsonline_int(text, "took_ms", attempt->took_ms);
	jsonline_bool(text, "alone", attempt->rows == 1);
	jsonline_close(text, '}');
}

static void
add_attempt_text(struct text *text, const struct attempt_row *attempt)
{
	char at[SPAN_TEXT_SIZE], span[SPAN_TEXT_SIZE];

	text_addf(text,
	    "  attempt     %s   %" PRId64 " rows, %" PRId64 " bytes, %s: ",
	    span_print_time(at, attempt->started_at), attempt->rows,
	    attempt->bytes, span_print_ms(span, attempt->took_ms));
	if (attempt->http_status > 0)
		text_addf(text, "http %d, ", attempt->http_status);
	if (attempt->code >= 0)
		text_addf(text, "code %d, ", attempt->code);
	text_add_escaped(text, attempt->outcome, strlen(attempt->outcome));
	if (attempt->message[0] != '\0')
		text_adds(text, ": ");
	text_add_escaped(text, attempt->message, strlen(attempt->message));
	text_addc(text, '\n');
}

static int
on_attempt(void *cookie, const struct attempt_row *attempt)
{
	struct show *show = cookie;

	if (show->cli->json)
		add_attempt_json(show->text, attempt);
	else
		add_attempt_text(show->text, attempt);
	return 0;
}

static int
add_attempts(struct show *show, int64_t lane_id, int64_t id)
{
	if (attempt_list(show->db, lane_id, id, on_attempt, show) != -1)
		return 0;
	*show->fault = *db_fault(show->db);
	return -1;
}

/* A replayed row went under the ids that it had, too. */
static int
add_all_attempts(struct show *show, int64_t lane_id, int64_t id)
{
	struct former_row former = { 0 };
	int found;

	while ((found = former_list(show->db, id, former.id, &former, 1)) == 1)
		if (add_attempts(show, former.lane_id, former.id))
			return -1;
	if (found == 0)
		return add_attempts(show, lane_id, id);
	*show->fault = *db_fault(show->db);
	return -1;
}

/* "  value       30" */
static void
add_line(struct text *text, const char *name, const char *value)
{
	text_addf(text, "  %-11s ", name);
	text_add_escaped(text, value, strlen(value));
	text_addc(text, '\n');
}

/* The forwarder escaped the answer when it wrote this: once is enough. */
static void
add_evidence_line(struct text *text, const char *evidence)
{
	size_t len = strlen(evidence);

	if (text_utf8_bad(evidence, len) != -1 ||
	    text_control(evidence, len) != -1)
		add_line(text, "evidence", evidence);
	else
		text_addf(text, "  %-11s %s\n", "evidence", evidence);
}

static void
add_time_line(struct text *text, const char *name, int64_t at_ms)
{
	char at[SPAN_TEXT_SIZE];

	if (at_ms >= 0)
		add_line(text, name, span_print_time(at, at_ms));
}

static void
add_dimensions_line(struct text *text, const char *dimensions)
{
	text_adds(text, "  dimensions  ");
	lines_dimensions(text, dimensions);
	text_addc(text, '\n');
}

static void
add_lane_line(
    struct text *text, const char *ns, const char *region, const char *account)
{
	text_adds(text, "  lane        ");
	text_add_escaped(text, ns, strlen(ns));
	text_addc(text, '/');
	if (region[0] == '\0')
		region = "-"; /* as a lane is typed */
	text_add_escaped(text, region, strlen(region));
	text_addc(text, '/');
	text_add_escaped(text, account, strlen(account));
	text_addc(text, '\n');
}

static void
add_pending_text(struct text *text, const struct pending_row *row)
{
	text_addf(text, "%" PRId64 " pending (its lane is %s)\n", row->id,
	    lane_state_name(row->state));
	add_lane_line(text, row->ns, row->region, row->account);
	add_line(text, "metric", row->metric);
	add_dimensions_line(text, row->dimensions);
	add_line(text, "value", row->value);
	add_time_line(text, "accepted", row->accepted_at);
	add_time_line(text, "observed", row->observed_at);
	add_time_line(text, "expires", row->expires_at);
	add_line(text, "attempts", lines_int(row->attempts));
}

static void
add_dead_text(struct text *text, const struct deadletter_row *row)
{
	text_addf(text, "%" PRId64 " dead (%s", row->id,
	    lines_code(row->code, row->http_status));
	text_addf(text, ", cause %s, scope %s): ", lines_escaped(row->cause),
	    lines_escaped(row->scope));
	text_add_escaped(text, row->message, strlen(row->message));
	text_addc(text, '\n');
	add_lane_line(text, row->ns, row->region, row->account);
	add_line(text, "metric", row->metric);
	add_dimensions_line(text, row->dimensions);
	add_line(text, "value", row->value);
	add_time_line(text, "accepted", row->accepted_at);
	add_time_line(text, "died", row->died_at);
	add_line(text, "attempts", lines_int(row->attempts));
	add_line(text, "replays", lines_int(row->replays));
	add_line(text, "alone", row->alone ? "yes" : "no");
	if (row->contrast != NULL && row->contrast[0] != '\0')
		add_line(text, "contrast", row->contrast);
	if (row->evidence[0] != '\0')
		add_evidence_line(text, row->evidence);
}

static void
add_evidence_json(struct text *text, const struct deadletter_row *row)
{
	jsonline_open(text, "evidence", '{');
	jsonline_optional(text, "http_status",
	    row->http_status > 0 ? row->http_status : -1, -1);
	jsonline_bool(text, "alone", row->alone);
	jsonline_text(text, "contrast",
	    row->contrast != NULL && row->contrast[0] != '\0' ? row->contrast
							      : NULL);
	jsonline_text(
	    text, "text", row->evidence[0] != '\0' ? row->evidence : NULL);
	jsonline_close(text, '}');
}

static int
on_edit(void *cookie, const struct edit_row *edit)
{
	struct show *show = cookie;
	struct text *text = show->text;
	char at[SPAN_TEXT_SIZE];

	if (show->cli->json) {
		jsonline_open(text, NULL, '{');
		jsonline_time(text, "at", edit->edited_at);
		jsonline_text(text, "by", edit->edited_by);
		jsonline_int(text, "operation", edit->operation_id);
		jsonline_text(text, "namespace", edit->ns);
		jsonline_text(text, "region", edit->region);
		jsonline_text(text, "metric", edit->metric);
		jsonline_raw(text, "dimensions", edit->dimensions);
		jsonline_close(text, '}');
		return 0;
	}
	text_addf(text, "  edited      %s   by %s, operation %" PRId64 "; was ",
	    span_print_time(at, edit->edited_at),
	    lines_escaped(edit->edited_by), edit->operation_id);
	text_add_escaped(text, edit->ns, strlen(edit->ns));
	text_addc(text, '/');
	text_add_escaped(text, edit->metric, strlen(edit->metric));
	text_addc(text, ' ');
	lines_dimensions(text, edit->dimensions);
	text_addc(text, '\n');
	return 0;
}

/* The lane whose requests carried it: an edit may have given it another since
 * it died. */
static int
lane_of(struct show *show, const struct deadletter_row *row, int64_t *lane_id)
{
	*lane_id = row->lane_id;
	if (edit_lane_before(show->db, row->id, row->died_at, lane_id) != -1)
		return 0;
	*show->fault = *db_fault(show->db);
	return -1;
}

static int
add_edits(struct show *show, int64_t id)
{
	if (edit_list(show->db, id, on_edit, show) != -1)
		return 0;
	*show->fault = *db_fault(show->db);
	return -1;
}

int
show_pending(struct show *show, const struct pending_row *row)
{
	if (!show->cli->json) {
		add_pending_text(show->text, row);
		return add_all_attempts(show, row->lane_id, row->id) ||
			add_edits(show, row->id)
		    ? -1
		    : 0;
	}
	lines_pending(show->text, row, "pending", show->now_ms);
	jsonline_open(show->text, "attempt_list", '[');
	if (add_all_attempts(show, row->lane_id, row->id))
		return -1;
	jsonline_close(show->text, ']');
	jsonline_open(show->text, "edits", '[');
	if (add_edits(show, row->id))
		return -1;
	jsonline_close(show->text, ']');
	return 0;
}

int
show_dead(struct show *show, const struct deadletter_row *row)
{
	struct text *text = show->text;
	int64_t lane_id;

	if (lane_of(show, row, &lane_id))
		return -1;
	if (!show->cli->json) {
		add_dead_text(text, row);
		return add_all_attempts(show, lane_id, row->id) ||
			add_edits(show, row->id)
		    ? -1
		    : 0;
	}
	lines_dead(text, row, "dead");
	add_evidence_json(text, row);
	jsonline_open(text, "attempt_list", '[');
	if (add_all_attempts(show, lane_id, row->id))
		return -1;
	jsonline_close(text, ']');
	jsonline_open(text, "edits", '[');
	if (add_edits(show, row->id))
		return -1;
	jsonline_close(text, ']');
	return 0;
}
