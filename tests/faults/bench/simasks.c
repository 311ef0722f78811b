#include "sim.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "forward/core_state.h"
#include "forward/lane.h"
#include "queue/db.h"
#include "queue/operation.h"
#include "queue/operation_group.h"
#include "queue/wish.h"

/*
 * What operators ask for while the forwarder runs: holds, releases and probes
 * of lanes, and replays of dead letters.
 */

static void
begin(struct sim *sim)
{
	if (db_begin(sim->spool.db))
		bench_die(
		    "an operator cannot begin: %s", db_error(sim->spool.db));
}

static void
commit(struct sim *sim)
{
	if (db_commit(sim->spool.db))
		bench_die(
		    "an operator cannot commit: %s", db_error(sim->spool.db));
	core_wake(sim->core);
}

static void
wish_for(struct sim *sim, int64_t lane_id, const struct wish *wish)
{
	begin(sim);
	if (wish_store(sim->spool.db, lane_id, wish))
		bench_die("cannot wish: %s", db_error(sim->spool.db));
	commit(sim);
	sim->wished = true;
}

void
simasks_wish(struct sim *sim)
{
	static const enum lane_ask ASKS[] = { LANE_ASK_HOLD, LANE_ASK_RELEASE,
		LANE_ASK_PROBE, LANE_ASK_PROBE };
	struct wish wish = { .reason = "somebody wants it", .until = -1 };
	const struct lane *lane;

	if (sim->core->lane_count == 0)
		return;
	lane = sim->core->lanes[sim_below(sim, (int)sim->core->lane_count)];
	wish.ask = ASKS[sim_below(sim, 4)];
	if (sim_odds(sim, 50))
		wish.until = sim->wall_ms + sim_below(sim, 600000);
	sim_say(
	    sim, "%s of %s is asked for", wish_name(wish.ask), lane->row.ns);
	sim->held_id = wish.ask == LANE_ASK_HOLD ? lane->row.id : sim->held_id;
	wish_for(sim, lane->row.id, &wish);
	if (wish.ask == LANE_ASK_PROBE)
		simbounds_hurry(sim);
}

void
simasks_release(struct sim *sim)
{
	const struct wish release = { .ask = LANE_ASK_RELEASE, .until = -1 };
	size_t i;

	for (i = 0; i < sim->core->lane_count; i++)
		if (strcmp(sim->core->lanes[i]->row.held_by, "operator") == 0 ||
		    sim->core->lanes[i]->row.id == sim->held_id)
			wish_for(sim, sim->core->lanes[i]->row.id, &release);
}

/* ---- replays ---- */

#define AT_MOST 40

/* Dead rows that died alike. */
struct alike {
	int64_t ids[AT_MOST];
	size_t count;
	int64_t lane_id, code;
	char metric[32];
};

static void
choose(struct sim *sim, struct alike *alike)
{
	struct sqlite3_stmt *query = sim->replayable;
	size_t most = (size_t)(1 + sim_below(sim, AT_MOST));
	int code;

	alike->count = 0;
	sqlite3_bind_int64(query, 1, sim->base_id);
	while (
	    (code = sqlite3_step(query)) == SQLITE_ROW && alike->count < most) {
		if (alike->count == 0) {
			alike->lane_id = sqlite3_column_int64(query, 1);
			alike->code = sqlite3_column_int64(query, 2);
			snprintf(alike->metric, sizeof(alike->metric), "%s",
			    (const char *)sqlite3_column_text(query, 3));
		}
		if (alike->lane_id != sqlite3_column_int64(query, 1) ||
		    alike->code != sqlite3_column_int64(query, 2) ||
		    strcmp(alike->metric,
			(const char *)sqlite3_column_text(query, 3)) != 0)
			break;
		alike->ids[alike->count++] = sqlite3_column_int64(query, 0);
		simbooks_replayed(sim, sqlite3_column_int64(query, 4));
	}
	sqlite3_reset(query);
}

static int
record(struct sim *sim, const struct alike *alike)
{
	struct db *db = sim->spool.db;
	struct operation_row operation = { .kind = OPERATION_REPLAY,
		.state = OPERATION_WAITING,
		.asked_at = sim->wall_ms,
		.moved_at = sim->wall_ms,
		.ended_at = -1,
		.matched = (int64_t)alike->count,
		.canary = sim_below(sim, 3),
		.rate = sim_odds(sim, 50) ? 0 : 1 + sim_below(sim, 20) };
	struct operation_group_row group = { .lane_id = alike->lane_id,
		.code = alike->code,
		.matched = (int64_t)alike->count };

	if (operation_new(db, &operation))
		return -1;
	group.operation_id = operation.id;
	group.state = operation.canary > 0 ? GROUP_WAITING : GROUP_MOVING;
	return operation_group_new(db, &group, alike->metric) ||
	    operation_group_add(db, group.id, alike->ids, alike->count);
}

void
simasks_replay(struct sim *sim)
{
	struct alike alike;

	choose(sim, &alike);
	if (alike.count == 0)
		return;
	sim_say(sim, "a replay of %zu rows is asked for", alike.count);
	begin(sim);
	if (record(sim, &alike))
		bench_die(
		    "cannot ask for a replay: %s", db_error(sim->spool.db));
	commit(sim);
}
