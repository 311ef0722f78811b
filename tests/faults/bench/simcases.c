#include "sim.h"

#include <math.h>

#include "forward/lane.h"

/*
 * What the isolation of one refused batch costs, held against the bound of
 * contract.md C5.  A case is spoiled, and not counted, when the batch has
 * guilty rows of several kinds or something else goes wrong meanwhile.
 */

static bool
blames_series(int code)
{
	return code == 1017 || code == 1020;
}

/* 1004 is tried again first, which costs one request more. */
static bool
blames_row(int code)
{
	return code == 1005 || code == 1009 || code == 1010 || code == 1013 ||
	    code == 1019 || code == 4000;
}

/* Count units and guilty ones of the batch; false if it is mixed. */
static bool
count_units(
    const struct sim *sim, const struct sim_flight *flight, struct sim_case *it)
{
	bool met[SIM_SERIES] = { false };
	const struct sim_series *series;
	const struct sim_row *row;
	int i;

	for (i = 0; i < flight->count; i++) {
		row = &sim->rows[flight->rows[i]];
		series = &sim->series[row->series];
		if (it->by_series ? row->code != 0 : series->code != 0)
			return false;
		if (row->code == 1004 || series->big)
			return false;
		if (it->by_series && met[row->series])
			continue;
		met[row->series] = true;
		it->units++;
		it->guilty += it->by_series ? series->code != 0
					    : row->code != 0;
	}
	return it->guilty > 0;
}

static void
open_case(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_case *it = &sim->cases[flight->lane];

	*it = (struct sim_case){ .busy = true,
		.requests = 1,
		.by_series = blames_series(flight->heard.code) };
	it->open = sim->honest && count_units(sim, flight, it) && it->units > 1;
}

static void
close_case(struct sim *sim, struct sim_case *it)
{
	double n = it->units, k = it->guilty;
	double bound = 2 * k * (log2(n / k) + 2);

	it->open = false;
	if (bound > 2 * n - 1)
		bound = 2 * n - 1;
	sim_say(sim, "  isolation: %d of %d guilty, %d requests, bound %.1f",
	    it->guilty, it->units, it->requests, bound);
	if (it->requests > bound)
		sim_complain(sim,
		    "%d guilty of %d cost %d requests, above %.1f", it->guilty,
		    it->units, it->requests, bound);
}

void
simcases_sent(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_case *it = &sim->cases[flight->lane];

	if (flight->trip->errand == ERRAND_PART) {
		it->requests++;
		return;
	}
	if (it->open)
		close_case(sim, it);
	it->busy = false;
}

void
simcases_told(struct sim *sim, const struct sim_flight *flight)
{
	const struct sim_heard *heard = &flight->heard;
	struct sim_case *it = &sim->cases[flight->lane];
	bool judged = heard->transfer == 0 && !heard->doubtful &&
	    (heard->code == 0 || blames_series(heard->code) ||
		blames_row(heard->code));

	if (!it->busy && judged && heard->code != 0 && flight->count > 1 &&
	    errand_drains(flight->trip->errand))
		open_case(sim, flight);
	if (!judged || sim->receiver.mood != SIM_WELL)
		it->open = false;
}
