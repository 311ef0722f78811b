/* links: forward */
/* late.fresh_share: rows from both ends of a lane, in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forward/lane.h"
#include "protocol/batch.h"

#include "sim.h"

#define MINUTE_MS (60 * 1000)
#define ROWS_MOST 20000
#define REQUESTS_MOST 4000

/* ---- what goes, and when ---- */

static struct {
	int times[ROWS_MOST + 1]; /* by id */
	int64_t sent_ms[ROWS_MOST + 1];
	struct {
		int64_t first_id;
		int rows;
	} requests[REQUESTS_MOST];
	int count;
} book;

static struct flight *
post_noted(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	const struct batch *batch = ((struct trip *)owner)->batch;
	struct sim *sim = cookie;
	size_t i;

	assert_true(book.count < REQUESTS_MOST);
	book.requests[book.count].first_id = batch->rows[0].id;
	book.requests[book.count++].rows = (int)batch->count;
	for (i = 0; i < batch->count; i++) {
		assert_in_range(batch->rows[i].id, 1, ROWS_MOST);
		book.times[batch->rows[i].id]++;
		book.sent_ms[batch->rows[i].id] = sim->steady_ms;
	}
	return sim_post(cookie, request, done, owner);
}

static int
setup_noted(void **state)
{
	struct sim *sim;

	memset(&book, 0, sizeof(book));
	if (setup(state))
		return -1;
	sim = *state;
	sim->world.post = post_noted;
	sim->config.late.fresh_share = 50;
	return 0;
}

static void
all_went_once(int64_t rows)
{
	int64_t id;

	for (id = 1; id <= rows; id++)
		if (book.times[id] != 1)
			fail_msg("row %lld went %d times", (long long)id,
			    book.times[id]);
}

/* Rows with an id above ${border} in ${count} requests from ${first} on. */
static int
rows_above(int64_t border, int first, int count)
{
	int rows = 0, i;

	for (i = first; i < first + count; i++)
		if (book.requests[i].first_id > border)
			rows += book.requests[i].rows;
	return rows;
}

/* ${late} rows, and then so many that are not. */
static void
put_both(struct sim *sim, int late, int fresh)
{
	put(sim, (struct put){ "cvm", late, 7, 0 });
	sim->wall_ms += 10 * MINUTE_MS;
	if (fresh > 0)
		put(sim, (struct put){ "cvm", fresh, 7, 0 });
}

/* Let ${answers} be given, each only while ${most} requests are out, or all
 * that there are. */
static void
run_busy(struct sim *sim, int most, int answers)
{
	struct flight *flight;
	int out;

	for (; answers > 0; answers--) {
		core_turn(sim->core);
		for (out = 0, flight = sim->flights; flight != NULL; out++)
			flight = flight->next;
		assert_int_equal(out, most);
		sim->wall_ms += 100;
		sim->steady_ms += 100;
		answer_first(sim);
	}
}

/* ---- what is proved ---- */

static void
keeps_the_order_without_a_share(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.late.fresh_share = 0;
	put_both(sim, 1000, 1000);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(book.count, 20);
	for (i = 0; i < 20; i++)
		assert_int_equal(book.requests[i].first_id, 1 + i * 100);
	assert_int_equal(ledger(sim).delivered, 2000);
}

static void
takes_the_share_from_the_fresh_end(void **state)
{
	static const int SHARES[] = { 10, 25, 50, 75, 90 };
	struct sim *sim = *state;
	int64_t border = 1000;
	size_t i;

	start(sim, CORE_RUN);
	for (i = 0; i < 5; i++, border += 2000) {
		sim->config.late.fresh_share = SHARES[i];
		assert_int_equal(core_reload(sim->core, &sim->config,
				     sim->credentials, NULL),
		    0);
		book.count = 0;
		put_both(sim, 1000, 1000);
		run_for(sim, 1000);
		assert_int_equal(book.count, 20);
		/* The fresh end comes first, and is not above its share by
		 * more than that request. */
		assert_true(book.requests[0].first_id > border);
		assert_in_range(rows_above(border, 0, 10) / 10, SHARES[i] - 10,
		    SHARES[i] + 10);
	}
	assert_int_equal(ledger(sim).delivered, 10000);
	all_went_once(10000);
}

