/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/lane.h"
#include "queue/wish.h"

#include "store_fixture.h"

#define NOW 1700000000000

static struct lane_row
held_row(const char *scope, const char *by)
{
	struct lane_row row = { .state = LANE_HELD,
		.since_at = 5,
		.wake_at = NOW + 1000,
		.failures = 3,
		.code = 1011,
		.held_until = -1 };

	snprintf(row.scope, sizeof(row.scope), "%s", scope);
	snprintf(row.held_by, sizeof(row.held_by), "%s", by);
	return row;
}

static void
waits_in_the_lane_until_it_is_seen(void **state)
{
	struct store *store = *state;
	struct wish wish = { LANE_ASK_HOLD, "a new table", NOW + 1000 };
	struct wish seen = { .ask = LANE_ASK_NOTHING }, read;
	struct lane_row row;

	store_put(store, "cvm", "m", 1);
	assert_int_equal(wish_load(store->db, 1, &read), 0);
	assert_int_equal(wish_store(store->db, 1, &wish), 0);
	assert_int_equal(wish_load(store->db, 1, &read), 1);
	assert_int_equal(read.ask, LANE_ASK_HOLD);
	assert_string_equal(read.reason, "a new table");
	assert_int_equal(read.until, NOW + 1000);
	/* A forwarder that stores its lane does not wipe it out. */
	assert_int_equal(lane_load(store->db, 1, &row), 1);
	assert_int_equal(row.asked, LANE_ASK_HOLD);
	assert_int_equal(lane_store(store->db, &row), 0);
	assert_int_equal(wish_load(store->db, 1, &read), 1);
	assert_int_equal(wish_store(store->db, 1, &seen), 0);
	assert_int_equal(wish_load(store->db, 1, &read), 0);
	assert_int_equal(wish_load(store->db, 7, &read), 0);
}

static void
holds_in_the_operators_name(void **state)
{
	struct wish wish = { LANE_ASK_HOLD, "why", NOW + 500 };
	struct lane_row row = held_row("account", "forwarder");

	(void)state;
	wish_apply(&wish, &row, NOW);
	assert_int_equal(row.state, LANE_HELD);
	assert_int_equal(row.since_at, 5);
	assert_int_equal(row.wake_at, -1);
	assert_int_equal(row.code, -1);
	assert_string_equal(row.scope, "");
	assert_string_equal(row.held_by, "operator");
	assert_string_equal(row.reason, "why");
	assert_true(lane_is_operators(&row));
}

static void
ends_when_its_time_has_come_and_not_before(void **state)
{
	struct wish wish = { LANE_ASK_HOLD, "why", NOW + 500 };
	struct lane_row row = { .state = LANE_READY, .held_until = -1 };

	(void)state;
	assert_false(wish_expire(&row, NOW));
	wish_apply(&wish, &row, NOW);
	assert_int_equal(row.since_at, NOW);
	assert_false(wish_expire(&row, NOW + 499));
	assert_true(wish_expire(&row, NOW + 500));
	assert_int_equal(row.state, LANE_READY);
	assert_int_equal(row.since_at, NOW + 500);
	assert_string_equal(row.reason, "");
	assert_int_equal(row.held_until, -1);
}

static void
lasts_no_longer_for_a_clock_that_goes_back(void **state)
{
	struct wish wish = { LANE_ASK_HOLD, "why", NOW + 500 };
	struct lane_row row = { .state = LANE_READY, .held_until = -1 };

	(void)state;
	assert_false(wish_clamp(&row, 1000));
	wish_apply(&wish, &row, NOW);
	assert_false(wish_clamp(&row, NOW));
	assert_int_equal(row.held_until, NOW + 500);
	assert_true(wish_clamp(&row, 1000));
	assert_false(wish_clamp(&row, 1000));
	assert_false(wish_expire(&row, 1499));
	assert_true(wish_expire(&row, 1500));
}

static void
a_release_concerns_held_lanes_only(void **state)
{
	struct wish wish = { .ask = LANE_ASK_RELEASE };
	struct lane_row row = {
		.state = LANE_WAITING, .wake_at = NOW + 9, .failures = 4
	};

	(void)state;
	wish_apply(&wish, &row, NOW);
	assert_int_equal(row.state, LANE_WAITING);
	assert_int_equal(row.failures, 4);
	row = held_row("endpoint", "forwarder");
	wish_apply(&wish, &row, NOW);
	assert_int_equal(row.state, LANE_READY);
	assert_string_equal(row.scope, "");
}

static void
a_brake_stays_one_under_an_operators_hold(void **state)
{
	struct wish hold = { LANE_ASK_HOLD, "why", NOW + 500 };
	struct wish release = { .ask = LANE_ASK_RELEASE };
	struct lane_row row = held_row(LANE_BRAKE, "forwarder");

	(void)state;
	wish_apply(&hold, &row, NOW);
	assert_string_equal(row.scope, LANE_BRAKE);
	assert_true(wish_expire(&row, NOW + 500));
	assert_int_equal(row.state, LANE_HELD);
	assert_string_equal(row.held_by, "forwarder");
	assert_true(lane_is_operators(&row));
	wish_apply(&release, &row, NOW);
	assert_int_equal(row.state, LANE_READY);
}

static void
applied_twice_it_changes_nothing_more(void **state)
{
	static const enum lane_ask ASKS[] = { LANE_ASK_HOLD, LANE_ASK_RELEASE,
		LANE_ASK_PROBE };
	struct lane_row once, twice;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ASKS) / sizeof(ASKS[0]); i++) {
		struct wish wish = { ASKS[i], "why", NOW + 500 };

		once = held_row("account", "forwarder");
		wish_apply(&wish, &once, NOW);
		twice = once;
		wish_apply(&wish, &twice, NOW + 50);
		assert_memory_equal(&once, &twice, sizeof(once));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(waits_in_the_lane_until_it_is_seen),
		STORE_TEST(holds_in_the_operators_name),
		STORE_TEST(ends_when_its_time_has_come_and_not_before),
		STORE_TEST(lasts_no_longer_for_a_clock_that_goes_back),
		STORE_TEST(a_release_concerns_held_lanes_only),
		STORE_TEST(a_brake_stays_one_under_an_operators_hold),
		STORE_TEST(applied_twice_it_changes_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
