#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "queue/audit.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/edit.h"
#include "queue/lane.h"
#include "queue/metric.h"
#include "queue/operation.h"

/* A comparison; the first difference is kept. */
struct view {
	struct model *model;
	struct spool *spool;
	char *why; /* 256 bytes; "": none yet */
	int at;    /* of the model's rows: where it stands */
	int lane;
};

static void differ(struct view *view, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
differ(struct view *view, const char *format, ...)
{
	va_list args;

	if (view->why[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(view->why, 256, format, args);
	va_end(args);
}

const char *
model_namespace(int ns)
{
	static const char *const NAMES[MODEL_NAMESPACES] = { "cvm", "disk" };

	return NAMES[ns];
}

const char *
model_region(int region)
{
	static const char *const NAMES[MODEL_REGIONS] = { "", "gz" };

	return NAMES[region];
}

const char *
model_account(int account)
{
	static const char *const NAMES[MODEL_ACCOUNTS] = { "default", "other" };

	return NAMES[account];
}

static void
same_number(
    struct view *view, int64_t id, const char *what, int64_t is, int64_t must)
{
	if (is != must)
		differ(view, "row %lld: %s is %lld, not %lld", (long long)id,
		    what, (long long)is, (long long)must);
}

static void
same_text(struct view *view, int64_t id, const char *what, const char *is,
    const char *must)
{
	if (is == NULL || strcmp(is, must) != 0)
		differ(view, "row %lld: %s is \"%.60s\", not \"%.60s\"",
		    (long long)id, what, is == NULL ? "(none)" : is, must);
}

/* ---- ledger ---- */

static void
compare_ledger(struct view *view)
{
	static const struct {
		const char *name;
		size_t offset;
	} COLUMNS[] = {
#define COLUMN(name) { #name, offsetof(struct ledger_row, name) }
		COLUMN(last_id),
		COLUMN(accepted),
		COLUMN(pending),
		COLUMN(delivered),
		COLUMN(dead),
		COLUMN(expired),
		COLUMN(dropped),
		COLUMN(purged),
		COLUMN(replayed),
		COLUMN(missing),
		COLUMN(duplicates),
		COLUMN(ambiguous),
	};
	struct ledger_row ledger = { 0 };
	int64_t is, must;
	size_t i;

	if (ledger_read(view->spool->db, &ledger))
		differ(view, "%.200s", db_error(view->spool->db));
	if (!ledger_balanced(&ledger))
		differ(view, "the ledger breaks a law");
	for (i = 0; i < sizeof(COLUMNS) / sizeof(COLUMNS[0]); i++) {
		memcpy(&is, (char *)&ledger + COLUMNS[i].offset, sizeof(is));
		memcpy(&must, (char *)&view->model->ledger + COLUMNS[i].offset,
		    sizeof(must));
		if (is != must)
			differ(view, "ledger: %s is %lld, not %lld",
			    COLUMNS[i].name, (long long)is, (long long)must);
	}
}

/* ---- pending rows ---- */

/* The next row of the model of this kind, or NULL. */
static struct model_row *
next_row(struct view *view, bool dead)
{
	struct model_row *row;

	while (view->at < view->model->count) {
		row = &view->model->rows[view->at++];
		if (row->dead == dead &&
		    (dead || model_lane_of(&row->series) == view->lane))
			return row;
	}
	return NULL;
}

static void
compare_wire(struct view *view, const struct metric_row *row,
    const struct model_row *must)
{
	char wire[128], value[32];

	snprintf(wire, sizeof(wire),
	    "{\"dimensions\":{\"disk\":\"d%d\"},\"metricName\":\"m%d\","
	    "\"value\":",
	    must->series.disk, must->series.metric);
	snprintf(value, sizeof(value), "%lld", (long long)must->value);
	same_text(view, row->id, "its wire text", row->wire, wire);
	same_text(view, row->id, "its value", row->value, value);
}

static int
on_pending(void *cookie, const struct metric_row *row)
{
	struct view *view = cookie;
	const struct model_row *must = next_row(view, false);

	if (must == NULL || must->id != row->id) {
		differ(view, "row %lld pends in lane %d, where %lld must",
		    (long long)row->id, view->lane,
		    must == NULL ? -1 : (long long)must->id);
		return 1;
	}
	compare_wire(view, row, must);
	same_number(view, row->id, "attempts", row->attempts, must->attempts);
	same_number(
	    view, row->id, "accepted_at", row->accepted_at, must->accepted_at);
	same_number(
	    view, row->id, "observed_at", row->observed_at, must->observed_at);
	same_number(
	    view, row->id, "expires_at", row->expires_at, must->expires_at);
	same_number(
	    view, row->id, "replayed", row->replayed, must->replays > 0);
	same_number(view, row->id, "alone", row->alone, must->alone);
	return view->why[0] != '\0';
}

static void
compare_rows(struct view *view, const struct lane_row *lane)
{
	const struct model_row *more;

	view->at = 0;
	if (metric_page(view->spool->db, lane->id, 0, MODEL_ROWS + 1,
		on_pending, view) == -1)
		differ(view, "%.200s", db_error(view->spool->db));
	else if (view->why[0] == '\0' && (more = next_row(view, false)) != NULL)
		differ(view, "row %lld does not pend", (long long)more->id);
}

static int
number_of(const struct lane_row *lane)
{
	struct model_series series = { 0 };

	series.ns = strcmp(lane->ns, model_namespace(1)) == 0;
	series.region = strcmp(lane->region, model_region(1)) == 0;
	series.account = strcmp(lane->account, model_account(1)) == 0;
	return model_lane_of(&series);
}

static void
compare_lanes(struct view *view)
{
	static struct lane_row lanes[MODEL_LANES + 1];
	struct model *model = view->model;
	int count, i, exist = 0;

	count = lane_list(view->spool->db, 0, lanes, MODEL_LANES + 1);
	for (i = 0; i < MODEL_LANES; i++)
		exist += model->lanes[i].exists;
	if (count != exist)
		differ(view, "there are %d lanes, not %d", count, exist);
	for (i = 0; i < count; i++) {
		const struct model_lane *must;

		view->lane = number_of(&lanes[i]);
		must = &model->lanes[view->lane];
		if (lanes[i].pending != model_pending(model, view->lane))
			differ(view, "lane %d counts %lld rows, not %d",
			    view->lane, (long long)lanes[i].pending,
			    model_pending(model, view->lane));
		if ((lanes[i].state == LANE_HELD) != must->held ||
		    (must->held && lanes[i].held_until != must->until))
			differ(view, "lane %d is %s until %lld", view->lane,
			    lane_state_name(lanes[i].state),
			    (long long)lanes[i].held_until);
		compare_rows(view, &lanes[i]);
	}
}

/* ---- dead rows ---- */

static void
compare_names(struct view *view, const struct deadletter_row *row,
    const struct model_row *must)
{
	const struct model_series *series = &must->series;
	char text[64];

	same_text(view, row->id, "its namespace", row->ns,
	    model_namespace(series->ns));
	same_text(view, row->id, "its region", row->region,
	    model_region(series->region));
	same_text(view, row->id, "its account", row->account,
	    model_account(series->account));
	snprintf(text, sizeof(text), "m%d", series->metric);
	same_text(view, row->id, "its metric", row->metric, text);
	snprintf(text, sizeof(text), "{\"disk\":\"d%d\"}", series->disk);
	same_text(view, row->id, "its dimensions", row->dimensions, text);
	snprintf(text, sizeof(text), "%lld", (long long)must->value);
	same_text(view, row->id, "its value", row->value, text);
	same_text(view, row->id, "its cause", row->cause,
	    must->imported ? "import" : "code");
}

static int
on_edit(void *cookie, const struct edit_row *row)
{
	(void)cookie;
	(void)row;
	return 0;
}

static int
on_dead(void *cookie, const struct deadletter_row *row)
{
	struct view *view = cookie;
	const struct model_row *must = next_row(view, true);

	if (must == NULL || must->id != row->id) {
		differ(view, "row %lld is dead, where %lld must be",
		    (long long)row->id,
		    must == NULL ? -1 : (long long)must->id);
		return 1;
	}
	compare_names(view, row, must);
	same_number(view, row->id, "code", row->code, must->code);
	same_number(view, row->id, "attempts", row->attempts, must->attempts);
	same_number(
	    view, row->id, "accepted_at", row->accepted_at, must->accepted_at);
	same_number(
	    view, row->id, "observed_at", row->observed_at, must->observed_at);
	same_number(
	    view, row->id, "expires_at", row->expires_at, must->expires_at);
	same_number(view, row->id, "died_at", row->died_at, must->died_at);
	same_number(view, row->id, "replays", row->replays, must->replays);
	same_number(
	    view, row->id, "origin_id", row->origin_id, must->origin_id);
	same_number(view, row->id, "edits",
	    edit_list(view->spool->db, row->id, on_edit, NULL), must->edits);
	return view->why[0] != '\0';
}

static void
compare_dead(struct view *view)
{
	static const struct deadletter_filter ALL = { .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };
	const struct model_row *more;

	view->at = 0;
	if (deadletter_list(view->spool->db, &ALL, DEADLETTER_BY_ID, -1,
		on_dead, view) == -1)
		differ(view, "%.200s", db_error(view->spool->db));
	else if (view->why[0] == '\0' && (more = next_row(view, true)) != NULL)
		differ(view, "row %lld is not dead", (long long)more->id);
}

/* ---- the rest ---- */

static void
compare_replay(struct view *view)
{
	const struct model_replay *replay = &view->model->replay;
	static struct operation_row row;
	int64_t id = replay->operation_id;

	if (id == 0)
		return;
	if (operation_load(view->spool->db, id, &row) != 1)
		differ(view, "operation %lld is gone", (long long)id);
	if (row.replayed != replay->replayed ||
	    row.delivered != replay->delivered ||
	    row.refused_again != replay->refused_again ||
	    row.skipped != replay->skipped)
		differ(view,
		    "operation %lld: replayed %lld, delivered %lld, refused "
		    "%lld, skipped %lld; not %lld, %lld, %lld, %lld",
		    (long long)id, (long long)row.replayed,
		    (long long)row.delivered, (long long)row.refused_again,
		    (long long)row.skipped, (long long)replay->replayed,
		    (long long)replay->delivered,
		    (long long)replay->refused_again,
		    (long long)replay->skipped);
	if ((row.ended_at != -1) != replay->over)
		differ(view, "operation %lld is %s", (long long)id,
		    operation_state_name(row.state));
}

/* Ids that the mark is ahead by are told until a put makes a record of them. */
static void
compare_audit(struct view *view, bool deep)
{
	const struct model *model = view->model;
	int64_t last_id = model->ledger.last_id;
	char problem[256] = "", gap[64] = "";
	bool good;

	if (model->mark > last_id)
		snprintf(gap, sizeof(gap), "ids %lld..%lld are missing",
		    (long long)last_id + 1, (long long)model->mark);
	good = deep ? spool_sound(view->spool, problem)
		    : spool_balanced(view->spool, problem);
	if (gap[0] == '\0' ? !good : strncmp(problem, gap, strlen(gap)) != 0)
		differ(view, "audit: %.200s", problem);
}

bool
model_agrees(struct model *model, struct spool *spool, bool deep, char why[256])
{
	struct view view = { .model = model, .spool = spool, .why = why };

	why[0] = '\0';
	compare_ledger(&view);
	compare_lanes(&view);
	compare_dead(&view);
	compare_replay(&view);
	if (why[0] == '\0')
		compare_audit(&view, deep);
	return why[0] == '\0';
}
