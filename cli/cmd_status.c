#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/lock.h"
#include "queue/schema.h"
#include "queue/status.h"
#include "cli.h"
#include "jsonline.h"
#include "lanes.h"

/* Everything status tells, gathered before a word is printed. */
struct view {
	const char *path;
	struct config config; /* the queue's copy */
	struct status status;
	int schema;
	bool running;
	struct lock_holder holder;
	struct lanes lanes;
	int64_t now_ms;
};

static int
gather(const struct cli *cli, struct view *view, struct fault *fault)
{
	struct db *db;
	int64_t late_ms;
	int result = -1;

	if (cli_queue_path(cli, &view->path, fault))
		return -1;
	if ((db = cli_open(cli, DB_READER, &view->config, fault)) == NULL)
		return -1;
	view->now_ms = clock_wall_ms();
	view->schema = schema_version(db);
	late_ms = view->config.late.after_ms;
	if (status_read(
		db, late_ms > 0 ? view->now_ms - late_ms : -1, &view->status))
		*fault = *db_fault(db);
	else
		result = lanes_read(&view->lanes, db, fault);
	view->running = lock_held(db_place(db)->lock, &view->holder);
	db_close(db);
	return result;
}

/* Seconds since ${at}, 0 when nothing pends. */
static int64_t
age_seconds(const struct view *view, int64_t at)
{
	if (at < 0 || at > view->now_ms)
		return 0;
	return (view->now_ms - at) / 1000;
}

static const char *
or_null(const char *string)
{
	return string[0] != '\0' ? string : NULL;
}

static void
add_forwarder_json(struct text *text, const struct view *view)
{
	const struct status_forwarder *forwarder = &view->status.forwarder;

	jsonline_open(text, "forwarder", '{');
	jsonline_bool(text, "running", view->running);
	jsonline_optional(
	    text, "pid", view->running ? (int64_t)view->holder.pid : -1, -1);
	jsonline_time(text, "last_success_at", forwarder->last_success_at);
	jsonline_time(
	    text, "since", view->running ? view->holder.since_ms : -1);
	jsonline_text(text, "endpoint", or_null(forwarder->endpoint));
	jsonline_text(text, "last_error", or_null(forwarder->last_error));
	jsonline_close(text, '}');
}

static void
add_json(struct text *text, const struct view *view)
{
	const struct status *status = &view->status;
	const struct ledger_row *ledger = &status->ledger;
	size_t i;

	jsonline_open(text, NULL, '{');
	jsonline_text(text, "queue", view->path);
	jsonline_int(text, "schema", view->schema);
	jsonline_int(text, "accepted", ledger->accepted);
	jsonline_int(text, "pending", ledger->pending);
	jsonline_int(text, "held", status->held);
	jsonline_int(text, "delivered", ledger->delivered);
	jsonline_int(text, "dead", ledger->dead);
	jsonline_int(text, "expired", ledger->expired);
	jsonline_int(text, "dropped", ledger->dropped);
	jsonline_int(text, "purged", ledger->purged);
	jsonline_int(text, "replayed", ledger->replayed);
	jsonline_int(text, "late", status->late);
	jsonline_int(text, "last_id", ledger->last_id);
	jsonline_int(text, "ambiguous", ledger->ambiguous);
	jsonline_int(text, "oldest_pending_age_seconds",
	    age_seconds(view, status->oldest_accepted_at));
	jsonline_int(text, "newest_pending_age_seconds",
	    age_seconds(view, status->newest_accepted_at));
	jsonline_int(text, "db_bytes", status->db_bytes);
	jsonline_int(text, "wal_bytes", status->wal_bytes);
	jsonline_int(text, "max_bytes", view->config.queue.max_size);
	jsonline_optional(text, "disk_free_bytes", status->disk_free, -1);
	jsonline_open(text, "lanes", '[');
	for (i = 0; i < view->lanes.count; i++) {
		lanes_add_json(text, &view->lanes.rows[i], view->now_ms);
		jsonline_close(text, '}');
	}
	jsonline_close(text, ']');
	add_forwarder_json(text, view);
	text_adds(text, "}\n");
}

/* ---- for people ---- */

static void
add_queue(struct text *text, const struct view *view)
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
next_wake_ms(const struct view *view)
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
add_failing(struct text *text, const struct view *view)
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
add_forwarder(struct text *text, const struct view *view)
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
			1000 * age_seconds(view, forwarder->last_success_at)));
	text_addc(text, '\n');
}

/* "pending    91,022", without the end of the line. */
static void
add_count(struct text *text, const char *what, int64_t count)
{
	char grouped[NUMBER_TEXT_SIZE];

	text_addf(text, "%-10s %s", what, number_print_grouped(grouped, count));
}

static void
add_pending(struct text *text, const struct view *view)
{
	const struct status *status = &view->status;
	char span[SPAN_TEXT_SIZE];

	add_count(text, "pending", status->ledger.pending);
	if (status->ledger.pending > 0)
		text_addf(text, "   oldest %s        rows are safe on disk",
		    span_print_ms(span,
			1000 * age_seconds(view, status->oldest_accepted_at)));
	text_addc(text, '\n');
	add_count(text, "held", status->held);
	text_addc(text, '\n');
	add_count(text, "late", status->late);
	if (status->late > 0)
		text_addf(text,
		    "   older than %s, will be filed at the time "
		    "they are sent",
		    span_print_ms(span, view->config.late.after_ms));
	text_addc(text, '\n');
}

/* One line a lane that is not simply ready. */
static void
add_lanes_text(struct text *text, const struct view *view, const char *bold,
    const char *plain)
{
	const struct lane_row *lane;
	size_t i;

	for (i = 0; i < view->lanes.count; i++) {
		lane = &view->lanes.rows[i];
		if (lane->state == LANE_READY)
			continue;
		text_addf(text, "lane       %s%s%s ", bold,
		    lane_state_name(lane->state), plain);
		lanes_add_name(text, lane);
		text_addf(text, ", %" PRId64 " pending: ", lane->pending);
		text_add_escaped(text, lane->reason, strlen(lane->reason));
		text_addc(text, '\n');
	}
}

static void
add_text(struct text *text, const struct view *view, bool colored)
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
	if (ledger->dead > 0)
		text_addf(text, "%s   ->  monspool dead list", plain);
	text_addf(text, "\ndelivered  %s of %s accepted\n",
	    number_print_grouped(delivered, ledger->delivered),
	    number_print_grouped(accepted, ledger->accepted));
	add_lanes_text(text, view, red, plain);
	if (view->status.gap_ids > 0)
		text_addf(text,
		    "%smissing    %" PRId64 " ids%s that were "
		    "acknowledged are not in the file\n",
		    red, view->status.gap_ids, plain);
}

static int
status_run(struct cli *cli)
{
	static struct view view;
	struct text text = { 0 };
	struct fault fault = { 0 };

	if (gather(cli, &view, &fault))
		return cli_fail(cli, &fault);
	if (cli->json)
		add_json(&text, &view);
	else
		add_text(&text, &view,
		    output_colored((enum output_color)cli->color, stdout));
	output_data(text_string(&text), text.len);
	text_free(&text);
	lanes_free(&view.lanes);
	return 0;
}

const struct command COMMAND_STATUS = {
	.name = "status",
	.usage = "status",
	.summary = "what waits, what is held, what was refused",
	.run = status_run,
};
