#include "sim.h"

#include <string.h>

#include <sqlite3.h>

#include "forward/lane.h"
#include "queue/db.h"

/*
 * What the settings bound: how fast an account sends, how long it pauses, how
 * many rows of a lane die in a while, which late rows are sent.
 */

#define ROW_PAUSE_MS SIM_MINUTE_MS
/* Times are whole milliseconds. */
#define NEARLY 0.98

static int
account_of(const struct sim *sim, int lane)
{
	const char *name = sim->lanes[lane].account;
	int i;

	for (i = 0; i < SIM_ACCOUNTS - 1; i++)
		if (strcmp(sim->base.accounts[i].name, name) == 0)
			break;
	return i;
}

static void
fill(struct sim_bucket *bucket, double rate, double most)
{
	bucket->rate = rate;
	bucket->tokens = bucket->most = most < 1 ? 1 : most;
}

void
simbounds_start(struct sim *sim)
{
	const struct config_rate *rate = &sim->config.rate;
	double rows = rate->rows_per_minute / 60;
	int i;

	for (i = 0; i < SIM_ACCOUNTS; i++) {
		fill(&sim->requests_of[i], rate->requests_per_second,
		    rate->burst);
		fill(&sim->rows_of[i], rows, rows * 10);
		sim->requests_of[i].at_ms = sim->steady_ms;
		sim->rows_of[i].at_ms = sim->steady_ms;
		if (sim->core == NULL || i >= (int)sim->config.account_count)
			sim->paused_until_ms[i] = 0;
	}
}

void
simbounds_hurry(struct sim *sim)
{
	memset(sim->paused_until_ms, 0, sizeof(sim->paused_until_ms));
}

/* Whether a request may go; ${units} are spent. */
static bool
spend(const struct sim *sim, struct sim_bucket *bucket, double units)
{
	bool may;

	if (bucket->rate <= 0)
		return true;
	bucket->tokens += bucket->rate *
	    (double)(sim->steady_ms - bucket->at_ms) / 1e3;
	bucket->at_ms = sim->steady_ms;
	if (bucket->tokens > bucket->most)
		bucket->tokens = bucket->most;
	may = bucket->tokens >= NEARLY;
	bucket->tokens -= units;
	return may;
}

/* Of the late rows of a series the newest alone is sent. */
static bool
has_older(const struct sim *sim, const struct sim_flight *flight, int at)
{
	const struct sim_row *row = &sim->rows[flight->rows[at]], *other;
	int i;

	for (i = 0; i < at; i++) {
		other = &sim->rows[flight->rows[i]];
		if (other->series == row->series && !other->replayed &&
		    !row->replayed &&
		    sim->wall_ms - other->put_at > sim->config.late.after_ms &&
		    sim->wall_ms - row->put_at > sim->config.late.after_ms)
			return true;
	}
	return false;
}

static void
check_late(struct sim *sim, const struct sim_flight *flight)
{
	const struct config_late_section *late = &sim->config.late;
	int i;

	if (late->policy != CONFIG_LATE_LATEST_ONLY || late->after_ms == 0 ||
	    !errand_drains(flight->trip->errand))
		return;
	for (i = 1; i < flight->count; i++)
		if (has_older(sim, flight, i))
			sim_complain(sim,
			    "row %d, which is late, went with an older one",
			    flight->rows[i]);
}

void
simbounds_sent(struct sim *sim, const struct sim_flight *flight)
{
	int account = account_of(sim, flight->lane);

	if (sim->steady_ms < sim->paused_until_ms[account])
		sim_complain(sim, "a request goes %lld ms too early",
		    (long long)(sim->paused_until_ms[account] -
			sim->steady_ms));
	if (!spend(sim, &sim->requests_of[account], 1))
		sim_complain(sim, "more requests than rate allows");
	if (!spend(sim, &sim->rows_of[account], flight->count))
		sim_complain(sim, "more rows than rate allows");
	check_late(sim, flight);
}

void
simbounds_told(struct sim *sim, const struct sim_flight *flight)
{
	const struct sim_heard *heard = &flight->heard;
	int account = account_of(sim, flight->lane);
	int64_t *until_ms = &sim->paused_until_ms[account];
	int64_t wait_ms = heard->code == 1018 ? ROW_PAUSE_MS
	    : heard->http == 429              ? heard->retry_after_ms
					      : 0;

	/* an account that went meanwhile keeps nothing */
	if (account < (int)sim->config.account_count && heard->transfer == 0 &&
	    *until_ms < sim->steady_ms + wait_ms)
		*until_ms = sim->steady_ms + wait_ms;
}

/* ---- the brake ---- */

/* Deaths in the time that the brake is sure to look back on. */
static void
check_span(struct sim *sim, const int64_t *died_at, int count)
{
	int64_t span_ms = sim->config.dead.brake_ms / 16 * 15;
	int most = (int)sim->config.dead.brake_rows, i;

	for (i = most; i < count; i++)
		if (died_at[i] - died_at[i - most] < span_ms)
			sim_complain(sim, "%d rows of a lane died in %lld ms",
			    most + 1,
			    (long long)(died_at[i] - died_at[i - most]));
}

void
simbounds_end(struct sim *sim)
{
	int64_t died_at[SIM_ROWS], lane_id = -1;
	int count = 0;

	if (sim->config.dead.brake_rows == 0 || sim->began_anew || sim->wished)
		return;
	sqlite3_bind_int64(sim->deaths, 1, sim->base_id);
	while (sqlite3_step(sim->deaths) == SQLITE_ROW) {
		if (sqlite3_column_int64(sim->deaths, 0) != lane_id) {
			check_span(sim, died_at, count);
			lane_id = sqlite3_column_int64(sim->deaths, 0);
			count = 0;
		}
		died_at[count++] = sqlite3_column_int64(sim->deaths, 1);
	}
	sqlite3_reset(sim->deaths);
	check_span(sim, died_at, count);
}
