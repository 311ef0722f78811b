/* links: forward */
/*
 * What the settings and the receiver's own words forbid, on every road that an
 * answer can take: rows in doubt are not sent again, nothing dies in soft mode
 * or past the brake, nobody knocks before Retry-After.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim.h"

#define MINUTE_MS (60 * 1000)
#define HOUR_MS (60 * MINUTE_MS)

static const struct said CUT = { .transfer = 28, .body = "" };
static const struct said PORTAL = { .http = 200, .body = "<html>" };
static const struct said TAKEN_BUT_404 = { .http = 404, .code = 0 };
static const struct said PARTLY_DONE = { .http = 200, .code = 5400 };

/* Rows in doubt are to die; the receiver answers all with ${lie}. */
static void
forbid_doubt(struct sim *sim, const struct said *lie)
{
	sim->config.receiver.ambiguous_dead_letter = true;
	sim->receiver = lies;
	sim->lie = lie;
}

/* How the rows died. */
struct deaths {
	int rows;
	int64_t most_attempts;
};

static int
count_death(void *cookie, const struct deadletter_row *row)
{
	struct deaths *deaths = cookie;

	assert_string_equal(row->cause, "ambiguous");
	deaths->rows++;
	if (row->attempts > deaths->most_attempts)
		deaths->most_attempts = row->attempts;
	return 0;
}

/* Every dead row died in doubt, of the one request that carried it. */
static void
check_deaths(struct sim *sim, int rows)
{
	const struct deadletter_filter all = { .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };
	struct deaths deaths = { 0 };

	assert_int_not_equal(deadletter_list(sim->db, &all, DEADLETTER_BY_ID,
				 -1, count_death, &deaths),
	    -1);
	assert_int_equal(deaths.rows, rows);
	assert_int_equal(deaths.most_attempts, 1);
	assert_int_equal(ledger(sim).dead, rows);
}

static void
buries_doubtful_rows_whatever_the_verdict_says_of_the_lane(void **state)
{
	static const struct said *const HOLDING[] = { &TAKEN_BUT_404,
		&PARTLY_DONE };
	struct sim *sim = *state;

	forbid_doubt(sim, HOLDING[sim->variant]);
	put(sim, (struct put){ "cvm", 100, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1);
	check_deaths(sim, 100);
	assert_int_equal(ledger(sim).ambiguous, 1);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
}

static int
setup_variant_1(void **state)
{
	int failed = setup(state);

	((struct sim *)*state)->variant = 1;
	return failed;
}

static void
buries_the_row_of_a_probe_that_ends_in_doubt(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 500, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	/* The rows of the refused request are not in doubt. */
	assert_int_equal(ledger(sim).dead, 0);
	forbid_doubt(sim, &CUT);
	sim->requests = 0;
	run_for(sim, HOUR_MS);
	assert_in_range(sim->requests, 3, 60);
	assert_int_equal(ledger(sim).dead, sim->requests);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	sim->receiver = takes_all;
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 500 - ledger(sim).dead);
}

