#include "modelrun.h"

#include <stdio.h>

#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/drop.h"
#include "queue/enqueue_key.h"
#include "queue/lane.h"
#include "queue/metric.h"
#include "queue/operation_group.h"
#include "queue/series.h"
#include "queue/upkeep.h"
#include "queue/wish.h"

/* A run of a lane's pending rows. */
struct part {
	int lane; /* -1: none */
	int64_t lane_id, first, last, rows;
};

static struct part
some_part(struct model_run *run)
{
	const struct model *model = &run->model;
	struct part part = { .lane = model_busy_lane(run) };
	int left, skip, i;

	if (part.lane == -1)
		return part;
	part.lane_id = model_lane_id(run, part.lane);
	left = model_pending(model, part.lane);
	skip = model_odds(run, 70) ? 0 : model_below(run, left);
	left = 1 + model_below(run, left - skip);
	for (i = 0; i < model->count && left > 0; i++) {
		const struct model_row *row = &model->rows[i];

		if (row->dead || model_lane_of(&row->series) != part.lane ||
		    skip-- > 0)
			continue;
		if (part.rows++ == 0)
			part.first = row->id;
		part.last = row->id;
		left--;
	}
	return part;
}

typedef void settle_part(struct model_run *run, const struct part *part);

/* In one transaction, which is rolled back now and then. */
static void
settle(struct model_run *run, settle_part *settle_it)
{
	struct db *db = run->forwarder;
	struct part part = some_part(run);

	if (part.lane == -1)
		return;
	if (db_begin(db)) {
		model_complain(run, "begin: %.200s", db_error(db));
		return;
	}
	settle_it(run, &part);
	if (model_odds(run, 10)) {
		db_rollback(db);
		if (run->model.wrong != MODEL_UNDOES_NOTHING)
			run->model = run->before;
	} else if (db_commit(db))
		model_complain(run, "commit: %.200s", db_error(db));
}

static void
count_off(struct model_run *run, const struct part *part,
    enum ledger_column end, int64_t gone)
{
	struct db *db = run->forwarder;

	if (ledger_move(db, LEDGER_PENDING, end, gone) ||
	    lane_count(db, part->lane_id, -gone))
		model_complain(run, "%.200s", db_error(db));
}

static void
deliver(struct model_run *run, const struct part *part)
{
	struct db *db = run->forwarder;
	int64_t gone;

	if (operation_group_delivered(
		db, part->lane_id, part->first, part->last))
		model_complain(run, "%.200s", db_error(db));
	gone = metric_remove_range(db, part->lane_id, part->first, part->last);
	model_expect(run, "rows delivered", gone, part->rows);
	count_off(run, part, LEDGER_DELIVERED, gone);
	model_delivered(&run->model, part->lane, part->first, part->last);
}

static void
try(struct model_run *run, const struct part *part)
{
	struct db *db = run->forwarder;

	if (metric_attempted_range(
		db, part->lane_id, part->first, part->last) ||
	    ledger_count_ambiguous(db, 1))
		model_complain(run, "%.200s", db_error(db));
	run->model.ledger.ambiguous++;
	model_attempted(&run->model, part->lane, part->first, part->last);
}

static void
die(struct model_run *run, const struct part *part)
{
	struct death death = { .cause = "code",
		.code = 1000 + model_below(run, 22),
		.message = "no",
		.scope = "row",
		.attempt_id = -1,
		.died_at = run->model.now_ms };
	int64_t id;
	int moved;

	for (id = part->first; id <= part->last; id++) {
		const struct model_row *row = model_find(&run->model, id);
		bool there = row != NULL && !row->dead &&
		    model_lane_of(&row->series) == part->lane;

		moved = deadletter_move(
		    run->forwarder, part->lane_id, id, &death);
		model_expect(run, "rows that died", moved, there);
		if (there)
			model_died(&run->model, id, death.code);
	}
}

static void
expire(struct model_run *run, const struct part *part)
{
	int64_t gone = metric_remove(
	    run->forwarder, part->lane_id, part->first);

	model_expect(run, "rows expired", gone, 1);
	count_off(run, part, LEDGER_EXPIRED, gone);
	model_expired(&run->model, part->first);
}

static void
drop(struct model_run *run, const struct part *part)
{
	int64_t below = model_odds(run, 50) ? INT64_MAX : part->last;
	int count = 1 + model_below(run, 6);
	int64_t dropped = drop_oldest(run->forwarder, below, count);

	model_expect(run, "rows dropped", dropped,
	    model_dropped(&run->model, below, count));
}

static void
hold(struct model_run *run, const struct part *part)
{
	struct wish wish = { .ask = LANE_ASK_HOLD, .until = -1 };
	struct model_lane *must = &run->model.lanes[part->lane];
	static struct lane_row row;

	if (lane_load(run->forwarder, part->lane_id, &row) != 1)
		model_complain(run, "lane %d is gone", part->lane);
	if (must->held)
		wish.ask = LANE_ASK_RELEASE;
	else if (model_odds(run, 50))
		wish.until = run->model.now_ms + model_below(run, 100000);
	wish_apply(&wish, &row, run->model.now_ms);
	if (lane_store(run->forwarder, &row))
		model_complain(run, "%.200s", db_error(run->forwarder));
	if (run->model.wrong == MODEL_IGNORES_HOLDS)
		return;
	must->held = wish.ask == LANE_ASK_HOLD;
	must->until = wish.until;
}

#define SETTLE(name, part) \
	static void name(struct model_run *run) \
	{ \
		settle(run, part); \
	}
SETTLE(settle_delivered, deliver)
SETTLE(settle_tried, try)
SETTLE(settle_died, die)
SETTLE(settle_expired, expire)
SETTLE(settle_dropped, drop)
SETTLE(settle_held, hold)

/* Holds end whose time has come. */
static void
end_holds(struct model_run *run)
{
	static struct lane_row rows[MODEL_LANES];
	struct db *db = run->forwarder;
	int count = lane_list(db, 0, rows, MODEL_LANES), i;

	for (i = 0; i < count; i++)
		if (wish_expire(&rows[i], run->model.now_ms) &&
		    (db_begin(db) || lane_store(db, &rows[i]) || db_commit(db)))
			model_complain(run, "%.200s", db_error(db));
	for (i = 0; i < MODEL_LANES; i++)
		if (run->model.lanes[i].until >= 0 &&
		    run->model.lanes[i].until <= run->model.now_ms)
			run->model.lanes[i].held = false;
}

/* What must change nothing that anybody sees. */
static void
keep_house(struct model_run *run)
{
	struct db *db = run->forwarder;
	int64_t now_ms = run->model.now_ms;

	if (series_collect(db, &run->collected, 20) == -1 ||
	    enqueue_key_collect(db, now_ms, 10) == -1 ||
	    upkeep_vacuum(db, 250) ||
	    upkeep_remember(db, now_ms / 60000, &run->model.ledger, 100))
		model_complain(run, "%.200s", db_error(db));
	if (checkpoint_guarded(db, false) != CHECKPOINT_DONE)
		model_complain(run, "a checkpoint fails");
}

const struct model_do MODEL_ENDS[] = {
	{ "delivered", 120, settle_delivered },
	{ "tried", 80, settle_tried },
	{ "died", 130, settle_died },
	{ "expired", 40, settle_expired },
	{ "dropped", 40, settle_dropped },
	{ "held", 30, settle_held },
	{ "hold ended", 20, end_holds },
	{ "kept house", 20, keep_house },
	{ NULL, 0, NULL },
};
