#include "bounds.h"

#include "base/text.h"

#include "core_state.h"
#include "lane.h"

int64_t
bounds_left(const struct core *core)
{
	int64_t left = core->bounds.rows - core->spent;
	size_t i;

	if (core->bounds.rows == 0)
		return INT64_MAX;
	for (i = 0; i < core->lane_count; i++)
		left -= core->lanes[i]->taken;
	return left > 0 ? left : 0;
}

bool
bounds_skip(const struct core *core, const struct lane *lane)
{
	const char *globs = core->bounds.namespaces;

	return globs != NULL && !text_globs(globs, lane->row.ns);
}
