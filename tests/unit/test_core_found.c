/* links: forward */
/*
 * What tests/faults/simulate found in the core of the forwarder, each as the
 * shortest history that shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim.h"

#define HOUR_MS (60 * 60 * 1000)

/* ---- receivers ---- */

/* Its clock is ours, and it does not say what it is. */
static struct said
wants_true_time(struct sim *sim, const struct request *request)
{
	char right[40];

	snprintf(right, sizeof(right), "\"Timestamp\":%lld",
	    (long long)(sim->wall_ms / 1000));
	if (strstr(request->body.data, right) != NULL)
		return (struct said){ .http = 200 };
	return (struct said){ .http = 200, .code = 1021 };
}

static void
reload(struct sim *sim, const struct config *config)
{
	assert_int_equal(
	    core_reload(sim->core, config, sim->credentials, NULL), 0);
}

/* ---- doubt ---- */

/* It went with 8, 4, 2 rows and alone, and not again. */
static int
check_first_of_eight(void *cookie, const struct deadletter_row *row)
{
	(void)cookie;
	assert_int_equal(row->code, 1010);
	assert_int_equal(row->attempts, 4);
	assert_true(row->alone);
	assert_non_null(row->contrast);
	return 0;
}

static void
the_first_row_may_be_the_bad_one(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1010;
	sim->bad[0] = "disk0x";
	put(sim, (struct put){ "cvm", 8, 8, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).dead, 1);
	assert_int_equal(ledger(sim).delivered, 7);
	assert_true(sim->requests <= 7); /* 2 log2(8) + 1 */
	assert_int_equal(
	    deadletter_show(sim->db, 1, check_first_of_eight, NULL), 1);
}

static void
rows_are_in_doubt_until_one_beside_them_is_taken(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1010;
	sim->bad[0] = "disk0x";
	sim->bad[1] = "disk1x";
	sim->bad[2] = "disk2x";
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).dead, 3);
	assert_int_equal(ledger(sim).delivered, 1);
	assert_int_equal(sim->requests, 7); /* 2 n - 1: none went again */
}

static void
doubt_that_nothing_ends_holds_the_lane(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1010;
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).pending, 4);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(lane(sim, 0).code, 1010);
	assert_int_equal(sim->requests, 7);
}

static void
the_brake_stops_rows_in_doubt(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.brake_rows = 2;
	sim->receiver = refuses_bad;
	sim->bad_code = 1010;
	sim->bad[0] = "disk0x";
	sim->bad[1] = "disk1x";
	sim->bad[2] = "disk2x";
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).dead, 2);
	assert_string_equal(lane(sim, 0).scope, LANE_BRAKE);
}

/* ---- probes ---- */

static void
a_bad_row_alone_does_not_block_those_behind_it(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1010;
	sim->bad[0] = "disk0x";
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	put(sim, (struct put){ "cvm", 6, 6, 0 });
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).dead, 2);
	assert_int_equal(ledger(sim).delivered, 5);
}

static void
a_bad_row_does_not_keep_a_hold_alive(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1014;
	put(sim, (struct put){ "cvm", 20, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, HOUR_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk0x";
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).dead, 1);
	assert_int_equal(ledger(sim).delivered, 19);
}

static void
a_lane_of_bad_rows_does_not_keep_a_hold_of_others(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 3, 1, 0 });
	put(sim, (struct put){ "pc", 20, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
	sim->receiver = refuses_bad;
	sim->bad_code = 1010;
	sim->bad[0] = "\"Namespace\":\"cvm\"";
	run_for(sim, 2 * HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 20);
}

/* Where the probes stood is no reason to send what the policy would not. */
static void
a_release_sends_the_latest_of_late_rows_only(void **state)
{
	static const struct wish RELEASE = { .ask = LANE_ASK_RELEASE };
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	sim->config.late.after_ms = 10 * 60 * 1000;
	sim->receiver = says_code;
	sim->bad_code = 1010;
	put(sim, (struct put){ "cvm", 20, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 12 * 60 * 1000);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(ledger(sim).pending, 20);
	sim->receiver = takes_all;
	assert_int_equal(wish_store(sim->db, lane(sim, 0).id, &RELEASE), 0);
	core_wake(sim->core);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).pending, 0);
	assert_int_equal(ledger(sim).delivered, 1);
	assert_int_equal(ledger(sim).dropped, 19);
}

/* What the one lane gets that is sick; the others' requests are taken. */
static struct said
refuses_cvm(struct sim *sim, const struct request *request)
{
	if (strstr(request->body.data, "\"Namespace\":\"cvm\"") == NULL)
		return (struct said){ .http = 200 };
	return *sim->lie;
}

