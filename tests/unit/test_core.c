/* links: forward */
/* The core of the forwarder, in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "forward/core_state.h"
#include "forward/lane.h"

#include "sim.h"

/* ---- what is proved ---- */

static void
delivers_everything_and_balances(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 1050, 7, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(sim->accepted_rows, 1050);
	assert_int_equal(sim->requests, 11);
	assert_int_equal(ledger(sim).delivered, 1050);
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	run_for(sim, 1);
	assert_int_equal(ledger(sim).delivered, 1051);
}

static void
retries_with_backoff_while_the_receiver_is_away(void **state)
{
	struct sim *sim = *state;
	int requests;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = is_away;
	run_for(sim, 60 * 60 * 1000);
	requests = sim->requests;
	assert_in_range(requests, 10, 60);
	assert_int_equal(ledger(sim).pending, 10);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	sim->receiver = takes_all;
	run_for(sim, 6 * 60 * 1000);
	assert_int_equal(ledger(sim).delivered, 10);
	assert_int_equal(lane(sim, 0).state, LANE_READY);
}

static void
kills_only_the_guilty_series_in_few_requests(void **state)
{
	struct sim *sim = *state;
	struct deadletter_filter all = { .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };
	struct tally tally = { 0 };

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk3x";
	sim->bad[1] = "disk14x";
	put(sim, (struct put){ "cvm", 1000, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 900);
	assert_int_equal(sim->accepted_rows, 900);
	assert_int_equal(ledger(sim).dead, 100);
	assert_true(sim->requests <= 60);
	assert_int_equal(deadletter_list(sim->db, &all, DEADLETTER_BY_ID, -1,
			     count_dead, &tally),
	    100);
	assert_int_equal(tally.codes[0], 1017);
	sim->requests = 0;
	put(sim, (struct put){ "cvm", 1000, 20, 0 });
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 1800);
	assert_int_equal(ledger(sim).dead, 200);
	assert_true(sim->requests <= 40);
}

static void
stays_within_the_bound_of_group_testing(void **state)
{
	struct sim *sim = *state;
	static const char *const BAD[] = { "disk0x", "disk99x", "disk50x",
		"disk51x", "disk7x" };
	size_t i;

	sim->receiver = refuses_bad;
	sim->bad_code = 1020;
	for (i = 0; i < 5; i++)
		sim->bad[i] = BAD[i];
	put(sim, (struct put){ "cvm", 100, 100, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 5);
	assert_int_equal(ledger(sim).delivered, 95);
	assert_true(sim->requests <= 55); /* protocol.md 8, n=100, k=5 */
}

static void
clears_a_series_whose_canary_is_taken(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk1x";
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 10);
	sim->receiver = takes_all;
	sim->requests = 0;
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	run_for(sim, 1000);
	assert_int_equal(sim->requests, 2); /* the canary, then the rest */
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	run_for(sim, 1000);
	assert_int_equal(sim->requests, 3);
	assert_int_equal(ledger(sim).delivered, 30 + 80);
	assert_int_equal(sim->accepted_rows, 30 + 80);
}

static void
remembers_suspects_across_a_restart(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk1x";
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	stop(sim);
	sim->requests = 0;
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(sim->requests, 2);
	assert_int_equal(ledger(sim).dead, 20);
}

