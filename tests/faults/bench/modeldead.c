#include "modelrun.h"

#include <stdio.h>
#include <string.h>

#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/edit.h"
#include "queue/lane.h"
#include "queue/operation.h"
#include "queue/purge.h"
#include "queue/replay.h"
#include "queue/reshape.h"
#include "queue/series.h"

#define IDS_MOST 12

static bool
begin(struct model_run *run, struct db *db)
{
	if (db_begin(db) == 0)
		return true;
	model_complain(run, "begin: %.200s", db_error(db));
	return false;
}

/* Commit, or now and then roll back. */
static void
finish(struct model_run *run, struct db *db)
{
	if (model_odds(run, 10)) {
		db_rollback(db);
		if (run->model.wrong != MODEL_UNDOES_NOTHING)
			run->model = run->before;
	} else if (db_commit(db))
		model_complain(run, "commit: %.200s", db_error(db));
}

/* ---- edits ---- */

/* Some parts change; the changes' texts are in ${texts}. */
static size_t
some_changes(struct model_run *run, struct model_series *parts,
    struct reshape_change changes[4], char texts[2][16])
{
	size_t count = 0;

	*parts = (struct model_series){ -1, -1, -1, -1, -1 };
	if (model_odds(run, 30))
		parts->ns = model_below(run, MODEL_NAMESPACES);
	if (model_odds(run, 30))
		parts->region = model_below(run, MODEL_REGIONS);
	if (model_odds(run, 40))
		parts->metric = model_below(run, 3);
	if (model_odds(run, 40))
		parts->disk = model_below(run, 3);
	snprintf(texts[0], 16, "m%d", parts->metric);
	snprintf(texts[1], 16, "d%d", parts->disk);
	if (parts->ns != -1)
		changes[count++] = (struct reshape_change){ RESHAPE_NAMESPACE,
			NULL, model_namespace(parts->ns), 0 };
	if (parts->region != -1)
		changes[count++] = (struct reshape_change){ RESHAPE_REGION,
			NULL, model_region(parts->region), 0 };
	if (parts->metric != -1)
		changes[count++] = (struct reshape_change){ RESHAPE_METRIC,
			NULL, texts[0], 0 };
	if (parts->disk != -1)
		changes[count++] = (struct reshape_change){ RESHAPE_SET, "disk",
			texts[1], 0 };
	return count;
}

static int
count_dead(struct model *model, const int64_t *ids, int count)
{
	int i, dead = 0;

	for (i = 0; i < count; i++)
		dead += model_find(model, ids[i]) != NULL &&
		    model_find(model, ids[i])->dead;
	return dead;
}

static void
edit_some(struct model_run *run)
{
	struct db *db = run->spool.db;
	struct reshape_change changes[4];
	struct model_series parts;
	char texts[2][16];
	int64_t ids[IDS_MOST];
	int count = model_some_ids(run, true, IDS_MOST, ids);
	bool bad = model_odds(run, 10);
	struct edit edit = { .changes = changes,
		.change_count = some_changes(run, &parts, changes, texts),
		.config = &run->spool.config,
		.operation_id = 1,
		.edited_by = "somebody",
		.now_ms = run->model.now_ms };

	if (bad) {
		changes[0] = (struct reshape_change){ RESHAPE_METRIC, NULL,
			"no name", 0 };
		edit.change_count = 1;
	}
	if (!begin(run, db))
		return;
	if (edit_rows(db, &edit, ids, (size_t)count))
		model_complain(run, "edit: %.200s", db_error(db));
	model_expect(run, "rows that cannot be edited", edit.invalid,
	    bad ? count_dead(&run->model, ids, count) : 0);
	model_expect(run, "rows edited", edit.edited,
	    bad ? 0 : model_edited(&run->model, ids, count, &parts));
	finish(run, db);
}

/* ---- replays ---- */

static void
replay_some(struct model_run *run)
{
	struct db *db = run->forwarder;
	int64_t ids[IDS_MOST];
	int count = model_some_ids(run, true, IDS_MOST, ids);
	bool alone = model_odds(run, 30);

	if (!begin(run, db))
		return;
	model_expect(run, "rows replayed",
	    replay_rows(db, ids, (size_t)count, 0, alone),
	    model_replayed(&run->model, ids, count, -1, alone));
	finish(run, db);
}

static void
ask_for_replay(struct model_run *run)
{
	static struct operation_row operation;
	struct operation_group_row group = { .lane_id = 1,
		.code = 1017,
		.state = model_odds(run, 70) ? GROUP_WAITING : GROUP_MOVING };
	struct model_replay *replay = &run->model.replay;
	struct db *db = run->spool.db;

	*replay = (struct model_replay){ .number = run->model.replays++,
		.state = group.state };
	replay->count = model_some_ids(run, true, MODEL_ROWS, replay->ids);
	operation = (struct operation_row){ .kind = OPERATION_REPLAY,
		.state = OPERATION_WAITING,
		.asked_at = run->model.now_ms,
		.canary = 2 };
	if (!begin(run, db))
		return;
	if (operation_new(db, &operation))
		model_complain(run, "%.200s", db_error(db));
	group.operation_id = replay->operation_id = operation.id;
	if (operation_group_new(db, &group, "m0") ||
	    operation_group_add(
		db, group.id, replay->ids, (size_t)replay->count) ||
	    db_commit(db))
		model_complain(run, "%.200s", db_error(db));
	replay->group_id = group.id;
}

