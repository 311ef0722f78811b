#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "forward/core_state.h"
#include "forward/lane.h"
#include "queue/audit.h"

/* ---- rows ---- */

/* What the queue says of one row. */
struct found {
	enum sim_end end;
	int64_t attempts;
	char cause[16];
};

static int64_t
high_of(const struct sim *sim, const struct sim_row *row)
{
	return row->high_at > sim->wall_ms ? row->high_at : sim->wall_ms;
}

static bool
may_be_late(const struct sim *sim, const struct sim_row *row)
{
	int64_t after_ms = sim->config.late.after_ms;

	return after_ms > 0 && high_of(sim, row) - row->put_at > after_ms;
}

static bool
has_newer(const struct sim *sim, int index)
{
	int i;

	for (i = index + 1; i < sim->row_count; i++)
		if (sim->rows[i].series == sim->rows[index].series)
			return true;
	return false;
}

/* It is gone: was it delivered, or told to go? */
static void
check_gone(struct sim *sim, int index)
{
	const struct sim_row *row = &sim->rows[index];

	if (row->clean || sim_is_too_old(sim, row, high_of(sim, row)))
		return;
	if (sim->config.late.policy == CONFIG_LATE_LATEST_ONLY &&
	    may_be_late(sim, row) && has_newer(sim, index))
		return;
	sim_complain(sim, "row %d is gone, and nobody took it", index);
}

/* Whether something of the account was taken beside the refused row: from five
 * minutes before on. */
static bool
has_contrast(const struct sim *sim, const struct sim_row *row)
{
	const struct sim_lane *own = &sim->lanes[sim->series[row->series].lane];
	int i;

	for (i = 0; i < sim->lane_count; i++)
		if (sim->lanes[i].account == own->account &&
		    sim->taken_ms[i] >= row->refused_ms - 5 * SIM_MINUTE_MS)
			return true;
	return false;
}

/* Whether the receiver's answers let it die. */
static bool
is_doomed(const struct sim *sim, int index)
{
	const struct sim_row *row = &sim->rows[index];
	const struct sim_series *series = &sim->series[row->series];

	if (sim->honest && !sim_is_guilty(sim, row))
		return false;
	return (row->convicted &&
		   (!row->by_contrast || has_contrast(sim, row))) ||
	    index < series->doomed_below ||
	    index < sim->lanes[series->lane].doomed_below;
}

static void
check_dead(struct sim *sim, int index, const char *cause)
{
	const struct sim_row *row = &sim->rows[index];
	const struct config *config = &sim->config;
	bool may;

	if (row->clean)
		sim_complain(sim, "row %d was taken, and is dead", index);
	if (strcmp(cause, "late") == 0)
		may = config->late.policy == CONFIG_LATE_DEAD_LETTER &&
		    may_be_late(sim, row);
	else if (strcmp(cause, "ambiguous") == 0)
		may = config->receiver.ambiguous_dead_letter && row->doubted;
	else
		may = !config->dead.soft && is_doomed(sim, index);
	if (!may)
		sim_complain(
		    sim, "row %d is dead without reason (%s)", index, cause);
}

static void
check_pending(struct sim *sim, int index)
{
	const struct sim_row *row = &sim->rows[index];

	if (row->clean)
		sim_complain(sim, "row %d was taken, and is pending", index);
	if (row->end != SIM_PENDING && !row->replayed)
		sim_complain(sim, "row %d had ended, and is pending", index);
}

static void
check_row(struct sim *sim, int index, const struct found *found)
{
	struct sim_row *row = &sim->rows[index];

	if (found->end == SIM_PENDING)
		check_pending(sim, index);
	else if (found->end == SIM_DEAD)
		check_dead(sim, index, found->cause);
	else if (row->end != SIM_GONE)
		check_gone(sim, index);
	if (row->end == SIM_GONE && found->end == SIM_DEAD)
		sim_complain(sim, "row %d was gone, and is dead", index);
	if (found->end != SIM_GONE && found->attempts != row->tries)
		sim_complain(sim,
		    "row %d has %lld attempts, and went %lld "
		    "times",
		    index, (long long)found->attempts, (long long)row->tries);
	if (row->taken > row->lost + row->aloft + row->clean)
		sim_complain(
		    sim, "row %d was taken %d times", index, row->taken);
	row->end = found->end;
}