/* Of the one series that is bad, and of 10,000 that were. */
static void
remembers_no_more_suspects_than_the_queue(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk1x";
	put(sim, (struct put){ "cvm", 40, 4, 0 });
	start(sim, CORE_RUN);
	assert_int_equal(sqlite3_exec(db_handle(sim->db),
			     "WITH RECURSIVE n (i) AS (SELECT 11 UNION ALL"
			     "  SELECT i + 1 FROM n WHERE i < 10010)"
			     "INSERT INTO series"
			     " (id, lane_id, hash, metric, dimensions, wire)"
			     " SELECT i, 1, i, 'cpu', '{}', 'w' || i FROM n;"
			     "INSERT INTO suspect"
			     " (series_id, doomed_through, message, since_at)"
			     " SELECT id, 1, '', id FROM series WHERE id > 10",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	stop(sim);
	start(sim, CORE_RUN);
	assert_int_equal(sim->core->suspects.count, SUSPECT_MOST);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 10);
	assert_int_equal(
	    sim->core->suspects.count, SUSPECT_MOST + 1 - SUSPECT_FORGOTTEN);
	assert_null(suspects_find(&sim->core->suspects, 11));
	assert_non_null(suspects_find(&sim->core->suspects, 10010));
}

static void
lets_one_row_speak_for_a_misspelt_namespace(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1016;
	sim->bad[0] = "\"Namespace\":\"cvm_prdo\"";
	put(sim, (struct put){ "cvm_prdo", 500, 6, 0 });
	put(sim, (struct put){ "cvm_prod", 500, 6, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 500);
	assert_int_equal(ledger(sim).delivered, 500);
	assert_int_equal(sim->requests, 5 + 2);
	/* Once it exists, one row finds out. */
	sim->receiver = takes_all;
	put(sim, (struct put){ "cvm_prdo", 50, 6, 0 });
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 550);
}

static void
gives_a_namespace_without_a_route_a_while(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1014;
	put(sim, (struct put){ "cvm", 20, 2, 0 });
	start(sim, CORE_RUN);
	run_for(sim, sim->config.retry.hold_probe_least_ms - 1);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	sim->receiver = takes_all;
	run_for(sim, 1);
	assert_int_equal(ledger(sim).delivered, 20);
	assert_int_equal(sim->requests, 2);
}

static void
holds_all_lanes_for_a_wrong_key_and_kills_none(void **state)
{
	struct sim *sim = *state;

	sim->config.retry.hold_probe_least_ms = 200;
	sim->config.retry.hold_probe_most_ms = 1000;
	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 150, 3, 0 });
	put(sim, (struct put){ "pc", 150, 3, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 3000);
	assert_true(sim->requests <= 20);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(ledger(sim).pending, 300);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
	assert_int_equal(lane(sim, 1).code, 1011);
	/* The right key comes by a reload. */
	sim->receiver = takes_all;
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	sim->accepted_rows = 0;
	run_for(sim, 50);
	assert_int_equal(ledger(sim).delivered, 300);
	assert_int_equal(sim->accepted_rows, 300); /* the probe's row once */
	assert_int_equal(lane(sim, 0).state, LANE_READY);
}

static void
holds_survive_a_restart_and_end_by_a_probe(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 30, 3, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	stop(sim);
	sim->receiver = takes_all;
	start(sim, CORE_ONCE);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	run_for(sim, 1000);
	assert_int_equal(core_progress(sim->core), CORE_EMPTY);
	assert_int_equal(ledger(sim).delivered, 30);
}

static void
never_believes_a_lie(void **state)
{
	static const struct said LIES[] = {
		{ .http = 200, .body = "" },
		{ .http = 200, .body = "{\"code\":0" },
		{ .http = 200, .body = "<html>fine</html>" },
		{ .http = 200, .body = "{\"code\":null}" },
		{ .http = 200, .body = "{\"code\":true}" },
		{ .http = 200, .body = "{\"code\":0.5}" },
		{ .http = 200, .body = "{\"message\":\"OK\"}" },
		{ .http = 500, .body = "{\"code\":0}" },
		{ .http = 302, .body = "" },
		{ .http = 200, .body = "{\"code\":0}{\"code\":0}" },
		{ .http = 200, .body = "{\"code\":0,\"code\":0}" },
		{ .http = 204, .body = "{\"code\":0}" },
		{ .http = 200, .body = "{\"code\":-0}" },
		{ .http = 200, .body = "{\"code\":1e-400}" },
		{ .transfer = 18, .body = "{\"code\":0}" },
	};
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 20, 2, 0 });
	start(sim, CORE_RUN);
	sim->receiver = lies;
	for (size_t i = 0; i < sizeof(LIES) / sizeof(LIES[0]); i++) {
		sim->lie = &LIES[i];
		sim->requests = 0;
		run_for(sim, 20 * 60 * 1000);
		if (ledger(sim).pending != 20)
			fail_msg("lie %d was believed", (int)i);
		assert_true(sim->requests > 0);
	}
	sim->receiver = takes_all;
	run_for(sim, 20 * 60 * 1000);
	assert_int_equal(ledger(sim).delivered, 20);
	assert_int_equal(ledger(sim).dead, 0);
}

