#include "sim.h"

#include "forward/core_state.h"
#include "forward/lane.h"

#define IDLE_TURNS_MOST 100

static const char *const STATES[] = {
	[LANE_READY] = "ready",
	[LANE_WAITING] = "waiting",
	[LANE_HELD] = "held",
};

const char *
simlanes_state(const struct sim_lane *lane)
{
	return lane->state < 0 ? "unknown" : STATES[lane->state];
}

static void
see_lane(struct sim *sim, const struct lane *lane)
{
	struct sim_lane *seen = &sim->lanes[sim_find_lane(sim, lane->row.ns)];
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
simlanes_see(struct sim *sim)
{
	size_t i;

	for (i = 0; i < sim->core->lane_count; i++)
		see_lane(sim, sim->core->lanes[i]);
}

void
simlanes_turned(struct sim *sim)
{
	int i;

	sim->turns++;
	if (++sim->turns_here > IDLE_TURNS_MOST)
		sim_complain(sim, "the core spins");
	simlanes_see(sim);
	if (!sim_is_settled(sim))
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
