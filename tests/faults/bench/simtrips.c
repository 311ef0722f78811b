#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "forward/lane.h"
#include "protocol/request.h"

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
	    sim_is_too_old(sim, row, sim->wall_ms))
		sim_complain(sim, "row %d went although it was too old", index);
}

static bool
is_fresh_out(const struct sim *sim, const struct sim_flight *flight)
{
	const struct sim_flight *other;

	for (other = sim->flights; other != NULL; other = other->next)
		if (other != flight && other->lane == flight->lane &&
		    other->trip->errand == ERRAND_FRESH)
			return true;
	return false;
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
	if (beside > 0 && !errand_drains(flight->trip->errand))
		sim_complain(sim, "errand %d went beside others",
		    (int)flight->trip->errand);
	if (flight->trip->errand == ERRAND_FRESH && is_fresh_out(sim, flight))
		sim_complain(sim, "two requests of a fresh end at a time");
}

static const char *const ERRANDS[] = {
	[ERRAND_DRAIN] = "drain",
	[ERRAND_FRESH] = "fresh",
	[ERRAND_PART] = "part",
	[ERRAND_CANARY] = "canary",
	[ERRAND_SCOUT] = "scout",
	[ERRAND_CHECK] = "check",
	[ERRAND_PROBE] = "probe",
};

void
simtrips_sent(struct sim *sim, struct sim_flight *flight)
{
	char ns[32];
	int i;

	read_rows(sim, flight);
	simreceiver_member(flight->request, "Namespace", ns, sizeof(ns));
	flight->lane = sim_find_lane(sim, ns);
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
simtrips_taken(struct sim *sim, const struct sim_flight *flight)
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
simtrips_told(struct sim *sim, const struct sim_flight *flight)
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
simtrips_lost(struct sim *sim, const struct sim_flight *flight)
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