static void
counts_only_attempts_that_left(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 1, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = is_away;
	run_for(sim, 1000);
	sim->receiver = says_code;
	sim->bad_code = 1002;
	sim->requests = 0;
	run_for(sim, 60 * 1000);
	assert_int_equal(attempts_of(sim, 1), sim->requests);
}

static void
expires_rows_that_are_too_old(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 5, 1, 1000 });
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	sim->wall_ms += 2000;
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).expired, 5);
	assert_int_equal(ledger(sim).delivered, 5);
}

static void
corrects_the_clock_once_by_the_replys_date(void **state)
{
	struct sim *sim = *state;

	sim->receiver = wants_time;
	sim->variant = 0;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).delivered, 5);
	assert_int_equal(sim->requests, 2);
}

static void
holds_when_the_correction_does_not_help(void **state)
{
	struct sim *sim = *state;

	sim->receiver = wants_time;
	sim->variant = 1;
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10);
	assert_int_equal(ledger(sim).pending, 5);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(sim->requests, 2);
}

static void
a_doubtful_code_kills_only_beside_an_accepted_request(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1010;
	put(sim, (struct put){ "cvm", 8, 8, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	/* One bad row among good ones: there is contrast. */
	sim->receiver = refuses_bad;
	sim->bad[0] = "disk5x";
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).dead, 1);
	assert_int_equal(ledger(sim).delivered, 7);
}

/* protocol.md section 8, footnote 1: a longer body was taken, before a shorter
 * one. */