/* The key is mended, which the probes of cvm's many rows do not show. */
static void
each_lane_of_a_hold_is_probed_in_turn(void **state)
{
	static const struct said SICK[] = { { .http = 200, .code = 1014 },
		{ .http = 200, .code = 1006 }, { .http = 200, .code = 1010 },
		{ .http = 200, .code = 4711 }, { .http = 403, .body = "" } };
	struct sim *sim = *state;
	int64_t delivered;
	size_t i;

	start(sim, CORE_RUN);
	for (i = 0; i < sizeof(SICK) / sizeof(SICK[0]); i++) {
		run_for(sim, HOUR_MS); /* no contrast is left */
		sim->receiver = says_code;
		sim->bad_code = 1011;
		put(sim, (struct put){ "cvm", 500, 1, 0 });
		put(sim, (struct put){ "pc", 20, 20, 0 });
		run_for(sim, 100);
		assert_int_equal(lane(sim, 1).state, LANE_HELD);
		assert_int_equal(lane(sim, 0).state, LANE_HELD);
		delivered = ledger(sim).delivered;
		sim->receiver = refuses_cvm;
		sim->lie = &SICK[i];
		run_for(sim, 10 * 60 * 1000);
		assert_int_equal(ledger(sim).delivered, delivered + 20);
		sim->receiver = takes_all;
		run_for(sim, 2 * HOUR_MS);
		assert_int_equal(ledger(sim).pending, 0);
	}
}

/* Each run ends before its second probe is due. */
static void
a_sick_lane_does_not_get_the_only_probe_of_each_run(void **state)
{
	static const struct said FORBIDDEN = { .http = 403, .body = "" };
	struct sim *sim = *state;
	int runs;

	sim->receiver = lies;
	sim->lie = &FORBIDDEN;
	put(sim, (struct put){ "cvm", 20, 1, 0 });
	put(sim, (struct put){ "pc", 20, 1, 0 });
	start(sim, CORE_ONCE);
	run_for(sim, 100);
	assert_string_equal(lane(sim, 1).scope, "endpoint");
	sim->receiver = refuses_cvm;
	for (runs = 0; runs < 20 && ledger(sim).delivered == 0; runs++) {
		stop(sim);
		sim->wall_ms += 60 * 1000;
		start(sim, CORE_ONCE);
		run_for(sim, 100);
	}
	assert_int_equal(ledger(sim).delivered, 20);
	assert_string_equal(lane(sim, 0).scope, "namespace");
}

static void
a_sick_lane_holds_the_others_once_and_then_itself_alone(void **state)
{
	static const struct said FORBIDDEN = { .http = 403, .body = "" };
	struct sim *sim = *state;
	int i;

	sim->receiver = refuses_cvm;
	sim->lie = &FORBIDDEN;
	put(sim, (struct put){ "cvm", 20, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_string_equal(lane(sim, 0).scope, "endpoint");
	put(sim, (struct put){ "pc", 1, 1, 0 });
	run_for(sim, 10 * 60 * 1000);
	for (i = 0; i < 100; i++) {
		put(sim, (struct put){ "pc", 1, 1, 0 });
		run_for(sim, 60 * 1000);
		assert_int_equal(ledger(sim).delivered, 2 + i);
		assert_int_equal(lane(sim, 0).state, LANE_HELD);
		assert_int_equal(lane(sim, 1).state, LANE_READY);
	}
	sim->receiver = takes_all;
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).pending, 0);
	assert_int_equal(lane(sim, 0).state, LANE_READY);
}

/* Two lanes are refused again after a third one's row was taken. */
static void
a_second_lane_that_is_refused_again_holds_them_all(void **state)
{
	static const struct said FORBIDDEN = { .http = 403, .body = "" };
	struct sim *sim = *state;

	sim->receiver = lies;
	sim->lie = &FORBIDDEN;
	put(sim, (struct put){ "a", 1, 1, 0 });
	put(sim, (struct put){ "b", 1, 1, 0 });
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	put(sim, (struct put){ "d", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_string_equal(lane(sim, 3).scope, "endpoint");
	sim->requests = 0;
	reload(sim, &sim->config);
	core_turn(sim->core); /* a probes, and is taken; nobody else is */
	sim->receiver = takes_all;
	answer_first(sim);
	sim->receiver = lies;
	run_for(sim, 100);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_string_equal(lane(sim, 1).scope, "namespace");
	assert_string_equal(lane(sim, 2).scope, "endpoint");
	assert_string_equal(lane(sim, 3).scope, "endpoint");
	sim->receiver = takes_all;
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).pending, 0);
}

