#include "status_view.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "jsonline.h"

static const char *
or_null(const char *string)
{
	return string[0] != '\0' ? string : NULL;
}

static void
add_forwarder_json(struct text *text, const struct status_view *view)
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

/* "68.02", or null. */
static void
add_rate(struct text *text, const char *name, int64_t hundredths)
{
	char number[32];

	snprintf(number, sizeof(number), "%" PRId64 ".%02" PRId64,
	    hundredths / 100, hundredths % 100);
	jsonline_raw(text, name, hundredths < 0 ? "null" : number);
}

static void
add_operations(struct text *text, const struct status_view *view)
{
	const struct operation_row *row;
	int i;

	jsonline_open(text, "operations", '[');
	for (i = 0; i < view->operation_count; i++) {
		row = &view->operations[i];
		jsonline_open(text, NULL, '{');
		jsonline_int(text, "operation", row->id);
		jsonline_text(text, "kind", operation_kind_name(row->kind));
		jsonline_text(text, "state", operation_state_name(row->state));
		jsonline_text(text, "by", row->asked_by);
		jsonline_time(text, "since", row->asked_at);
		jsonline_int(text, "matched", row->matched);
		jsonline_int(text, "done", row->done);
		jsonline_int(text, "skipped", row->skipped);
		jsonline_int(text, "groups", row->groups);
		jsonline_int(text, "canaries_refused", row->canaries_refused);
		jsonline_int(text, "replayed", row->replayed);
		jsonline_int(text, "delivered", row->delivered);
		jsonline_int(text, "refused_again", row->refused_again);
		jsonline_close(text, '}');
	}
	jsonline_close(text, ']');
}

static void
add_ages(struct text *text, const struct status_view *view)
{
	int i;

	jsonline_open(text, "ages", '[');
	for (i = 0; i < STATUS_AGES; i++) {
		jsonline_open(text, NULL, '{');
		jsonline_int(text, "from_seconds", status_age_ms(i) / 1000);
		jsonline_optional(text, "to_seconds",
		    i + 1 < STATUS_AGES ? status_age_ms(i + 1) / 1000 : -1, -1);
		jsonline_int(text, "rows", view->ages[i]);
		jsonline_close(text, '}');
	}
	jsonline_close(text, ']');
}

void
status_json(struct text *text, const struct status_view *view)
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
	jsonline_int(text, "missing", ledger->missing);
	jsonline_optional(text, "missing_first_id", status->missing_first, 0);
	jsonline_optional(text, "missing_last_id", status->missing_last, 0);
	jsonline_int(text, "oldest_pending_age_seconds",
	    status_age_seconds(view, status->oldest_accepted_at));
	jsonline_int(text, "newest_pending_age_seconds",
	    status_age_seconds(view, status->newest_accepted_at));
	jsonline_int(text, "db_bytes", status->db_bytes);
	jsonline_int(text, "wal_bytes", status->wal_bytes);
	jsonline_int(text, "max_bytes", view->config.queue.max_size);
	jsonline_optional(text, "disk_free_bytes", status->disk_free, -1);
	add_rate(text, "in_per_second", view->in_rate);
	add_rate(text, "out_per_second", view->out_rate);
	add_operations(text, view);
	if (view->want_ages)
		add_ages(text, view);
	jsonline_open(text, "lanes", '[');
	for (i = 0; i < view->lanes.count; i++) {
		lanes_add_json(text, &view->lanes.rows[i], view->now_ms);
		jsonline_close(text, '}');
	}
	jsonline_close(text, ']');
	add_forwarder_json(text, view);
	text_adds(text, "}\n");
}