static void
sends_no_row_again_that_the_brake_keeps_from_dying_of_doubt(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.brake_rows = 250;
	forbid_doubt(sim, &CUT);
	put(sim, (struct put){ "cvm", 1000, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 24 * HOUR_MS);
	assert_int_equal(sim->requests, 3);
	check_deaths(sim, 200);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_string_equal(lane(sim, 0).scope, LANE_BRAKE);
}

static void
holds_a_lane_that_gets_nonsense_also_where_doubt_kills(void **state)
{
	struct sim *sim = *state;

	forbid_doubt(sim, &PORTAL);
	put(sim, (struct put){ "cvm", 2000, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 30 * MINUTE_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	/* Eight batches, and then a row a probe. */
	assert_in_range(ledger(sim).dead, 800, 850);
	check_deaths(sim, (int)ledger(sim).dead);
}

static void
lets_no_row_die_of_doubt_in_soft_mode(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.soft = true;
	forbid_doubt(sim, &CUT);
	put(sim, (struct put){ "cvm", 100, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 24 * HOUR_MS);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_non_null(strstr(lane(sim, 0).reason, "soft"));
}

static void
lets_no_late_row_die_in_soft_mode(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.soft = true;
	sim->config.late.policy = CONFIG_LATE_DEAD_LETTER;
	put(sim, (struct put){ "cvm", 50, 7, 0 });
	sim->wall_ms += HOUR_MS;
	start(sim, CORE_RUN);
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_non_null(strstr(lane(sim, 0).reason, "soft"));
	assert_int_equal(sim->requests, 0);
}

static void
does_not_probe_before_retry_after(void **state)
{
	static const struct said BUSY = { .http = 503,
		.code = -1,
		.body = "",
		.retry_after_ms = 40 * MINUTE_MS };
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1);
	assert_int_equal(sim->requests, 1);
	sim->receiver = lies;
	sim->lie = &BUSY;
	run_for(sim, 40 * MINUTE_MS);
	assert_int_equal(sim->requests, 2);
	run_for(sim, 40 * MINUTE_MS);
	assert_in_range(sim->requests, 3, 3);
}

static void
holds_for_nonsense_only_after_so_many_in_a_row(void **state)
{
	struct sim *sim = *state;
	int requests;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = is_away;
	run_for(sim, HOUR_MS);
	requests = sim->requests;
	assert_true(requests > 8); /* an outage, and then a portal's page */
	sim->receiver = lies;
	sim->lie = &PORTAL;
	while (sim->requests < requests + 7) {
		run_for(sim, 1000);
		assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	}
	run_for(sim, 6 * MINUTE_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_true(sim->requests >= requests + 8);
}

/* Lane "a" is held for ${code}; its next probe is told ${busy}, and lane "b"
 * gets rows right after that.  How long until one of them went. */
static int64_t
probe_too_fast(struct sim *sim, int code, const struct said *busy)
{
	int64_t told_ms;

	sim->receiver = says_code;
	sim->bad_code = code;
	put(sim, (struct put){ "a", 1, 1, 0 });
	start(sim, CORE_RUN);
	while (lane(sim, 0).state != LANE_HELD)
		run_for(sim, 1000);
	sim->receiver = lies;
	sim->lie = busy;
	sim->requests = 0;
	while (sim->requests == 0)
		run_for(sim, 100);
	told_ms = sim->steady_ms;
	sim->receiver = takes_all;
	put(sim, (struct put){ "b", 1, 1, 0 });
	while (sim->requests == 1)
		run_for(sim, 1000);
	return sim->steady_ms - told_ms;
}

static const struct said TOO_FAST = {
	.http = 429, .code = -1, .body = "", .retry_after_ms = 40 * MINUTE_MS
};
static const struct said TOO_MANY_ROWS = { .http = 200, .code = 1018 };

static void
a_probe_that_is_too_fast_slows_the_account(void **state)
{
	struct sim *sim = *state;

	if (sim->variant == 0)
		assert_in_range(probe_too_fast(sim, 1014, &TOO_FAST),
		    39 * MINUTE_MS, 41 * MINUTE_MS);
	else
		assert_in_range(probe_too_fast(sim, 1014, &TOO_MANY_ROWS),
		    MINUTE_MS - 100, MINUTE_MS + 10 * 1000);
}

static void
a_hold_keeps_its_reason_when_a_probe_is_too_fast(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1008;
	put(sim, (struct put){ "a", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	sim->bad_code = 1006;
	while (sim->requests == 1)
		run_for(sim, MINUTE_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(lane(sim, 0).code, 1008);
	assert_string_equal(lane(sim, 0).reason, "said 1008");
	/* Probed as rarely as a block wants it, and not at once at a start. */
	run_for(sim, 14 * MINUTE_MS);
	assert_int_equal(sim->requests, 2);
	stop(sim);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(sim->requests, 2);
}

static void
rows_that_die_of_doubt_slow_the_account_as_well(void **state)
{
	static const struct said TAKEN_TOO_FAST = {
		.http = 429, .code = 0, .retry_after_ms = 40 * MINUTE_MS
	};
	struct sim *sim = *state;

	forbid_doubt(sim, &TAKEN_TOO_FAST);
	put(sim, (struct put){ "a", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1);
	check_deaths(sim, 1);
	assert_string_equal(lane(sim, 0).scope, "pace");
	assert_int_equal(lane(sim, 0).failures, 0);
	put(sim, (struct put){ "b", 1, 1, 0 });
	run_for(sim, 39 * MINUTE_MS);
	assert_int_equal(sim->requests, 1);
}

/* ---- a pause outlives the process and the settings ---- */

/* Lane "a" was told ${busy}; "b" has rows as well, and is ready. */
static void
be_told(struct sim *sim, const struct said *busy)
{
	put(sim, (struct put){ "a", 1, 1, 0 });
	put(sim, (struct put){ "b", 1, 1, 0 });
	sim->config.rate.requests_per_second = 1;
	sim->config.rate.burst = 1;
	sim->receiver = lies;
	sim->lie = busy;
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	assert_int_equal(lane(sim, 1).state, LANE_READY);
	sim->receiver = takes_all;
}

/* Nothing goes for ${ms}, and soon after it everything. */
static void
check_silence(struct sim *sim, int64_t ms)
{
	sim->requests = 0;
	run_for(sim, ms - MINUTE_MS);
	assert_int_equal(sim->requests, 0);
	run_for(sim, 2 * MINUTE_MS);
	assert_int_equal(ledger(sim).pending, 0);
}

static void
a_restart_does_not_end_a_pause(void **state)
{
	static const enum core_mode MODES[] = { CORE_RUN, CORE_ONCE };
	struct sim *sim = *state;

	be_told(sim, &TOO_FAST);
	stop(sim);
	start(sim, MODES[sim->variant]);
	assert_int_equal(core_progress(sim->core), CORE_WORKING);
	check_silence(sim, 40 * MINUTE_MS);
}

static void
a_reload_does_not_end_a_pause(void **state)
{
	struct sim *sim = *state;

	be_told(sim, &TOO_FAST);
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	check_silence(sim, 40 * MINUTE_MS);
}

static void
an_operator_who_asks_for_a_probe_ends_a_pause(void **state)
{
	static const struct wish PROBE = { .ask = LANE_ASK_PROBE };
	struct sim *sim = *state;

	be_told(sim, &TOO_FAST);
	assert_int_equal(wish_store(sim->db, lane(sim, 0).id, &PROBE), 0);
	core_wake(sim->core);
	run_for(sim, MINUTE_MS);
	assert_int_equal(ledger(sim).pending, 0);
}

static void
a_clock_that_went_back_makes_no_pause_longer_than_an_hour(void **state)
{
	struct sim *sim = *state;

	be_told(sim, &TOO_FAST);
	stop(sim);
	sim->wall_ms -= INT64_C(3650) * 24 * HOUR_MS;
	start(sim, CORE_RUN);
	run_for(sim, HOUR_MS / 2);
	stop(sim);
	start(sim, CORE_RUN); /* and it does not begin again */
	check_silence(sim, HOUR_MS / 2);
}

static void
a_reload_does_not_begin_the_waits_for_rows_anew(void **state)
{
	struct sim *sim = *state;

	be_told(sim, &TOO_MANY_ROWS);
	sim->receiver = lies;
	sim->requests = 0;
	while (sim->requests == 0)
		run_for(sim, 1000);
	sim->receiver = takes_all;
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	check_silence(sim, 2 * MINUTE_MS);
}

static void
a_pause_hides_nothing_from_a_preview(void **state)
{
	struct sim *sim = *state;

	be_told(sim, &TOO_FAST);
	stop(sim);
	sim->requests = 0;
	start(sim, CORE_PREVIEW);
	core_preview(sim->core);
	assert_int_equal(sim->requests, 1);
}

/* ---- what comes at once counts once ---- */

/* ${requests} of ten rows each are out together. */
static void
send_together(struct sim *sim, int requests)
{
	int i;

	sim->config.batch.in_flight = requests;
	sim->config.batch.max_rows = 10;
	put(sim, (struct put){ "cvm", 10 * requests, 1, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core);
	assert_int_equal(sim->requests, requests);
	sim->wall_ms++;
	sim->steady_ms++;
	for (i = 0; i < requests; i++)
		answer_first(sim);
	core_turn(sim->core); /* commits */
}

static void
a_restart_of_the_receiver_is_one_failure(void **state)
{
	static const struct said RESET = { .transfer = 56 };
	struct sim *sim = *state;
	int64_t now_ms;

	sim->receiver = lies;
	sim->lie = &RESET;
	send_together(sim, 16);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	assert_int_equal(lane(sim, 0).failures, 1);
	assert_in_range(lane(sim, 0).wake_at, sim->wall_ms,
	    sim->wall_ms + sim->config.retry.base_ms);
	/* Those that are sent again, and fail again, are the second one. */
	now_ms = lane(sim, 0).wake_at + 1;
	run_for(sim, now_ms - sim->wall_ms);
	assert_int_equal(lane(sim, 0).failures, 2);
	assert_int_equal(sim->requests, 32);
}

static void
a_moment_of_nonsense_holds_nothing(void **state)
{
	struct sim *sim = *state;

	sim->receiver = lies;
	sim->lie = &PORTAL;
	send_together(sim, 16);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	sim->receiver = takes_all;
	run_for(sim, MINUTE_MS);
	assert_int_equal(ledger(sim).delivered, 160);
}

static void
a_late_answer_ends_no_wait_that_another_was_told(void **state)
{
	static const struct said BUSY = { .http = 503,
		.code = -1,
		.body = "",
		.retry_after_ms = 4 * MINUTE_MS };
	static const struct said RESET = { .transfer = 56 };
	struct sim *sim = *state;

	sim->config.batch.in_flight = 2;
	sim->config.batch.max_rows = 10;
	put(sim, (struct put){ "cvm", 20, 1, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core);
	sim->receiver = lies;
	sim->lie = &BUSY;
	answer_first(sim);
	sim->lie = &RESET;
	answer_first(sim);
	run_for(sim, 4 * MINUTE_MS - 1);
	assert_int_equal(sim->requests, 2);
	run_for(sim, MINUTE_MS);
	assert_true(sim->requests > 2);
}

static void
requests_refused_together_draw_no_wait(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1006;
	send_together(sim, 16);
	sim->receiver = takes_all;
	/* The pace that was learned is a request in ten seconds, growing. */
	run_for(sim, 11 * 1000);
	assert_in_range(sim->accepted_rows, 10, 160);
}

static void
lanes_refused_together_wait_for_one_minute(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->receiver = says_code;
	sim->bad_code = 1018;
	put(sim, (struct put){ "a", 1, 1, 0 });
	put(sim, (struct put){ "b", 1, 1, 0 });
	put(sim, (struct put){ "c", 1, 1, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core);
	assert_int_equal(sim->requests, 3);
	for (i = 0; i < 3; i++) {
		sim->wall_ms += 10;
		sim->steady_ms += 10;
		answer_first(sim);
	}
	sim->receiver = takes_all;
	run_for(sim, MINUTE_MS - 1);
	assert_int_equal(sim->requests, 3);
	run_for(sim, 10 * 1000);
	assert_int_equal(ledger(sim).delivered, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(
		    buries_doubtful_rows_whatever_the_verdict_says_of_the_lane),
		cmocka_unit_test_setup_teardown(
		    buries_doubtful_rows_whatever_the_verdict_says_of_the_lane,
		    setup_variant_1, teardown),
		TEST(buries_the_row_of_a_probe_that_ends_in_doubt),
		TEST(
		    sends_no_row_again_that_the_brake_keeps_from_dying_of_doubt),
		TEST(holds_a_lane_that_gets_nonsense_also_where_doubt_kills),
		TEST(lets_no_row_die_of_doubt_in_soft_mode),
		TEST(lets_no_late_row_die_in_soft_mode),
		TEST(does_not_probe_before_retry_after),
		TEST(holds_for_nonsense_only_after_so_many_in_a_row),
		TEST(a_probe_that_is_too_fast_slows_the_account),
		cmocka_unit_test_setup_teardown(
		    a_probe_that_is_too_fast_slows_the_account, setup_variant_1,
		    teardown),
		TEST(a_hold_keeps_its_reason_when_a_probe_is_too_fast),
		TEST(rows_that_die_of_doubt_slow_the_account_as_well),
		TEST(a_restart_does_not_end_a_pause),
		cmocka_unit_test_setup_teardown(
		    a_restart_does_not_end_a_pause, setup_variant_1, teardown),
		TEST(a_reload_does_not_end_a_pause),
		TEST(an_operator_who_asks_for_a_probe_ends_a_pause),
		TEST(a_clock_that_went_back_makes_no_pause_longer_than_an_hour),
		TEST(a_reload_does_not_begin_the_waits_for_rows_anew),
		TEST(a_pause_hides_nothing_from_a_preview),
		TEST(a_restart_of_the_receiver_is_one_failure),
		TEST(a_moment_of_nonsense_holds_nothing),
		TEST(a_late_answer_ends_no_wait_that_another_was_told),
		TEST(requests_refused_together_draw_no_wait),
		TEST(lanes_refused_together_wait_for_one_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
