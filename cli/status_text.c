#include "status_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "base/span.h"
#include "base/text.h"

/* Lanes in trouble that fit a screen. */
#define LANES_SHOWN 8

static void
add_queue(struct text *text, const struct status_view *view)
{
	char used[SPAN_TEXT_SIZE], most[SPAN_TEXT_SIZE], disk[SPAN_TEXT_SIZE];
	const struct status *status = &view->status;

	text_adds(text, "queue      ");
	text_add_escaped(text, view->path, strlen(view->path));
	text_addf(text, "   %s",
	    span_print_bytes(used, status->db_bytes + status->wal_bytes));
	if (view->config.queue.max_size > 0)
		text_addf(text, " of %s",
		    span_print_bytes(most, view->config.queue.max_size));
	if (status->disk_free >= 0)
		text_addf(text, "   disk %s free",
		    span_print_bytes(disk, status->disk_free));
	text_addc(text, '\n');
}

/* When the next waiting or held lane is tried again; -1: none is. */
static int64_t
next_wake_ms(const struct status_view *view)
{
	int64_t next = -1;
	size_t i;

	for (i = 0; i < view->lanes.count; i++) {
		if (view->lanes.rows[i].state == LANE_READY ||
		    view->lanes.rows[i].wake_at < 0)
			continue;
		if (next == -1 || view->lanes.rows[i].wake_at < next)
			next = view->lanes.rows[i].wake_at;
	}
	return next;
}

static void
add_failing(struct text *text, const struct status_view *view)
{
	const struct status_forwarder *forwarder = &view->status.forwarder;
	char at[SPAN_TEXT_SIZE], span[SPAN_TEXT_SIZE];
	int64_t wake_ms = next_wake_ms(view);

	text_adds(text, ", retrying: ");
	text_add_escaped(
	    text, forwarder->last_error, strlen(forwarder->last_error));
	if (forwarder->failing_since >= 0)
		text_addf(text, " (%" PRId64 " tries since %.8s)",
		    forwarder->tries,
		    span_print_time(at, forwarder->failing_since) + 11);
	if (wake_ms > view->now_ms)
		text_addf(text, ", next in %s",
		    span_print_ms(span, wake_ms - view->now_ms));
}

static void
add_forwarder(struct text *text, const struct status_view *view)
{
	const struct status_forwarder *forwarder = &view->status.forwarder;
	char span[SPAN_TEXT_SIZE];

	text_adds(text, "forwarder  ");
	if (!view->running)
		text_adds(text, "not running");
	else
		text_addf(text, "running (pid %ld)", (long)view->holder.pid);
	if (view->running && forwarder->failing_since >= 0)
		add_failing(text, view);
	else if (forwarder->last_success_at >= 0)
		text_addf(text, ", last delivery %s ago",
		    span_print_ms(span,
			1000 *
			    status_age_seconds(
				view, forwarder->last_success_at)));
	text_addc(text, '\n');
}

/* "pending    91,022", without the end of the line. */
static void
add_count(struct text *text, const char *what, int64_t count)
{
	char grouped[NUMBER_TEXT_SIZE];

	text_addf(text, "%-10s %s", what, number_print_grouped(grouped, count));
}

/* "68/s", "0.25/s"; nothing where it is not known. */
static void
add_rate(struct text *text, const char *what, int64_t hundredths)
{
	char grouped[NUMBER_TEXT_SIZE];

	if (hundredths >= 1000 || (hundredths >= 0 && hundredths % 100 == 0))
		text_addf(text, "   %s %s/s", what,
		    number_print_grouped(grouped, hundredths / 100));
	else if (hundredths >= 0)
		text_addf(text, "   %s %" PRId64 ".%02" PRId64 "/s", what,
		    hundredths / 100, hundredths % 100);
}

/* Bytes that a pending row takes, as far as the present ones tell. */
static int64_t
row_bytes(const struct status_view *view, int64_t used)
{
	int64_t pending = view->status.ledger.pending;

	return pending < 1000 || used / pending < 30 ? 100 : used / pending;
}

/* How long there is room if it goes on like this. */
static void
add_room(struct text *text, const struct status_view *view)
{
	const struct status *status = &view->status;
	int64_t used = status->db_bytes + status->wal_bytes;
	int64_t left = view->config.queue.max_size - used;
	int64_t grows = view->in_rate - view->out_rate;
	char span[SPAN_TEXT_SIZE];

	if (view->config.queue.max_size <= 0 ||
	    (status->disk_free >= 0 && status->disk_free < left))
		left = status->disk_free;
	if (view->in_rate < 0 || view->out_rate < 0 || grows <= 0 || left <= 0)
		return;
	left = left / row_bytes(view, used); /* rows */
	text_addf(text, "; room for about %s",
	    span_print_ms(span,
		left > INT64_MAX / 100000 ? INT64_MAX : left * 100000 / grows));
}

/* What late.policy makes of late rows. */
static const char *const LATE[] = {
	[CONFIG_LATE_SEND] =
	    "will be filed at the time they are sent (policy: send)",
	[CONFIG_LATE_LATEST_ONLY] =
	    "only the latest of each series will be sent (policy: latest-only)",
	[CONFIG_LATE_DEAD_LETTER] =
	    "will become dead letters (policy: dead-letter)",
};