/* Its probe was in vain, and the lane whose turn it was has no row left. */
static void
a_hold_is_probed_though_the_other_lanes_rows_expired(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	put(sim, (struct put){ "pc", 1, 1, HOUR_MS });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
	sim->config.retry.hold_probe_least_ms = HOUR_MS;
	sim->config.retry.hold_probe_most_ms = HOUR_MS;
	sim->bad_code = 1010;
	run_for(sim, 3 * HOUR_MS);
	assert_int_equal(ledger(sim).expired, 1);
	sim->receiver = takes_all;
	run_for(sim, 3 * HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 1);
}

static void
an_operators_probe_of_a_braked_lane_sends_its_row(void **state)
{
	struct sim *sim = *state;
	const struct wish probe = { .ask = LANE_ASK_PROBE };

	sim->config.dead.brake_rows = 5;
	sim->receiver = says_code;
	sim->bad_code = 1016;
	put(sim, (struct put){ "cvm", 20, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_string_equal(lane(sim, 0).scope, LANE_BRAKE);
	assert_int_equal(ledger(sim).dead, 5);
	sim->requests = 0;
	assert_int_equal(wish_store(sim->db, 1, &probe), 0);
	core_wake(sim->core);
	run_for(sim, 100);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(ledger(sim).dead, 5);
	assert_string_equal(lane(sim, 0).scope, LANE_BRAKE);
}

/* The other lane's probe ends the hold before the one asked for can go. */
static void
a_wish_for_a_probe_ends_with_the_hold(void **state)
{
	struct sim *sim = *state;
	const struct wish probe = { .ask = LANE_ASK_PROBE };

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	put(sim, (struct put){ "pc", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	reload(sim, &sim->config);
	core_turn(sim->core); /* a probe of cvm is out, and another asked for */
	assert_int_equal(wish_store(sim->db, 1, &probe), 0);
	core_wake(sim->core);
	core_turn(sim->core);
	sim->receiver = takes_all;
	answer_first(sim);
	core_turn(sim->core);
	sim->receiver = says_code;
	sim->bad_code = 1002;
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	run_for(sim, HOUR_MS);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
}

/* A lane that is released by another one's probe waits for its own. */
static void
a_probed_row_is_not_out_twice(void **state)
{
	struct sim *sim = *state;
	struct flight *first;

	sim->config.batch.in_flight = 4;
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	sim->receiver = says_code;
	sim->bad_code = 1000;
	put(sim, (struct put){ "pc", 10, 1, 0 });
	run_for(sim, 100);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	sim->receiver = takes_all;
	reload(sim, &sim->config);
	core_turn(sim->core); /* pc probes; then cvm has rows, and does */
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	core_turn(sim->core);
	first = sim->flights;
	assert_non_null(first->next);
	sim->flights = first->next;
	sim->flights->next = first;
	first->next = NULL;
	answer_first(sim);
	run_for(sim, 1000);
	assert_int_equal(sim->accepted_rows, 30);
	assert_int_equal(ledger(sim).delivered, 30);
}

/* ---- clocks ---- */

static void
a_wrong_correction_is_unlearned(void **state)
{
	struct sim *sim = *state;

	sim->receiver = wants_time; /* an hour ahead */
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 5);
	sim->receiver = wants_true_time;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 10);
}

/* It tells its time, which ours has nothing to do with. */
static struct said
keeps_time(struct sim *sim, const struct request *request)
{
	int64_t date_ms = START_MS + HOUR_MS + sim->steady_ms;
	char right[40];

	snprintf(right, sizeof(right), "\"Timestamp\":%lld",
	    (long long)(date_ms / 1000));
	if (strstr(request->body.data, right) != NULL)
		return (struct said){ .http = 200 };
	return (struct said){ .http = 200, .code = 1021, .date_ms = date_ms };
}

static void
a_clock_that_was_put_right_holds_nothing(void **state)
{
	struct sim *sim = *state;

	sim->receiver = keeps_time;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 5);
	sim->wall_ms = START_MS + HOUR_MS + sim->steady_ms;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 10);
	assert_int_equal(sim->requests, 4);
}