static void
holds_a_row_that_is_too_long_though_a_longer_body_was_taken(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1015;
	sim->bad[0] = "cvm_of_a_long_name";
	put(sim, (struct put){ "cvm", 100, 7, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10 * 1000);
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	run_for(sim, 10 * 1000);
	assert_int_equal(ledger(sim).delivered, 101);
	put(sim, (struct put){ "cvm_of_a_long_name", 1, 1, 0 });
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
}

static void
learns_the_size_a_receiver_takes(void **state)
{
	struct sim *sim = *state;

	sim->receiver = takes_2000_bytes;
	put(sim, (struct put){ "cvm", 1000, 10, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 60 * 1000);
	assert_int_equal(ledger(sim).delivered, 1000);
	assert_int_equal(ledger(sim).dead, 0);
	assert_true(sim->requests - sim->accepted_requests <= 12);
}

static size_t largest;

static struct said
notes_the_largest(struct sim *sim, const struct request *request)
{
	(void)sim;
	if (request->bytes > largest)
		largest = request->bytes;
	return (struct said){ .http = 200 };
}

/* One row is far below the cap, two are a byte above it. */
static void
a_learned_size_grows_back_though_rows_are_large(void **state)
{
	struct sim *sim = *state;
	size_t one;

	sim->digits = 200;
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = notes_the_largest;
	largest = 0;
	run_for(sim, 10);
	one = largest;
	put(sim, (struct put){ "cvm", 2, 1, 0 });
	run_for(sim, 10);
	assert_int_equal(sim->requests, 2);
	assert_true(one * 4 < (largest - 1) * 3);
	sim->core->lanes[0]->row.byte_cap = (int64_t)largest - 1;
	put(sim, (struct put){ "cvm", 200, 1, 0 });
	run_for(sim, 10);
	assert_int_equal(sim->accepted_rows, 203);
	assert_in_range(sim->requests, 2 + 64, 2 + 64 + 70);
}

static void
clock_jumps_do_no_harm(void **state)
{
	static const int64_t YEARS_MS = 10LL * 365 * 24 * 3600 * 1000;
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = is_away;
	run_for(sim, 10 * 1000);
	sim->wall_ms += YEARS_MS;
	run_for(sim, 10 * 1000);
	stop(sim);
	sim->wall_ms -= 2 * YEARS_MS;
	start(sim, CORE_RUN);
	sim->receiver = takes_all;
	run_for(sim, 6 * 60 * 1000); /* no longer than the largest back-off */
	assert_int_equal(ledger(sim).delivered, 10);
}

static void
one_lane_in_trouble_does_not_stop_another(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1002;
	sim->bad[0] = "\"Namespace\":\"pc\"";
	put(sim, (struct put){ "pc", 100, 1, 0 });
	put(sim, (struct put){ "cvm", 100, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).delivered, 100);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	assert_int_equal(lane(sim, 1).state, LANE_READY);
}

static void
isolates_with_many_requests_out(void **state)
{
	struct sim *sim = *state;

	sim->config.batch.in_flight = 4;
	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk3x";
	sim->bad[1] = "disk14x";
	put(sim, (struct put){ "cvm", 1000, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 900);
	assert_int_equal(ledger(sim).dead, 100);
	assert_int_equal(sim->accepted_rows, 900);
	assert_true(sim->requests <= 60);
}

static void
sends_no_row_twice_with_many_requests_out(void **state)
{
	struct sim *sim = *state;

	sim->config.batch.in_flight = 4;
	put(sim, (struct put){ "cvm", 1050, 7, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core);
	assert_int_equal(sim->requests, 4);
	run_for(sim, 1000);
	assert_int_equal(sim->accepted_rows, 1050);
	assert_int_equal(ledger(sim).delivered, 1050);
}

/* Rows that would be sent once more, if the process died now. */
static struct flight *
post_watched(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	struct sim *sim = cookie;
	int64_t at_risk;

	sim->sent_rows += (int64_t)request->rows;
	at_risk = sim->sent_rows - ledger(sim).delivered;
	if (at_risk > sim->most_at_risk)
		sim->most_at_risk = at_risk;
	return sim_post(cookie, request, done, owner);
}

static void
risks_no_more_than_the_requests_in_flight(void **state)
{
	static const int64_t IN_FLIGHT[] = { 1, 4 };
	struct sim *sim = *state;
	size_t i;

	for (i = 0; i < 2; i++) {
		sim->config.batch.in_flight = IN_FLIGHT[i];
		sim->world.post = post_watched;
		sim->sent_rows = sim->most_at_risk = 0;
		put(sim, (struct put){ "cvm", 1000, 7, 0 });
		if (sim->core == NULL)
			start(sim, CORE_RUN);
		sim->sent_rows += ledger(sim).delivered;
		core_wake(sim->core);
		run_for(sim, 1000);
		assert_int_equal(ledger(sim).pending, 0);
		assert_int_equal(sim->most_at_risk, 100 * IN_FLIGHT[i]);
	}
}

static void
lingers_for_a_fuller_batch(void **state)
{
	struct sim *sim = *state;

	sim->config.batch.linger_ms = 200;
	start(sim, CORE_RUN);
	run_for(sim, 10);
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, 10);
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, 100);
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, 85);
	assert_int_equal(sim->requests, 1); /* a new lane does not linger */
	run_for(sim, 40);
	assert_int_equal(sim->requests, 2);
	put(sim, (struct put){ "cvm", 5, 1, 0 });
	run_for(sim, 250);
	assert_int_equal(sim->requests, 3);
	assert_int_equal(ledger(sim).delivered, 20);
}

static void
finds_the_pace_a_receiver_takes(void **state)
{
	struct sim *sim = *state;
	int64_t begun_ms;

	sim->config.batch.max_rows = 20;
	sim->receiver = takes_ten_a_second;
	sim->tokens = 10;
	sim->filled_ms = begun_ms = sim->steady_ms;
	put(sim, (struct put){ "cvm", 2000, 10, 0 });
	start(sim, CORE_DRAIN);
	while (core_progress(sim->core) == CORE_WORKING) {
		run_for(sim, 100);
		assert_true(sim->steady_ms < begun_ms + 60 * 1000);
	}
	assert_int_equal(ledger(sim).delivered, 2000);
	assert_true(sim->requests - sim->accepted_requests <= 40);
	/* 90 requests beyond the burst, at ten a second, by 0.7. */
	assert_true(sim->steady_ms - begun_ms <= 9000 * 10 / 7);
	stop(sim);
	/* What was learned survives. */
	sim->requests = sim->accepted_requests = 0;
	put(sim, (struct put){ "cvm", 1000, 10, 0 });
	start(sim, CORE_DRAIN);
	run_for(sim, 20 * 1000);
	assert_int_equal(ledger(sim).delivered, 3000);
	assert_true(sim->requests - sim->accepted_requests <= 10);
}

/* As after the queue was lost, and opened anew as it was at some earlier time. */
static void
a_reload_keeps_a_pace_that_the_queue_does_not_know(void **state)
{
	struct sim *sim = *state;
	struct sqlite3_stmt *forget;

	sim->config.batch.max_rows = 20;
	sim->receiver = takes_ten_a_second;
	sim->tokens = 10;
	sim->filled_ms = sim->steady_ms;
	put(sim, (struct put){ "cvm", 4000, 10, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 10 * 1000);
	forget = db_prepare(sim->db, "DELETE FROM account");
	assert_int_equal(db_step(sim->db, forget), DB_DONE);
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	sim->requests = sim->accepted_requests = 0;
	run_for(sim, 5 * 1000);
	assert_true(sim->accepted_requests >= 30);
	assert_true(sim->requests - sim->accepted_requests <= 5);
}

static void
brakes_when_too_many_would_die(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.brake_rows = 200;
	sim->receiver = says_code;
	sim->bad_code = 1016;
	put(sim, (struct put){ "cvm", 5000, 6, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 60 * 60 * 1000);
	assert_in_range(ledger(sim).dead, 1, 200);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_string_equal(lane(sim, 0).scope, "brake");
	/* Neither a restart nor a reload ends it: an operator does. */
	stop(sim);
	start(sim, CORE_RUN);
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	run_for(sim, 60 * 60 * 1000);
	assert_in_range(ledger(sim).dead, 1, 200);
}

/* Leave a wish in the queue, as monspool does. */
static void
ask(struct sim *sim, int64_t lane_id, enum lane_ask what, int64_t for_ms)
{
	struct wish wish = { .ask = what,
		.reason = "maintenance",
		.until = for_ms < 0 ? -1 : sim->wall_ms + for_ms };
	struct config config;
	struct fault fault = { 0 };
	struct db *db;

	db = queue_open(sim->path, DB_WRITER, 1000, &config, &fault);
	assert_non_null(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(wish_store(db, lane_id, &wish), 0);
	assert_int_equal(db_commit(db), 0);
	db_close(db);
	if (sim->core != NULL)
		core_wake(sim->core);
}

static void
an_operators_hold_is_kept_until_the_operator_ends_it(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	ask(sim, 1, LANE_ASK_HOLD, -1);
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	put(sim, (struct put){ "pc", 10, 1, 0 });
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).pending, 10);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_string_equal(lane(sim, 0).held_by, "operator");
	assert_string_equal(lane(sim, 0).reason, "maintenance");
	assert_int_equal(lane(sim, 0).asked, LANE_ASK_NOTHING);
	/* Neither a reload nor a restart ends it. */
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	run_for(sim, 1000);
	stop(sim);
	start(sim, CORE_RUN);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).pending, 10);
	ask(sim, 1, LANE_ASK_RELEASE, -1);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).pending, 0);
	assert_int_equal(lane(sim, 0).state, LANE_READY);
	assert_int_equal(sim->accepted_rows, 30);
}

