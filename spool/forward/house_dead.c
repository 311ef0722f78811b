#include "housekeeping_state.h"

#include <stdlib.h>

#include "base/log.h"
#include "queue/purge.h"

#define DEAD_MS 60000 /* between looks at the bounds */
#define DEAD_STEP 100 /* rows a step */

#define CLOCK_SET_MS 3600000    /* that the clock moves by when it is set */
#define CLOCK_NEW_MS 3600000    /* of the machine, until it is believed */
#define CLOCK_DOUBT_MS 86400000 /* and after it was set */

/* Whether the clock can tell how long ago somebody died.  It may jump by years
 * and back, and what went in between would be gone for good: one that was set is
 * believed after a day.  A machine may start without the time, with a network still
 * to tell it: that is given an hour. */
static bool
is_clock_believed(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	int64_t offset_ms = wall_ms - steady_ms;
	bool first = housekeeping->clock_ms < 0;

	if (first ||
	    llabs(offset_ms - housekeeping->clock_offset_ms) > CLOCK_SET_MS) {
		housekeeping->clock_offset_ms = offset_ms;
		/* the steady clock counts from the start of the machine */
		housekeeping->clock_ms = first ? CLOCK_NEW_MS
					       : steady_ms + CLOCK_DOUBT_MS;
	}
	return steady_ms >= housekeeping->clock_ms;
}

/* Over their bounds the oldest go.  Return when to look again. */
int64_t
house_dead(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	int64_t before = -1, gone;

	if (steady_ms < housekeeping->dead_ms)
		return housekeeping->dead_ms;
	if (is_clock_believed(housekeeping, steady_ms, wall_ms) &&
	    housekeeping->dead_age_ms > 0)
		before = wall_ms - housekeeping->dead_age_ms;
	gone = purge_bounds(
	    housekeeping->db, housekeeping->dead_rows, before, DEAD_STEP);
	if (gone == -1)
		house_complain(housekeeping, "dead");
	if (gone > 0)
		log_event(
		    LOG_WARN, "dead_purged", "rows=%lld", (long long)gone);
	housekeeping->dead_ms = steady_ms +
	    (gone == DEAD_STEP ? STEP_MS : DEAD_MS);
	return housekeeping->dead_ms;
}