static void
takes_it_where_the_namespace_says_so(void **state)
{
	struct sim *sim = *state;

	sim->config.late.fresh_share = 0;
	sim->config.namespace_count = 1;
	sim->config.namespaces[0] = (struct config_namespace){ .glob = "c*",
		.max_age_ms = -1,
		.late_after_ms = -1,
		.late_fresh_share = 50,
		.late_policy = -1 };
	put_both(sim, 1000, 1000);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(rows_above(1000, 0, 10), 500);
	all_went_once(2000);
}

static void
leaves_the_other_policies_alone(void **state)
{
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	sim->config.batch.max_rows = 7;
	put_both(sim, 1000, 100);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dropped, 993);
	assert_int_equal(ledger(sim).delivered, 107);
	assert_int_equal(book.requests[0].first_id, 994);
}

static void
does_not_slow_new_rows_by_the_rate_of_late_ones(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.late.rate = 10;
	put_both(sim, 1000, 0);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	for (i = 1; i <= 60; i++) {
		put(sim, (struct put){ "cvm", 1, 1, 0 });
		run_for(sim, 1000);
		assert_int_equal(book.times[1000 + i], 1);
		assert_in_range(sim->steady_ms - book.sent_ms[1000 + i], 990,
		    1000); /* at once */
	}
	assert_in_range(ledger(sim).delivered, 60 + 600, 60 + 640);
	run_for(sim, MINUTE_MS);
	all_went_once(1060);
}

/* Few new rows at a time cost as many requests as a whole batch. */
static void
leaves_the_head_its_requests(void **state)
{
	static const struct {
		int share, late; /* rows of the head in ten seconds */
	} SHARES[] = { { 50, 5000 }, { 90, 1000 } };
	struct sim *sim = *state;
	int before = 0, i, j;

	sim->config.rate.requests_per_second = 10;
	sim->config.rate.burst = 1;
	put_both(sim, 10000, 0);
	start(sim, CORE_RUN);
	for (i = 0; i < 2; i++) {
		sim->config.late.fresh_share = SHARES[i].share;
		assert_int_equal(core_reload(sim->core, &sim->config,
				     sim->credentials, NULL),
		    0);
		for (j = 0; j < 200; j++) {
			put(sim, (struct put){ "cvm", 1, 1, 0 });
			run_for(sim, 50);
		}
		assert_in_range(ledger(sim).delivered - before,
		    190 + SHARES[i].late * 9 / 10,
		    210 + SHARES[i].late * 11 / 10);
		before = (int)ledger(sim).delivered;
	}
	for (i = 1; i < 390; i++) /* those of the latest half second may wait */
		assert_int_equal(book.times[10000 + i], 1);
}

/* The fresh end has saved up no more than a request. */
static void
pays_no_share_of_what_is_past(void **state)
{
	struct sim *sim = *state;

	sim->config.late.fresh_share = 10;
	sim->config.rate.requests_per_second = 10;
	sim->config.rate.burst = 1;
	put_both(sim, 8000, 0);
	start(sim, CORE_RUN);
	run_for(sim, 5000);
	assert_true(book.count >= 50);
	book.count = 0;
	put(sim, (struct put){ "cvm", 2000, 7, 0 });
	run_for(sim, 2000);
	assert_in_range(rows_above(8000, 0, 20), 200, 300);
}

/* Nor has the head, what it was not let send. */
static void
owes_no_share_of_what_is_past(void **state)
{
	struct sim *sim = *state;

	sim->config.late.rate = 1;
	sim->config.rate.requests_per_second = 10;
	sim->config.rate.burst = 1;
	put_both(sim, 4000, 4000);
	start(sim, CORE_RUN);
	run_for(sim, 2000);
	assert_in_range(rows_above(4000, 0, book.count), 1500, 2000);
	sim->config.late.rate = 0;
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	book.count = 0;
	run_for(sim, 2000);
	assert_in_range(rows_above(4000, 0, 20), 900, 1100);
}

static void
sends_no_row_twice_with_many_requests_out(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.batch.in_flight = 8;
	sim->config.batch.max_rows = 10;
	put_both(sim, 1003, 300);
	start(sim, CORE_RUN);
	for (i = 0; i < 20; i++) {
		put(sim, (struct put){ "cvm", 7, 7, 0 });
		run_busy(sim, 8, 5);
	}
	/* One of the eight at a time. */
	assert_in_range(rows_above(1003, 0, 100), 100, 250);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 1443);
	all_went_once(1443);
}

