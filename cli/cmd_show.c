#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/attempt.h"
#include "queue/deadletter.h"
#include "queue/ledger.h"
#include "queue/series.h"
#include "queue/status.h"
#include "cli.h"
#include "help.h"
#include "jsonline.h"
#include "lines.h"
#include "selection.h"

/* A showing under way. */
struct showing {
	const struct cli *cli;
	struct db *db;
	struct fault *fault;
	bool dead_only; /* "dead show" */
	int64_t now_ms, last_id, shown;
	struct text text; /* of the row at hand */
};

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
	struct showing *showing = cookie;

	if (showing->cli->json)
		add_attempt_json(&showing->text, attempt);
	else
		add_attempt_text(&showing->text, attempt);
	return 0;
}

static int
add_attempts(struct showing *showing, int64_t lane_id, int64_t id)
{
	if (attempt_list(showing->db, lane_id, id, on_attempt, showing) != -1)
		return 0;
	*showing->fault = *db_fault(showing->db);
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

/* The row is printed when all of it is known. */
static int
on_pending(void *cookie, const struct pending_row *row)
{
	struct showing *showing = cookie;

	if (!showing->cli->json) {
		add_pending_text(&showing->text, row);
		return add_attempts(showing, row->lane_id, row->id);
	}
	lines_pending(&showing->text, row, "pending", showing->now_ms);
	jsonline_open(&showing->text, "attempt_list", '[');
	if (add_attempts(showing, row->lane_id, row->id))
		return -1;
	text_adds(&showing->text, "]}\n");
	return 0;
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
		add_line(text, "evidence", row->evidence);
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
	jsonline_close(text, '}');
}

/* A dead row knows its series, which knows the lane.  -1 on failure, 0 when it is gone. */
static int64_t
lane_of(struct showing *showing, int64_t series_id)
{
	struct series_row series;
	int loaded = series_load(showing->db, series_id, &series);

	if (loaded == -1)
		*showing->fault = *db_fault(showing->db);
	if (loaded != 1)
		return loaded;
	series_row_free(&series);
	return series.lane_id;
}

static int
on_dead(void *cookie, const struct deadletter_row *row)
{
	struct showing *showing = cookie;
	struct text *text = &showing->text;
	int64_t lane_id;

	if (!showing->cli->json)
		add_dead_text(text, row);
	else {
		lines_dead(text, row, "dead");
		add_evidence_json(text, row);
		jsonline_open(text, "attempt_list", '[');
	}
	if ((lane_id = lane_of(showing, row->series_id)) == -1 ||
	    add_attempts(showing, lane_id, row->id))
		return -1;
	/* No command of this version edits. */
	if (showing->cli->json)
		text_adds(text, "],\"edits\":[]}\n");
	return 0;
}

/* Show one: 1 shown, 0 there is none, -1 failed. */
static int
show(struct showing *showing, int64_t id)
{
	int found = 0;

	text_clear(&showing->text);
	if (!showing->dead_only)
		found = status_show(showing->db, id, on_pending, showing);
	if (found == 0)
		found = deadletter_show(showing->db, id, on_dead, showing);
	if (found == -1 && showing->fault->kind == FAULT_NONE)
		*showing->fault = *db_fault(showing->db);
	if (showing->fault->kind != FAULT_NONE)
		return -1;
	if (found == 1) {
		output_data(text_string(&showing->text), showing->text.len);
		showing->shown++;
	}
	return found;
}

/* Why there is no such row. */
static void
explain_missing(const struct showing *showing, int64_t id, struct fault *fault)
{
	if (id > showing->last_id) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " never was: the last id given is %" PRId64,
		    id, showing->last_id);
		fault_hint(fault, "monspool list shows what is pending");
	} else if (showing->dead_only) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " is not among the dead", id);
		fault_hint(fault, "monspool show %" PRId64, id);
	} else {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " has left the queue: delivered, expired, "
		    "dropped or purged",
		    id);
		fault_hint(fault, "monspool status counts them");
	}
}

/* Show a range; a bare id must be there, of a range one at least.  The first miss is
 * kept in ${missing}. */
static int
show_range(struct showing *showing, const struct selection_range *range,
    struct fault *missing)
{
	int64_t last = range->last, before = showing->shown, id;

	if (last > showing->last_id)
		last = showing->last_id;
	for (id = range->first; id <= last; id++)
		if (show(showing, id) == -1)
			return -1;
	if (showing->shown == before && missing->kind == FAULT_NONE)
		explain_missing(showing, range->first, missing);
	return 0;
}

static int
show_all(struct showing *showing, const struct selection *selection)
{
	struct ledger_row ledger;
	struct fault missing = { 0 };
	size_t i;

	if (ledger_read(showing->db, &ledger)) {
		*showing->fault = *db_fault(showing->db);
		return -1;
	}
	showing->last_id = ledger.last_id;
	for (i = 0; i < selection->count; i++)
		if (show_range(showing, &selection->ranges[i], &missing))
			return -1;
	if (missing.kind == FAULT_NONE)
		return 0;
	*showing->fault = missing;
	return -1;
}

static int
run(struct cli *cli, bool dead_only, const struct command *command)
{
	static struct config config;
	struct selection selection = { 0 };
	struct fault fault = { 0 };
	struct showing showing = { .cli = cli,
		.fault = &fault,
		.dead_only = dead_only,
		.now_ms = clock_wall_ms() };
	int result;

	if (cli->word_count == 0)
		return help_usage(cli, command);
	result = selection_read(
	    &selection, cli->words, cli->word_count, &fault);
	if (result == 0) {
		showing.db = cli_open(cli, DB_READER, &config, &fault);
		result = showing.db == NULL ? -1
					    : show_all(&showing, &selection);
		db_close(showing.db);
	}
	selection_free(&selection);
	text_free(&showing.text);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

static int
show_run(struct cli *cli)
{
	return run(cli, false, &COMMAND_SHOW);
}

static int
dead_show_run(struct cli *cli)
{
	return run(cli, true, &COMMAND_DEAD_SHOW);
}

const struct command COMMAND_SHOW = {
	.name = "show",
	.usage = "show ID...",
	.summary = "one pending or dead row with its attempts",
	.notes = "ID is a number (17), a range (104-120), or - for ids on "
		 "standard input.",
	.words_most = COMMAND_ANY_WORDS,
	.run = show_run,
};

const struct command COMMAND_DEAD_SHOW = {
	.name = "dead show",
	.usage = "dead show ID...",
	.summary = "a dead row, its attempts and the evidence",
	.notes = "ID is a number (17), a range (104-120), or - for ids on "
		 "standard input.",
	.words_most = COMMAND_ANY_WORDS,
	.run = dead_show_run,
};