static void
requests_signed_before_a_correction_hold_nothing(void **state)
{
	struct sim *sim = *state;

	sim->receiver = wants_time;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	put(sim, (struct put){ "pc", 5, 1, 0 });
	put(sim, (struct put){ "lab", 5, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 15);
	assert_int_equal(sim->requests, 6);
}

static void
sweeps_though_the_clock_went_back(void **state)
{
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	sim->wall_ms += HOUR_MS;
	put(sim, (struct put){ "cvm", 5, 5, 0 });
	sim->wall_ms -= HOUR_MS;
	put(sim, (struct put){ "cvm", 20, 5, 0 });
	sim->wall_ms += HOUR_MS;
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 5 + 5);
	assert_int_equal(ledger(sim).dropped, 15);
}

/* ---- accounts and pace ---- */

static void
an_answer_comes_after_its_account_has_gone(void **state)
{
	struct sim *sim = *state;
	struct config without = sim->config;

	snprintf(without.accounts[0].name, CONFIG_NAME, "other");
	put(sim, (struct put){ "cvm", 150, 1, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core);
	assert_int_equal(sim->requests, 1);
	reload(sim, &without);
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 100);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	reload(sim, &sim->config);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 150);
}

/* Two lanes are held for the endpoint, and nobody signs for the first any
 * more. */
static void
a_lane_that_nobody_signs_for_keeps_no_hold_of_others(void **state)
{
	static const struct said MOVED = { .http = 404, .body = "" };
	struct sim *sim = *state;

	sim->receiver = lies;
	sim->lie = &MOVED;
	put(sim, (struct put){ "a", 1, 1, 0 });
	put(sim, (struct put){ "b", 1, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_string_equal(lane(sim, 0).scope, "endpoint");
	assert_string_equal(lane(sim, 1).scope, "endpoint");
	assert_int_equal(
	    db_run(sim->db, "UPDATE lane SET account = 'gone' WHERE id = 1"),
	    0);
	stop(sim);
	sim->receiver = takes_all;
	start(sim, CORE_RUN);
	run_for(sim, 2 * HOUR_MS);
	assert_int_equal(ledger(sim).delivered, 1);
	assert_int_equal(lane(sim, 1).state, LANE_READY);
	assert_string_equal(lane(sim, 0).scope, "account");
}

static void
batches_are_refused_once_with_many_requests_out(void **state)
{
	struct sim *sim = *state;

	sim->config.batch.in_flight = 8;
	sim->config.batch.max_rows = 16;
	sim->receiver = refuses_bad;
	sim->bad_code = 1009;
	sim->bad[0] = "disk15x";
	put(sim, (struct put){ "cvm", 128, 16, 0 }); /* one bad row a batch */
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).dead, 8);
	assert_int_equal(ledger(sim).delivered, 120);
	/* 8 at once, then each by halves: 2 log2(16) + 1. */
	assert_true(sim->requests <= 8 + 8 * 9);
}

static void
rows_are_not_owed_for_hours(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1018;
	put(sim, (struct put){ "cvm", 100, 100, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk3x";
	run_for(sim, HOUR_MS);
	assert_int_equal(ledger(sim).pending, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_row_may_be_the_bad_one),
		TEST(rows_are_in_doubt_until_one_beside_them_is_taken),
		TEST(doubt_that_nothing_ends_holds_the_lane),
		TEST(the_brake_stops_rows_in_doubt),
		TEST(a_bad_row_alone_does_not_block_those_behind_it),
		TEST(a_bad_row_does_not_keep_a_hold_alive),
		TEST(a_lane_of_bad_rows_does_not_keep_a_hold_of_others),
		TEST(a_release_sends_the_latest_of_late_rows_only),
		TEST(each_lane_of_a_hold_is_probed_in_turn),
		TEST(a_sick_lane_does_not_get_the_only_probe_of_each_run),
		TEST(a_sick_lane_holds_the_others_once_and_then_itself_alone),
		TEST(a_second_lane_that_is_refused_again_holds_them_all),
		TEST(a_hold_is_probed_though_the_other_lanes_rows_expired),
		TEST(an_operators_probe_of_a_braked_lane_sends_its_row),
		TEST(a_wish_for_a_probe_ends_with_the_hold),
		TEST(a_probed_row_is_not_out_twice),
		TEST(a_wrong_correction_is_unlearned),
		TEST(a_clock_that_was_put_right_holds_nothing),
		TEST(requests_signed_before_a_correction_hold_nothing),
		TEST(sweeps_though_the_clock_went_back),
		TEST(an_answer_comes_after_its_account_has_gone),
		TEST(a_lane_that_nobody_signs_for_keeps_no_hold_of_others),
		TEST(batches_are_refused_once_with_many_requests_out),
		TEST(rows_are_not_owed_for_hours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
