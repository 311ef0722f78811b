#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "forward/core_state.h"
#include "forward/lane.h"
#include "protocol/batch.h"
#include "protocol/request.h"
#include "queue/audit.h"

#define IDLE_TURNS_MOST 100

void
sim_complain(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (sim->failed)
		return;
	sim->failed = true;
	va_start(arguments, format);
	vsnprintf(sim->complaint, sizeof(sim->complaint), format, arguments);
	va_end(arguments);
	sim_say(sim, "WRONG: %s", sim->complaint);
}

void
sim_say(const struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (!sim->trace)
		return;
	printf("%10.3f ", (double)(sim->steady_ms - sim->began_ms) / 1e3);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

int
sim_below(struct sim *sim, int bound)
{
	return bench_below(&sim->chance, bound);
}

bool
sim_odds(struct sim *sim, int percent)
{
	return sim_below(sim, 100) < percent;
}

/* ---- requests ---- */

static void
read_rows(struct sim *sim, struct sim_flight *flight)
{
	const struct request *request = flight->request;
	const char *look = request->get ? "%22value%22%3A" : "\"value\":";
	const char *at = request->get ? request->url.data : request->body.data;
	size_t len = strlen(look);

	while ((at = strstr(at, look)) != NULL) {
		at += len;
		if (flight->count == SIM_ROWS) {
			sim_complain(sim, "a request of too many rows");
			return;
		}
		flight->rows[flight->count++] = atoi(at);
	}
}

static int
find_lane(const struct sim *sim, const char *ns)
{
	int i;

	for (i = 0; i < sim->lane_count; i++)
		if (strcmp(sim->lanes[i].ns, ns) == 0)
			return i;
	return -1;
}

static bool
is_too_old(const struct sim *sim, const struct sim_row *row, int64_t wall_ms)
{
	int64_t age_ms = wall_ms - row->put_at;

	return (row->max_age_ms > 0 && age_ms >= row->max_age_ms) ||
	    (sim->config.queue.max_age_ms > 0 &&
		age_ms > sim->config.queue.max_age_ms);
}

static void
send_row(struct sim *sim, const struct sim_flight *flight, int index)
{
	struct sim_row *row = &sim->rows[index];

	if (index < 0 || index >= sim->row_count) {
		sim_complain(sim, "a row nobody put: %d", index);
		return;
	}
	if (sim->series[row->series].lane != flight->lane)
		sim_complain(sim, "row %d went with another lane", index);
	if (row->out++ > 0)
		sim_complain(sim, "row %d is out twice", index);
	if (row->clean)
		sim_complain(sim, "row %d, which was taken, went again", index);
	if (row->end != SIM_PENDING && !row->replayed)
		sim_complain(sim, "row %d went although it had ended", index);
	if (flight->trip->errand != ERRAND_PART &&
	    is_too_old(sim, row, sim->wall_ms))
		sim_complain(sim, "row %d went although it was too old", index);
}

static void
check_size(struct sim *sim, const struct sim_flight *flight)
{
	const struct request *request = flight->request;
	int beside = simair_count(sim, flight->lane);

	if (flight->count == 0 || (size_t)flight->count != request->rows)
		sim_complain(sim, "a request says %zu rows and has %d",
		    request->rows, flight->count);
	if (flight->count > sim->most_rows)
		sim_complain(sim, "a request of %d rows, above %d",
		    flight->count, sim->most_rows);
	if (flight->count > 1 && (int64_t)request->bytes > sim->most_bytes)
		sim_complain(sim, "a request of %zu bytes, above %lld",
		    request->bytes, (long long)sim->most_bytes);
	if (beside + 1 > sim->most_flights)
		sim_complain(
		    sim, "%d requests of a lane at a time", beside + 1);
	if (flight->trip->lane->row.state == LANE_HELD &&
	    flight->trip->errand != ERRAND_PROBE)
		sim_complain(
		    sim, "errand %d of a held lane", (int)flight->trip->errand);
	if (beside > 0 && flight->trip->errand != ERRAND_DRAIN)
		sim_complain(sim, "errand %d went beside others",
		    (int)flight->trip->errand);
}

static const char *const ERRANDS[] = {
	[ERRAND_DRAIN] = "drain",
	[ERRAND_PART] = "part",
	[ERRAND_CANARY] = "canary",
	[ERRAND_SCOUT] = "scout",
	[ERRAND_CHECK] = "check",
	[ERRAND_PROBE] = "probe",
};

void
simbooks_sent(struct sim *sim, struct sim_flight *flight)
{
	char ns[32];
	int i;

	read_rows(sim, flight);
	simreceiver_member(flight->request, "Namespace", ns, sizeof(ns));
	flight->lane = find_lane(sim, ns);
	if (flight->lane < 0 || strcmp(flight->trip->lane->row.ns, ns) != 0) {
		sim_complain(sim, "a request of lane %s for %s",
		    flight->trip->lane->row.ns, ns);
		flight->lane = 0;
	}
	sim_say(sim, "%s %s, %d rows from %d, %zu bytes", ns,
	    ERRANDS[flight->trip->errand], flight->count,
	    flight->count > 0 ? flight->rows[0] : 0, flight->request->bytes);
	check_size(sim, flight);
	for (i = 0; i < flight->count && !sim->failed; i++)
		send_row(sim, flight, flight->rows[i]);
	simcases_sent(sim, flight);
	simbounds_sent(sim, flight);
	sim->requests++;
}

void
simbooks_taken(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_series *series;
	struct sim_row *row;
	int i;

	for (i = 0; i < flight->count; i++) {
		row = &sim->rows[flight->rows[i]];
		series = &sim->series[row->series];
		row->aloft++;
		if (row->taken++ > 0)
			continue;
		if (sim->ordered && flight->rows[i] < series->newest_taken &&
		    !row->alone)
			sim_complain(sim, "row %d was taken after row %d",
			    flight->rows[i], series->newest_taken);
		if (series->newest_taken < flight->rows[i])
			series->newest_taken = flight->rows[i];
	}
}

static bool
one_series(const struct sim *sim, const struct sim_flight *flight)
{
	int i, series = sim->rows[flight->rows[0]].series;

	for (i = 1; i < flight->count; i++)
		if (sim->rows[flight->rows[i]].series != series)
			return false;
	return true;
}

/* Whether rows may die of such an answer, if they got it alone. */
static bool
blames(const struct sim_heard *heard)
{
	static const int CODES[] = { 1004, 1005, 1009, 1010, 1013, 1015, 1016,
		1017, 1019, 1020, 4000 };
	size_t i;

	if (heard->http == 413 || heard->http == 414)
		return true;
	for (i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++)
		if (heard->code == CODES[i])
			return true;
	return false;
}

/* Whether it takes an accepted request beside it, as well. */
static bool
needs_contrast(const struct sim_heard *heard)
{
	return heard->code != 1015 && heard->code != 1016 &&
	    heard->code != 1017 && heard->code != 1020;
}

/* What may die of this answer. */
static void
convict(struct sim *sim, const struct sim_flight *flight)
{
	int code = flight->heard.code, i;
	struct sim_row *row;
	bool shape = code == 1017 || code == 1020;

	if (!blames(&flight->heard) ||
	    (shape ? !one_series(sim, flight) : flight->count > 1))
		return;
	for (i = 0; i < flight->count; i++) {
		row = &sim->rows[flight->rows[i]];
		row->convicted = row->alone = true;
		row->by_contrast = needs_contrast(&flight->heard);
		row->refused_ms = sim->steady_ms;
	}
	if (shape)
		sim->series[sim->rows[flight->rows[0]].series].convicted = true;
	if (code == 1016)
		sim->lanes[flight->lane].convicted = true;
}

static void
tell_row(struct sim_row *row, const struct sim_heard *heard)
{
	row->out--;
	row->tries += !heard->unsent;
	row->doubted |= heard->doubtful;
	if (!heard->taken)
		return;
	row->aloft--;
	if (heard->doubtful)
		row->lost++;
	else
		row->clean = true;
}

void
simbooks_told(struct sim *sim, const struct sim_flight *flight)
{
	const struct sim_heard *heard = &flight->heard;
	int i;

	sim_say(sim, "%s told: transfer %d http %d code %d",
	    sim->lanes[flight->lane].ns, heard->transfer, heard->http,
	    heard->code);
	for (i = 0; i < flight->count; i++)
		tell_row(&sim->rows[flight->rows[i]], heard);
	if (heard->transfer == 0 && !heard->doubtful) {
		convict(sim, flight);
		sim->released = true;
		if (heard->taken)
			sim->taken_ms[flight->lane] = sim->steady_ms;
	}
	simcases_told(sim, flight);
	simbounds_told(sim, flight);
}

void
simbooks_lost(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_row *row;
	int i;

	for (i = 0; i < flight->count; i++) {
		row = &sim->rows[flight->rows[i]];
		row->out--;
		row->lost += flight->heard.taken;
		row->aloft -= flight->heard.taken;
	}
	sim->cases[flight->lane].open = false;
}

/* ---- lanes ---- */

static const char *const STATES[] = {
	[LANE_READY] = "ready",
	[LANE_WAITING] = "waiting",
	[LANE_HELD] = "held",
};

static void
see_lane(struct sim *sim, const struct lane *lane)
{
	struct sim_lane *seen = &sim->lanes[find_lane(sim, lane->row.ns)];
	int now = (int)lane->row.state, before = seen->state;

	if (now != before)
		sim_say(sim, "%s is %s: scope %s code %lld %s, by %s", seen->ns,
		    STATES[now], lane->row.scope, (long long)lane->row.code,
		    lane->row.reason, lane->row.held_by);
	seen->state = now;
	if (now == LANE_HELD)
		sim->cases[seen - sim->lanes].open = false;
	if (before == LANE_HELD && now == LANE_WAITING && !sim->wished)
		sim_complain(sim, "%s was held and waits", seen->ns);
	if (before == LANE_HELD && now == LANE_READY && !sim->released &&
	    !sim->wished)
		sim_complain(
		    sim, "%s was held, and is ready for no reason", seen->ns);
	if (lane->out > lane->trip_count || lane->taken < 0 ||
	    (!lane_is_busy(lane) && lane->taken != 0))
		sim_complain(sim, "%s: %zu out, %lld rows taken", seen->ns,
		    lane->out, (long long)lane->taken);
	if ((int)lane->out != simair_count(sim, (int)(seen - sim->lanes)))
		sim_complain(sim, "%s: %zu out, %d in the air", seen->ns,
		    lane->out, simair_count(sim, (int)(seen - sim->lanes)));
}

void
simbooks_see(struct sim *sim)
{
	size_t i;

	for (i = 0; i < sim->core->lane_count; i++)
		see_lane(sim, sim->core->lanes[i]);
}

/* Whether all that was told is written down. */
static bool
is_settled(const struct sim *sim)
{
	return sim->core->settle.head == NULL && !sim->core->settle.blocked;
}

void
simbooks_turned(struct sim *sim)
{
	int i;

	sim->turns++;
	if (++sim->turns_here > IDLE_TURNS_MOST)
		sim_complain(sim, "the core spins");
	simbooks_see(sim);
	if (!is_settled(sim))
		return;
	sim->released = false;
	for (i = 0; i < sim->series_count; i++)
		if (sim->series[i].convicted) {
			sim->series[i].convicted = false;
			sim->series[i].doomed_below = sim->row_count;
		}
	for (i = 0; i < sim->lane_count; i++)
		if (sim->lanes[i].convicted) {
			sim->lanes[i].convicted = false;
			sim->lanes[i].doomed_below = sim->row_count;
		}
}

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

	if (row->clean || is_too_old(sim, row, high_of(sim, row)))
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
	if (!is_settled(sim))
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

	if (!core_quiet(sim->core) || sim->core->look || !is_settled(sim))
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
		if (find_lane(sim, held->row.ns) != lane)
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
			    lane->state < 0 ? "?" : STATES[lane->state]);
	}
}