/* The group as the queue has it, which must be as the model has it. */
static struct operation_group_row
read_group(struct model_run *run)
{
	const struct model_replay *replay = &run->model.replay;
	struct operation_group_row group = { .state = GROUP_MOVED };
	int count = operation_group_list(
	    run->forwarder, replay->operation_id, 0, &group, 1);
	bool ended = replay->state == GROUP_MOVED ||
	    replay->state == GROUP_REFUSED;

	model_expect(run, "open groups of the replay", count, !ended);
	if (count == 1)
		model_expect(
		    run, "the group's state", group.state, replay->state);
	return group;
}

static void
end_replay(struct model_run *run)
{
	struct model_replay *replay = &run->model.replay;
	int64_t id = replay->operation_id, now_ms = run->model.now_ms;

	if (model_odds(run, 20)) {
		model_expect(run, "replays cancelled",
		    operation_cancel(run->forwarder, id, now_ms), 1);
		replay->looked_at = replay->count;
		replay->over = true;
		return;
	}
	replay->over = !model_replay_left(&run->model);
	model_expect(run, "the replay is over",
	    operation_settle(run->forwarder, id, now_ms), replay->over);
}

/* One step of the replay under way, or a new one. */
static void
go_on_replaying(struct model_run *run)
{
	struct model_replay *replay = &run->model.replay;
	struct operation_group_row group;
	int most = 1 + model_below(run, 5);
	bool accepted = model_odds(run, 70);

	if (replay->operation_id == 0 || replay->over) {
		ask_for_replay(run);
		return;
	}
	group = read_group(run);
	if (group.state == GROUP_CANARY) {
		if (operation_group_judge(run->forwarder, &group, accepted))
			model_complain(run, "%.200s", db_error(run->forwarder));
		model_replay_judged(&run->model, accepted);
	} else if (group.state == GROUP_WAITING || group.state == GROUP_MOVING)
		model_expect(run, "rows the replay moved",
		    operation_group_move(
			run->forwarder, &group, most, run->model.now_ms),
		    model_replay_step(&run->model, most));
	if (model_odds(run, 30))
		end_replay(run);
}

/* ---- purges, imports ---- */

static void
purge_some(struct model_run *run)
{
	struct db *db = run->spool.db;
	int64_t ids[IDS_MOST];
	int count = model_some_ids(run, true, IDS_MOST, ids);

	if (!begin(run, db))
		return;
	model_expect(run, "rows purged", purge_rows(db, ids, (size_t)count),
	    model_purged(&run->model, ids, count));
	finish(run, db);
}

static void
purge_the_longest_dead(struct model_run *run)
{
	int max_rows = model_odds(run, 50) ? 1 + model_below(run, 60) : 0;
	int64_t before = model_odds(run, 50)
	    ? run->model.now_ms - model_below(run, 500000)
	    : -1;
	int most = 1 + model_below(run, 10);

	model_expect(run, "rows over the bounds",
	    purge_bounds(run->forwarder, max_rows, before, most),
	    model_purged_bounds(&run->model, max_rows, before, most));
}

static int
bury(struct model_run *run, const struct model_row *row, int64_t id)
{
	const struct model_series *series = &row->series;
	struct db *db = run->spool.db;
	char metric[16], dimensions[32], wire[96], value[32];
	struct deadletter_new new = { .id = id,
		.value = value,
		.accepted_at = row->accepted_at,
		.observed_at = row->observed_at,
		.attempts = row->attempts,
		.died_at = row->died_at,
		.code = row->code,
		.message = "imported" };
	int64_t lane_id;

	snprintf(metric, sizeof(metric), "m%d", series->metric);
	snprintf(
	    dimensions, sizeof(dimensions), "{\"disk\":\"d%d\"}", series->disk);
	snprintf(wire, sizeof(wire),
	    "{\"dimensions\":%s,\"metricName\":\"%s\",\"value\":", dimensions,
	    metric);
	new.value_len = (size_t)snprintf(
	    value, sizeof(value), "%lld", (long long)row->value);
	if (lane_intern(db, model_namespace(series->ns),
		model_region(series->region), model_account(series->account),
		&lane_id))
		return -1;
	return series_intern(db, lane_id, metric, dimensions, wire,
		   strlen(wire), &new.series_id) ||
		deadletter_import(db, &new)
	    ? -1
	    : 0;
}

static void
import_some(struct model_run *run)
{
	struct db *db = run->spool.db;
	int rows = 1 + model_below(run, 4), i;
	struct model_row row;
	int64_t first_id = -1;

	if (run->model.count > MODEL_ROWS / 4 || !begin(run, db))
		return;
	if (ledger_import(db, rows, &first_id))
		model_complain(run, "%.200s", db_error(db));
	for (i = 0; i < rows; i++) {
		row = model_some_row(run);
		row.dead = row.imported = true;
		row.expires_at = -1;
		row.attempts = model_below(run, 9);
		row.died_at = run->model.now_ms;
		row.code = model_odds(run, 50) ? 1016 : -1;
		model_expect(run, "the id of a row imported", first_id + i,
		    model_imported(&run->model, &row));
		if (bury(run, &row, first_id + i))
			model_complain(run, "%.200s", db_error(db));
	}
	finish(run, db);
}

const struct model_do MODEL_DEAD[] = {
	{ "edited", 50, edit_some },
	{ "replayed", 40, replay_some },
	{ "a replay went on", 80, go_on_replaying },
	{ "purged", 20, purge_some },
	{ "purged by bounds", 20, purge_the_longest_dead },
	{ "imported", 20, import_some },
	{ NULL, 0, NULL },
};
