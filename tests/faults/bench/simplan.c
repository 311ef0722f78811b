#include "sim.h"

#include <stdio.h>
#include <string.h>

/* A request with a row of a big series is longer, any other lone row's shorter. */
#define STANDING_LIMIT 1400
#define BIG 1300

static const int SHAPE_CODES[] = { 1017, 1020 };
static const int ROW_CODES[] = { 1004, 1005, 1009, 1010, 1013, 1019, 4000 };
static const int PACE_CODES[] = { 1006, 429, 4400 };
static const int SIZE_CODES[] = { 1015, 413, 1015, 414 };

#define PICK(sim, array) \
	((array)[sim_below((sim), (int)(sizeof(array) / sizeof((array)[0])))])

static int64_t
between(struct sim *sim, int64_t least, int64_t most)
{
	return least +
	    (int64_t)(bench_random(&sim->chance) %
		(uint64_t)(most - least + 1));
}

/* ---- settings ---- */

static void
draw_batch(struct sim *sim, struct config *config)
{
	struct config_batch *batch = &config->batch;

	batch->in_flight = sim_odds(sim, 50) ? 1 : between(sim, 2, 8);
	batch->max_rows = sim_odds(sim, 70) ? between(sim, 1, 40) : 100;
	batch->max_bytes = sim_odds(sim, 50) ? between(sim, 700, 8192) : 65536;
	batch->linger_ms = sim_odds(sim, 70) ? 0 : between(sim, 1, 2000);
	config->receiver.get = sim_odds(sim, 15);
	config->receiver.clock_correction_ms = sim_odds(sim, 80)
	    ? 24 * SIM_HOUR_MS
	    : 0;
}

static void
draw_rate(struct sim *sim, struct config *config)
{
	struct config_rate *rate = &config->rate;

	rate->requests_per_second = sim_odds(sim, 60)
	    ? 0
	    : (double)between(sim, 1, 100) / 2;
	rate->burst = (double)between(sim, 1, 20);
	rate->rows_per_minute = sim_odds(sim, 80)
	    ? 0
	    : (double)between(sim, 60, 6000);
}

static void
draw_retry(struct sim *sim, struct config *config)
{
	struct config_retry *retry = &config->retry;

	retry->base_ms = between(sim, 100, 5000);
	retry->max_ms = between(sim, 10, 300) * 1000;
	retry->hold_probe_least_ms = between(sim, 1, 60) * 1000;
	retry->hold_probe_most_ms = between(sim, 60, 900) * 1000;
	retry->blocked_probe_least_ms = between(sim, 60, 900) * 1000;
	retry->blocked_probe_most_ms = between(sim, 900, 3600) * 1000;
	retry->hold_after = between(sim, 1, 8);
}

static void
draw_policy(struct sim *sim, struct config *config)
{
	static const enum config_late LATE[] = { CONFIG_LATE_SEND,
		CONFIG_LATE_LATEST_ONLY, CONFIG_LATE_DEAD_LETTER };

	config->receiver.ambiguous_dead_letter = sim_odds(sim, 10);
	config->dead.soft = sim_odds(sim, 5);
	config->dead.brake_rows = sim_odds(sim, 90) ? 0 : between(sim, 1, 30);
	config->dead.brake_ms = 10 * SIM_MINUTE_MS;
	config->queue.max_age_ms = sim_odds(sim, 85) ? 0 : SIM_HOUR_MS;
	config->queue.attempts_kept = between(sim, 100, 1000);
	config->late.after_ms = sim_odds(sim, 50) ? 0 : 30 * SIM_MINUTE_MS;
	config->late.policy = sim_odds(sim, 70) ? CONFIG_LATE_SEND
						: PICK(sim, LATE);
	config->late.rate = sim_odds(sim, 90) ? 0 : (double)between(sim, 1, 50);
}

/* Late rows drain from both ends, some of them slowly. */
static void
draw_share(struct sim *sim, struct config *config)
{
	config->late.fresh_share = between(sim, 1, 90);
	config->late.policy = CONFIG_LATE_SEND;
	config->late.after_ms = between(sim, 1, 30) * SIM_MINUTE_MS;
	if (sim_odds(sim, 30))
		config->late.rate = (double)between(sim, 1, 50);
}

static void
draw_config(struct sim *sim)
{
	struct config *config = &sim->config;

	*config = sim->base;
	config->account_count = (size_t)between(sim, 1, SIM_ACCOUNTS);
	draw_batch(sim, config);
	draw_rate(sim, config);
	draw_retry(sim, config);
	draw_policy(sim, config);
	if (sim_odds(sim, 20))
		draw_share(sim, config);
}

void
simplan_draw_reload(struct sim *sim, struct config *config)
{
	*config = sim->config;
	draw_rate(sim, config);
	draw_retry(sim, config);
	if (!sim->ordered)
		draw_batch(sim, config);
	if (!sim->ordered && config->late.policy == CONFIG_LATE_SEND)
		draw_share(sim, config);
	if (sim_odds(sim, 30))
		config->late.fresh_share = 0;
	if (sim_odds(sim, 20)) /* a key is gone, until the next time */
		config->account_count = 1;
	else
		config->account_count = (size_t)sim->account_count;
}

/* ---- lanes, series, rows ---- */

static void
draw_lanes(struct sim *sim)
{
	static const char *const NAMES[SIM_LANES] = { "cvm", "pc", "lab", "db",
		"cdn", "vpn" };
	struct sim_lane *lane;
	int i;

	sim->lane_count = 1 + sim_below(sim, sim_odds(sim, 60) ? 2 : SIM_LANES);
	for (i = 0; i < sim->lane_count; i++) {
		lane = &sim->lanes[i];
		*lane = (struct sim_lane){ .ns = NAMES[i], .state = -1 };
		lane->account = sim->config
				    .accounts[sim_below(
					sim, (int)sim->config.account_count)]
				    .name;
		if (sim_odds(sim, 6))
			lane->code = 1016;
	}
}

