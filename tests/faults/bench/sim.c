#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "forward/core_state.h"

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

int
sim_find_lane(const struct sim *sim, const char *ns)
{
	int i;

	for (i = 0; i < sim->lane_count; i++)
		if (strcmp(sim->lanes[i].ns, ns) == 0)
			return i;
	return -1;
}

bool
sim_is_too_old(
    const struct sim *sim, const struct sim_row *row, int64_t wall_ms)
{
	int64_t age_ms = wall_ms - row->put_at;

	return (row->max_age_ms > 0 && age_ms >= row->max_age_ms) ||
	    (sim->config.queue.max_age_ms > 0 &&
		age_ms > sim->config.queue.max_age_ms);
}

bool
sim_is_settled(const struct sim *sim)
{
	return sim->core->settle.head == NULL && !sim->core->settle.blocked;
}