static void
a_hold_for_a_time_ends_by_itself(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	ask(sim, 1, LANE_ASK_HOLD, 60 * 1000);
	start(sim, CORE_RUN);
	run_for(sim, 59 * 1000);
	assert_int_equal(ledger(sim).pending, 10);
	/* It is over while nobody looks. */
	stop(sim);
	sim->wall_ms += 30 * 1000;
	start(sim, CORE_RUN);
	run_for(sim, 100);
	assert_int_equal(ledger(sim).pending, 0);
	ask(sim, 1, LANE_ASK_HOLD, 60 * 1000);
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	run_for(sim, 59 * 1000);
	assert_int_equal(ledger(sim).pending, 10);
	run_for(sim, 2000);
	assert_int_equal(ledger(sim).pending, 0);
	assert_int_equal(lane(sim, 0).held_until, -1);
}

static void
a_hold_for_a_time_ends_though_the_clock_went_back(void **state)
{
	static const int64_t YEARS_MS = 10LL * 365 * 24 * 3600 * 1000;
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	start(sim, CORE_RUN);
	sim->receiver = is_away;
	run_for(sim, 1000);
	sim->receiver = takes_all;
	ask(sim, 1, LANE_ASK_HOLD, 60 * 1000);
	run_for(sim, 1000);
	sim->wall_ms -= YEARS_MS;
	core_wake(sim->core); /* as the poll does */
	run_for(sim, 59 * 1000);
	assert_int_equal(ledger(sim).pending, 10);
	run_for(sim, 62 * 1000);
	assert_int_equal(ledger(sim).pending, 0);
}