static void
draw_series(struct sim *sim, int guilty)
{
	struct sim_series *series;
	int i;

	sim->series_count = sim->lane_count +
	    sim_below(sim, SIM_SERIES - sim->lane_count);
	for (i = 0; i < sim->series_count; i++) {
		series = &sim->series[i];
		*series = (struct sim_series){ .newest_taken = -1 };
		series->lane = i < sim->lane_count
		    ? i
		    : sim_below(sim, sim->lane_count);
		if (sim_odds(sim, guilty))
			series->code = PICK(sim, SHAPE_CODES);
		series->big = sim->standing_limit > 0 && sim_odds(sim, 10);
	}
}

int
simplan_rows(struct sim *sim, int count)
{
	int first = sim->row_count, i;
	struct sim_row *row;

	if (count > SIM_ROWS - first)
		count = SIM_ROWS - first;
	for (i = first; i < first + count; i++) {
		row = &sim->rows[i];
		*row = (struct sim_row){ .put_at = sim->wall_ms,
			.high_at = sim->wall_ms };
		row->series = sim_below(sim, sim->series_count);
		if (sim_odds(sim, sim->bad_rows))
			row->code = PICK(sim, ROW_CODES);
		if (sim->ages && sim_odds(sim, 10))
			row->max_age_ms = between(sim, 1, 60) * SIM_MINUTE_MS;
	}
	sim->row_count = first + count;
	return first;
}

void
simplan_name(
    const struct sim *sim, int series, char metric[32], char value[1400])
{
	int len;

	snprintf(metric, 32, "m%d", series % 3);
	len = snprintf(value, 1400, "s%dx", series);
	if (!sim->series[series].big)
		return;
	memset(value + len, 'b', (size_t)(BIG - len));
	value[BIG] = '\0';
}

bool
sim_is_guilty(const struct sim *sim, const struct sim_row *row)
{
	const struct sim_series *series = &sim->series[row->series];

	return row->code != 0 || series->code != 0 || series->big ||
	    sim->lanes[series->lane].code != 0;
}

/* ---- the receiver ---- */

static void
draw_receiver(struct sim *sim)
{
	struct sim_receiver *receiver = &sim->receiver;

	*receiver = (struct sim_receiver){ .mood = SIM_WELL,
		.limit = sim->standing_limit,
		.limit_code = 1015,
		.strict_clock = sim_odds(sim, 30),
		.says_date = sim_odds(sim, 70),
		.any_guilt = sim_odds(sim, 50) };
}

static void
set_pace(struct sim *sim, double rate, int code)
{
	sim->receiver.rate = rate;
	sim->receiver.tokens = 0;
	sim->receiver.filled_ms = sim->steady_ms;
	sim->receiver.pace_code = code;
}

void
simplan_mood(struct sim *sim)
{
	struct sim_receiver *receiver = &sim->receiver;

	simreceiver_heal(sim);
	receiver->mood = sim_odds(sim, 40)
	    ? SIM_FLAKY
	    : (enum sim_mood)sim_below(sim, SIM_MOODS);
	if (receiver->mood == SIM_SLANDER && !sim_odds(sim, 20))
		receiver->mood = SIM_WELL;
	receiver->fault = sim_below(sim, simreceiver_faults());
	receiver->odds = 5 + sim_below(sim, 60);
	receiver->slander = sim_odds(sim, 50) ? PICK(sim, ROW_CODES)
					      : PICK(sim, SHAPE_CODES);
	receiver->lane = sim_below(sim, sim->lane_count);
	if (receiver->mood == SIM_SLANDER)
		sim->honest = false;
	if (receiver->mood == SIM_BUSY)
		set_pace(sim, (double)between(sim, 1, 40) / 4,
		    PICK(sim, PACE_CODES));
	if (receiver->mood == SIM_CROWDED)
		set_pace(sim, (double)between(sim, 1, 600) / 60, 1018);
	if (receiver->mood == SIM_ASKEW)
		receiver->skew_ms = between(sim, -100, 100) * SIM_HOUR_MS;
	if (receiver->mood == SIM_NARROW) {
		receiver->limit = between(sim, 900, 3000);
		if (sim->standing_limit > 0 &&
		    receiver->limit > sim->standing_limit)
			receiver->limit = sim->standing_limit;
		receiver->limit_code = PICK(sim, SIZE_CODES);
	}
	sim_say(sim, "mood %d fault %d odds %d slander %d limit %lld",
	    (int)receiver->mood, receiver->fault, receiver->odds,
	    receiver->slander, (long long)receiver->limit);
}

void
simplan_draw(struct sim *sim)
{
	int guilty;

	sim->chance = sim->seed;
	sim->honest = true;
	sim->quiet = sim_odds(sim, 25);
	sim->ages = sim_odds(sim, 10);
	guilty = sim_odds(sim, 50) ? 0 : sim_below(sim, 40);
	sim->bad_rows = sim_odds(sim, 60) ? 0 : sim_below(sim, 15);
	sim->standing_limit = sim_odds(sim, 85) ? 0 : STANDING_LIMIT;
	sim->delay_ms = sim_odds(sim, 70) ? 20 : 9000;
	sim->mode = CORE_RUN;
	draw_config(sim);
	sim->account_count = (int)sim->config.account_count;
	sim->ordered = sim->config.batch.in_flight == 1 &&
	    sim->config.late.fresh_share == 0;
	draw_lanes(sim);
	draw_series(sim, guilty);
	draw_receiver(sim);
}