/* The row whose first id is ${id}; -1: none. */
static int
find_row(const struct sim *sim, int64_t id)
{
	int low = 0, high = sim->row_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (sim->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sim->row_count && sim->rows[low].id == id ? low : -1;
}

void
simbooks_replayed(struct sim *sim, int64_t id)
{
	int index = find_row(sim, id);

	if (index < 0)
		sim_complain(sim, "a dead row nobody put");
	else
		sim->rows[index].replayed = sim->rows[index].alone = true;
}

/* What the queue has of each row of this seed. */
static void
read_found(struct sim *sim, struct sqlite3_stmt *query, enum sim_end end,
    struct found *found)
{
	int index, code;

	sqlite3_bind_int64(query, 1, sim->base_id);
	while ((code = sqlite3_step(query)) == SQLITE_ROW) {
		index = find_row(sim, sqlite3_column_int64(query, 0));
		if (index < 0) {
			sim_complain(sim, "the queue has a row nobody put");
			continue;
		}
		if (found[index].end != SIM_GONE)
			sim_complain(sim, "row %d is pending and dead", index);
		found[index].end = end;
		found[index].attempts = sqlite3_column_int64(query, 1);
		snprintf(found[index].cause, sizeof(found[index].cause), "%s",
		    end == SIM_DEAD
			? (const char *)sqlite3_column_text(query, 2)
			: "");
	}
	sqlite3_reset(query);
	if (code != SQLITE_DONE)
		bench_die(
		    "cannot read the queue: %s", sqlite3_errmsg(sim->foreign));
}

static void
read_rows_found(struct sim *sim, struct found *found)
{
	int i;

	for (i = 0; i < sim->row_count; i++)
		found[i].end = SIM_GONE;
	read_found(sim, sim->pending, SIM_PENDING, found);
	read_found(sim, sim->dead, SIM_DEAD, found);
}

void
simbooks_crashed(struct sim *sim)
{
	struct found found[SIM_ROWS];
	struct sim_row *row;
	int i;

	read_rows_found(sim, found);
	for (i = 0; i < sim->row_count; i++) {
		row = &sim->rows[i];
		if (found[i].end == SIM_GONE)
			continue;
		if (row->clean)
			row->lost++;
		row->clean = false;
		if (found[i].attempts > row->tries)
			sim_complain(sim, "row %d has too many attempts", i);
		row->tries = found[i].attempts;
	}
	for (i = 0; i < sim->lane_count; i++) {
		sim->cases[i].open = false;
		sim->lanes[i].state = -1;
	}
}

static void
check_ledger(struct sim *sim)
{
	struct audit audit = { 0 };

	if (audit_run(sim->spool.db, false, &audit))
		sim_complain(sim, "the queue cannot be audited");
	else if (audit.problem_count > 0)
		sim_complain(sim, "%s", audit.problems[0]);
}

void
simbooks_check(struct sim *sim)
{
	struct found found[SIM_ROWS];
	int i;

	if (core_broken(sim->core) || sim->failed)
		return;
	check_ledger(sim);
	if (!sim_is_settled(sim))
		return;
	read_rows_found(sim, found);
	for (i = 0; i < sim->row_count; i++)
		check_row(sim, i, &found[i]);
}

/* ---- the end ---- */

bool
simbooks_is_over(struct sim *sim)
{
	return !sim->core->replay.look && !sim->core->replay.open &&
	    simbooks_is_empty(sim);
}

bool
simbooks_is_empty(struct sim *sim)
{
	size_t i;

	if (!core_quiet(sim->core) || sim->core->look || !sim_is_settled(sim))
		return false;
	for (i = 0; i < sim->core->lane_count; i++)
		if (sim->core->lanes[i]->row.pending > 0)
			return false;
	return true;
}

/* Whether all that pends in the lane is guilty in a way that takes an
 * accepted request beside it to tell. */
static bool
lacks_contrast(const struct sim *sim, int lane)
{
	const struct sim_row *row;
	int i;

	for (i = 0; i < sim->row_count; i++) {
		row = &sim->rows[i];
		if (row->end == SIM_PENDING &&
		    sim->series[row->series].lane == lane && row->code == 0)
			return false;
	}
	return true;
}

static bool
may_be_left(const struct sim *sim, int lane)
{
	const struct lane *held;
	size_t i;

	for (i = 0; i < sim->core->lane_count; i++) {
		held = sim->core->lanes[i];
		if (sim_find_lane(sim, held->row.ns) != lane)
			continue;
		if (held->row.state != LANE_HELD)
			return false;
		return strcmp(held->row.scope, LANE_BRAKE) == 0 ||
		    sim->config.dead.soft || lacks_contrast(sim, lane);
	}
	return false;
}

bool
simbooks_is_stuck(struct sim *sim)
{
	const struct sim_row *row;
	int i;

	simbooks_check(sim);
	for (i = 0; i < sim->row_count; i++) {
		row = &sim->rows[i];
		if (row->end == SIM_PENDING &&
		    !may_be_left(sim, sim->series[row->series].lane))
			return false;
	}
	return true;
}

void
simbooks_end(struct sim *sim)
{
	const struct sim_lane *lane;
	const struct sim_row *row;
	int i;

	simbooks_check(sim);
	simbounds_end(sim);
	for (i = 0; i < sim->row_count && !sim->failed; i++) {
		row = &sim->rows[i];
		lane = &sim->lanes[sim->series[row->series].lane];
		sim->all_dead += row->end == SIM_DEAD;
		if (row->end == SIM_PENDING &&
		    !may_be_left(sim, sim->series[row->series].lane))
			sim_complain(sim,
			    "row %d is pending for ever, %s is %s", i, lane->ns,
			    simlanes_state(lane));
	}
}