static void
an_operators_probe_sends_one_row_and_ends_no_operators_hold(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 10, 1, 0 });
	ask(sim, 1, LANE_ASK_HOLD, -1);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	ask(sim, 1, LANE_ASK_PROBE, -1);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(ledger(sim).pending, 9);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	/* A refused one changes nothing, and kills nobody. */
	sim->receiver = says_code;
	sim->bad_code = 1016;
	ask(sim, 1, LANE_ASK_PROBE, -1);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(sim->requests, 2);
	assert_int_equal(ledger(sim).pending, 9);
	assert_int_equal(ledger(sim).dead, 0);
	assert_string_equal(lane(sim, 0).reason, "maintenance");
}

static void
an_operators_probe_ends_the_forwarders_hold_at_once(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "cvm", 10, 1, 0 });
	put(sim, (struct put){ "pc", 10, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
	sim->receiver = takes_all;
	ask(sim, 2, LANE_ASK_PROBE, -1); /* not the one that probes by itself */
	run_for(sim, 100);
	assert_int_equal(ledger(sim).pending, 0);
	assert_int_equal(lane(sim, 0).state, LANE_READY);
}

static void
the_operators_release_lets_the_brake_go(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.brake_rows = 200;
	sim->receiver = says_code;
	sim->bad_code = 1016;
	put(sim, (struct put){ "cvm", 1000, 6, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 60 * 1000);
	assert_string_equal(lane(sim, 0).scope, "brake");
	/* A hold for a time on top of it does not end it. */
	ask(sim, 1, LANE_ASK_HOLD, 1000);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(lane(sim, 0).held_until, -1);
	sim->receiver = takes_all;
	ask(sim, 1, LANE_ASK_RELEASE, -1);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).pending, 0);
	assert_true(ledger(sim).delivered >= 800);
}

/* One row was refused; those of its series behind it die on the word of that
 * answer only until the operator says that it was not theirs. */
static void
the_operators_release_pardons_the_rows_that_a_refused_one_doomed(void **state)
{
	struct sim *sim = *state;
	int64_t dead;

	sim->config.dead.brake_rows = 200;
	sim->receiver = says_code;
	sim->bad_code = 1017;
	put(sim, (struct put){ "cvm", 1000, 1, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 60 * 1000);
	assert_string_equal(lane(sim, 0).scope, "brake");
	dead = ledger(sim).dead;
	assert_in_range(dead, 1, 200);
	sim->receiver = takes_all;
	ask(sim, 1, LANE_ASK_RELEASE, -1);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).dead, dead);
	assert_int_equal(ledger(sim).delivered, 1000 - dead);
	assert_int_equal(lane(sim, 0).state, LANE_READY);
}

/* A run of 50 s, as cron starts one each minute, with 90 refused rows. */
static void
run_once_more(struct sim *sim)
{
	put(sim, (struct put){ "cvm", 90, 1, 0 });
	start(sim, CORE_DRAIN);
	run_for(sim, 50 * 1000);
}

static void
end_run(struct sim *sim, int64_t pause_ms)
{
	stop(sim);
	sim->wall_ms += pause_ms;
	sim->steady_ms += pause_ms;
}