static void
add_pending(struct text *text, const struct status_view *view)
{
	const struct status *status = &view->status;
	char span[SPAN_TEXT_SIZE];

	add_count(text, "pending", status->ledger.pending);
	if (status->ledger.pending > 0)
		text_addf(text, "   oldest %s",
		    span_print_ms(span,
			1000 *
			    status_age_seconds(
				view, status->oldest_accepted_at)));
	add_rate(text, "in", view->in_rate);
	add_rate(text, "out", view->out_rate);
	if (status->ledger.pending > 0) {
		text_adds(text, "   rows are safe on disk");
		add_room(text, view);
	}
	text_addc(text, '\n');
	add_count(text, "held", status->held);
	text_addc(text, '\n');
	add_count(text, "late", status->late);
	if (status->late > 0)
		text_addf(text, "   older than %s, %s",
		    span_print_ms(span, view->config.late.after_ms),
		    LATE[view->config.late.policy]);
	text_addc(text, '\n');
}

/* One line a lane that is not simply ready; with ${all}, each. */
static void
add_lanes(struct text *text, const struct status_view *view, const char *bold,
    const char *plain, bool all)
{
	const struct lane_row *lane;
	size_t i, hidden = 0, shown = 0;

	for (i = 0; i < view->lanes.count; i++) {
		lane = &view->lanes.rows[i];
		if (lane->state == LANE_READY && !all)
			continue;
		if (shown++ >= LANES_SHOWN && !all) {
			hidden++;
			continue;
		}
		text_addf(text, "lane       %s%s%s ", bold,
		    lane_state_name(lane->state), plain);
		lanes_add_name(text, lane);
		text_addf(text, ", %" PRId64 " pending", lane->pending);
		if (lane->reason[0] != '\0') {
			text_adds(text, ": ");
			text_add_escaped(
			    text, lane->reason, strlen(lane->reason));
		}
		text_addc(text, '\n');
	}
	if (hidden > 0)
		text_addf(text,
		    "lane       and %zu more   ->  monspool status"
		    " --lanes\n",
		    hidden);
}

static void
add_codes(struct text *text, const struct status_view *view)
{
	char rows[NUMBER_TEXT_SIZE];
	int i;

	text_addc(text, ' ');
	for (i = 0; i < view->code_count; i++) {
		number_print_grouped(rows, view->codes[i].rows);
		if (view->codes[i].code < 0)
			text_addf(text, "  no code: %s", rows);
		else
			text_addf(text, "  %" PRId64 ": %s",
			    view->codes[i].code, rows);
	}
}

static void
add_operations(struct text *text, const struct status_view *view)
{
	const struct operation_row *row;
	int i;

	for (i = 0; i < view->operation_count; i++) {
		row = &view->operations[i];
		text_addf(text,
		    "operation  %" PRId64 " %s %s, %" PRId64 " of %" PRId64
		    " rows\n",
		    row->id, operation_kind_name(row->kind),
		    operation_state_name(row->state),
		    row->kind == OPERATION_REPLAY ? row->replayed : row->done,
		    row->matched);
	}
}

/* Pending rows by age, those ages that have any. */
static void
add_ages(struct text *text, const struct status_view *view)
{
	char from[SPAN_TEXT_SIZE], to[SPAN_TEXT_SIZE];
	int i;

	for (i = 0; i < STATUS_AGES; i++) {
		if (view->ages[i] == 0)
			continue;
		add_count(text, "age", view->ages[i]);
		span_print_ms(from, status_age_ms(i));
		if (i + 1 == STATUS_AGES)
			text_addf(text, "   %s and more\n", from);
		else
			text_addf(text, "   %s to %s\n", i == 0 ? "0" : from,
			    span_print_ms(to, status_age_ms(i + 1)));
	}
}

void
status_text(
    struct text *text, const struct status_view *view, bool colored, bool lanes)
{
	const struct ledger_row *ledger = &view->status.ledger;
	const char *red = colored ? "\033[31m" : "";
	const char *plain = colored ? "\033[0m" : "";
	char delivered[NUMBER_TEXT_SIZE], accepted[NUMBER_TEXT_SIZE];

	add_queue(text, view);
	add_forwarder(text, view);
	add_pending(text, view);
	if (ledger->dead > 0)
		text_adds(text, red);
	add_count(text, "dead", ledger->dead);
	if (ledger->dead > 0) {
		add_codes(text, view);
		text_addf(text, "%s   ->  monspool dead", plain);
	}
	text_addf(text, "\ndelivered  %s of %s accepted\n",
	    number_print_grouped(delivered, ledger->delivered),
	    number_print_grouped(accepted, ledger->accepted));
	if (view->want_ages)
		add_ages(text, view);
	add_operations(text, view);
	add_lanes(text, view, red, plain, lanes);
	if (view->status.missing_last > 0)
		text_addf(text,
		    "%smissing    ids %" PRId64 "..%" PRId64
		    "%s were acknowledged and are not in the file  ->  "
		    "monspool audit\n",
		    red, view->status.missing_first, view->status.missing_last,
		    plain);
	if (view->status.gap_ids > 0)
		text_addf(text,
		    "%smissing    %" PRId64 " ids%s that were "
		    "acknowledged are not in the file\n",
		    red, view->status.gap_ids, plain);
}