static void
a_reload_ends_the_share_while_requests_are_out(void **state)
{
	struct sim *sim = *state;

	sim->config.batch.in_flight = 8;
	sim->config.batch.max_rows = 10;
	put_both(sim, 503, 500);
	start(sim, CORE_RUN);
	run_busy(sim, 8, 30);
	core_turn(sim->core);
	sim->config.late.fresh_share = 0;
	assert_int_equal(
	    core_reload(sim->core, &sim->config, sim->credentials, NULL), 0);
	run_busy(sim, 8, 40);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 1003);
	all_went_once(1003);
}

static void
kills_only_the_guilty_at_either_end(void **state)
{
	struct sim *sim = *state;

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk3x";
	put_both(sim, 700, 700);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 200);
	assert_int_equal(ledger(sim).delivered, 1200);
	/* A bad series at the fresh end costs a canary. */
	put(sim, (struct put){ "cvm", 700, 3, 0 });
	sim->wall_ms += 10 * MINUTE_MS;
	put(sim, (struct put){ "cvm", 100, 7, 0 });
	book.count = 0;
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 1200 + 700 + 86);
	assert_int_equal(book.requests[0].first_id, 2104); /* of disk3x */
	assert_int_equal(book.count, 1 + 7 + 1);
}

static void
waits_with_both_ends_while_the_receiver_is_away(void **state)
{
	struct sim *sim = *state;

	put_both(sim, 300, 100);
	sim->receiver = is_away;
	start(sim, CORE_RUN);
	run_for(sim, 10 * MINUTE_MS);
	assert_in_range(sim->requests, 3, 30);
	sim->receiver = takes_all;
	memset(&book, 0, sizeof(book));
	run_for(sim, 6 * MINUTE_MS);
	assert_int_equal(ledger(sim).delivered, 400);
	all_went_once(400);
}

static void
clock_steps_do_no_harm(void **state)
{
	static const int64_t STEPS_MS[] = { 10 * MINUTE_MS, -9 * MINUTE_MS,
		-600 * MINUTE_MS, 1200 * MINUTE_MS, -20 * MINUTE_MS,
		30 * MINUTE_MS };
	struct sim *sim = *state;
	size_t i;

	sim->config.late.rate = 100;
	sim->config.batch.in_flight = 3;
	start(sim, CORE_RUN);
	put_both(sim, 1000, 0);
	for (i = 0; i < 6; i++) {
		sim->wall_ms += STEPS_MS[i];
		put(sim, (struct put){ "cvm", 150, 7, 0 });
		run_for(sim, 500);
	}
	run_for(sim, MINUTE_MS);
	assert_int_equal(ledger(sim).delivered, 1900);
	all_went_once(1900);
}

/* What was fresh when it was sent is behind the border by now. */
static void
follows_an_end_that_moves_on(void **state)
{
	struct sim *sim = *state;
	int i;

	sim->config.batch.in_flight = 4;
	sim->config.batch.max_rows = 10;
	sim->config.late.after_ms = 1000;
	put_both(sim, 5000, 1000);
	start(sim, CORE_RUN);
	run_busy(sim, 4, 9); /* each takes a tenth of a second */
	assert_in_range(rows_above(5000, 0, book.count), 30, 70);
	sim->wall_ms += 1000;
	put(sim, (struct put){ "cvm", 10, 7, 0 });
	for (i = 0; i < 8; i++) { /* those that were out, and a few */
		core_turn(sim->core);
		answer_first(sim);
	}
	assert_int_equal(book.times[6010], 1);
	run_for(sim, MINUTE_MS);
	all_went_once(6010);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_noted, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_the_order_without_a_share),
		TEST(takes_the_share_from_the_fresh_end),
		TEST(takes_it_where_the_namespace_says_so),
		TEST(leaves_the_other_policies_alone),
		TEST(does_not_slow_new_rows_by_the_rate_of_late_ones),
		TEST(leaves_the_head_its_requests),
		TEST(pays_no_share_of_what_is_past),
		TEST(owes_no_share_of_what_is_past),
		TEST(sends_no_row_twice_with_many_requests_out),
		TEST(a_reload_ends_the_share_while_requests_are_out),
		TEST(kills_only_the_guilty_at_either_end),
		TEST(waits_with_both_ends_while_the_receiver_is_away),
		TEST(clock_steps_do_no_harm),
		TEST(follows_an_end_that_moves_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