static void
what_died_in_former_runs_counts_for_the_brake(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.dead.brake_rows = 200;
	sim->receiver = says_code;
	sim->bad_code = 1016;
	for (i = 1; i <= 3; i++) { /* within the span of the brake die 180 */
		run_once_more(sim);
		assert_int_equal(ledger(sim).dead, i * 90);
		assert_int_equal(lane(sim, 0).state, LANE_READY);
		end_run(sim, 5 * 60 * 1000);
	}
	sim->wall_ms += 10 * 60 * 1000;
	for (i = 4; i <= 6; i++) {
		run_once_more(sim);
		end_run(sim, 10 * 1000);
	}
	start(sim, CORE_DRAIN);
	assert_int_equal(ledger(sim).dead, 3 * 90 + 200);
	assert_string_equal(lane(sim, 0).scope, "brake");
}

static void
what_died_before_a_release_counts_no_more_after_a_restart(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.dead.brake_rows = 200;
	sim->receiver = says_code;
	sim->bad_code = 1016;
	put(sim, (struct put){ "cvm", 210, 1, 0 });
	run_once_more(sim);
	assert_int_equal(ledger(sim).dead, 200);
	assert_string_equal(lane(sim, 0).scope, "brake");
	ask(sim, 1, LANE_ASK_RELEASE, -1);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 300);
	for (i = 0; i < 2; i++) {
		end_run(sim, 10 * 1000);
		run_once_more(sim);
	}
	assert_int_equal(ledger(sim).dead, 400);
	assert_string_equal(lane(sim, 0).scope, "brake");
}

/* Accounts answer apart: the first row's lane is told that the key is wrong
 * while a part of the other's batch is out. */
static struct said
refuses_bad_and_a_key(struct sim *sim, const struct request *request)
{
	if (strstr(request->body.data, "\"pc\"") != NULL)
		return (struct said){ .http = 200, .code = 1011 };
	return refuses_bad(sim, request);
}

static void
a_hold_of_another_lane_may_come_while_a_part_is_out(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad_and_a_key;
	sim->bad[0] = "disk1x";
	sim->bad[1] = "disk4x";
	sim->bad_code = 1017;
	put(sim, (struct put){ "cvm", 60, 6, 0 });
	start(sim, CORE_RUN);
	core_turn(sim->core); /* all are out */
	answer_first(sim);
	core_turn(sim->core); /* a part is */
	put(sim, (struct put){ "pc", 1, 1, 0 });
	core_turn(sim->core);
	assert_non_null(sim->flights->next);
	/* The key's answer overtakes the part's. */
	sim->flights->next->next = sim->flights;
	sim->flights = sim->flights->next;
	sim->flights->next->next = NULL;
	run_for(sim, 1000);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(ledger(sim).dead, 0);
	sim->receiver = refuses_bad;
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).dead, 20);
	assert_int_equal(ledger(sim).delivered, 41);
	assert_int_equal(sim->accepted_rows, 41);
}

static void
kills_nothing_in_soft_mode(void **state)
{
	struct sim *sim = *state;

	sim->config.dead.soft = true;
	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk3x";
	put(sim, (struct put){ "cvm", 1000, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	sim->receiver = takes_all;
	run_for(sim, 60 * 60 * 1000);
	assert_int_equal(ledger(sim).delivered, 1000);
}

static void
buries_what_may_have_been_taken_where_told_to(void **state)
{
	static const struct said CUT = { .transfer = 28, .body = "" };
	struct sim *sim = *state;

	sim->config.receiver.ambiguous_dead_letter = true;
	sim->receiver = lies;
	sim->lie = &CUT;
	put(sim, (struct put){ "cvm", 100, 20, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1);
	assert_int_equal(ledger(sim).dead, 100);
	assert_int_equal(ledger(sim).ambiguous, 1);
	/* What did not leave is not in doubt. */
	put(sim, (struct put){ "cvm", 100, 20, 0 });
	sim->receiver = is_away;
	run_for(sim, 60 * 1000);
	assert_int_equal(ledger(sim).pending, 100);
}

static void
sends_only_the_latest_of_late_rows_where_told_to(void **state)
{
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	put(sim, (struct put){ "cvm", 5000, 7, 0 });
	sim->wall_ms += 3600 * 1000;
	put(sim, (struct put){ "cvm", 30, 3, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dropped, 4993);
	assert_int_equal(ledger(sim).delivered, 7 + 30);
}

static void
buries_late_rows_where_told_to(void **state)
{
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_DEAD_LETTER;
	put(sim, (struct put){ "cvm", 50, 7, 0 });
	sim->wall_ms += 3600 * 1000;
	put(sim, (struct put){ "cvm", 30, 3, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 50);
	assert_int_equal(ledger(sim).delivered, 30);
}

static void
drains_late_rows_at_the_rate_that_is_set(void **state)
{
	struct sim *sim = *state;

	sim->config.late.rate = 50;
	put(sim, (struct put){ "cvm", 1000, 7, 0 });
	sim->wall_ms += 3600 * 1000;
	start(sim, CORE_RUN);
	run_for(sim, 10 * 1000);
	assert_in_range(ledger(sim).delivered, 450, 600);
	run_for(sim, 12 * 1000);
	assert_int_equal(ledger(sim).delivered, 1000);
}

static void
expires_by_the_age_limit_of_its_namespace(void **state)
{
	struct sim *sim = *state;

	sim->config.queue.max_age_ms = 0;
	sim->config.namespace_count = 1;
	sim->config.namespaces[0] = (struct config_namespace){ .glob = "c*",
		.max_age_ms = 60 * 1000,
		.late_after_ms = -1,
		.late_policy = -1 };
	put(sim, (struct put){ "cvm", 10, 7, 0 });
	put(sim, (struct put){ "pc", 10, 7, 0 });
	sim->wall_ms += 3600 * 1000;
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).expired, 10);
	assert_int_equal(ledger(sim).delivered, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    delivers_everything_and_balances, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    retries_with_backoff_while_the_receiver_is_away, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    kills_only_the_guilty_series_in_few_requests, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    stays_within_the_bound_of_group_testing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    clears_a_series_whose_canary_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    remembers_suspects_across_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    remembers_no_more_suspects_than_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    lets_one_row_speak_for_a_misspelt_namespace, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    gives_a_namespace_without_a_route_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    holds_all_lanes_for_a_wrong_key_and_kills_none, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    holds_survive_a_restart_and_end_by_a_probe, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    never_believes_a_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    counts_only_attempts_that_left, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    expires_rows_that_are_too_old, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    corrects_the_clock_once_by_the_replys_date, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    holds_when_the_correction_does_not_help, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_doubtful_code_kills_only_beside_an_accepted_request,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    holds_a_row_that_is_too_long_though_a_longer_body_was_taken,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    learns_the_size_a_receiver_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_learned_size_grows_back_though_rows_are_large, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    clock_jumps_do_no_harm, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    one_lane_in_trouble_does_not_stop_another, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    isolates_with_many_requests_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    sends_no_row_twice_with_many_requests_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    risks_no_more_than_the_requests_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    lingers_for_a_fuller_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    finds_the_pace_a_receiver_takes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_reload_keeps_a_pace_that_the_queue_does_not_know, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    brakes_when_too_many_would_die, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_operators_hold_is_kept_until_the_operator_ends_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_hold_for_a_time_ends_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_hold_for_a_time_ends_though_the_clock_went_back, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    an_operators_probe_sends_one_row_and_ends_no_operators_hold,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_operators_probe_ends_the_forwarders_hold_at_once, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    the_operators_release_lets_the_brake_go, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_operators_release_pardons_the_rows_that_a_refused_one_doomed,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_died_in_former_runs_counts_for_the_brake, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    what_died_before_a_release_counts_no_more_after_a_restart,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_hold_of_another_lane_may_come_while_a_part_is_out, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    kills_nothing_in_soft_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    buries_what_may_have_been_taken_where_told_to, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    sends_only_the_latest_of_late_rows_where_told_to, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    buries_late_rows_where_told_to, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    drains_late_rows_at_the_rate_that_is_set, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    expires_by_the_age_limit_of_its_namespace, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
