/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/lane.h"
#include "queue/series.h"
#include "queue/suspect.h"

#include "store_fixture.h"

static int64_t
series(struct store *store, const char *wire)
{
	int64_t lane_id, id;

	assert_int_equal(
	    lane_intern(store->db, "cvm", "", "default", &lane_id), 0);
	assert_int_equal(series_intern(store->db, lane_id, "cpu", "{}", wire,
			     strlen(wire), &id),
	    0);
	return id;
}

static void
comes_back_and_is_replaced_and_cleared(void **state)
{
	struct store *store = *state;
	struct suspect_row row = { .series_id = series(store, "a"),
		.doomed_through = 7,
		.code = 1017,
		.attempt_id = 3,
		.since_at = 1000,
		.message = "no" };
	struct suspect_row again;

	assert_int_equal(suspect_store(store->db, &row), 0);
	assert_int_equal(suspect_load(store->db, row.series_id, &again), 1);
	assert_int_equal(again.doomed_through, 7);
	assert_int_equal(again.code, 1017);
	assert_int_equal(again.attempt_id, 3);
	assert_int_equal(again.since_at, 1000);
	assert_string_equal(again.message, "no");
	row.code = -1;
	row.doomed_through = 9;
	assert_int_equal(suspect_store(store->db, &row), 0);
	assert_int_equal(suspect_load(store->db, row.series_id, &again), 1);
	assert_int_equal(again.doomed_through, 9);
	assert_int_equal(again.code, -1);
	assert_int_equal(suspect_clear(store->db, row.series_id), 0);
	assert_int_equal(suspect_load(store->db, row.series_id, &again), 0);
	assert_int_equal(suspect_clear(store->db, row.series_id), 0);
}

static void
needs_a_series(void **state)
{
	struct store *store = *state;
	struct suspect_row row = { .series_id = 5 };

	assert_int_equal(suspect_store(store->db, &row), -1);
}

static void
are_listed_in_order_of_series(void **state)
{
	struct store *store = *state;
	static const char *const WIRES[] = { "a", "b", "c" };
	struct suspect_row row = { .attempt_id = -1 }, rows[2];
	int i;

	for (i = 0; i < 3; i++) {
		row.series_id = series(store, WIRES[i]);
		assert_int_equal(suspect_store(store->db, &row), 0);
	}
	assert_int_equal(suspect_list(store->db, 0, rows, 2), 2);
	assert_true(rows[0].series_id < rows[1].series_id);
	assert_int_equal(
	    suspect_list(store->db, rows[1].series_id, rows, 2), 1);
	assert_int_equal(rows[0].series_id, row.series_id);
	assert_int_equal(suspect_list(store->db, row.series_id, rows, 2), 0);
}

/* 10,000 of them, each younger than the one before. */
static void
fill(struct store *store)
{
	store_run(store,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
	    "  SELECT i + 1 FROM n WHERE i < 10000)"
	    "INSERT INTO series (id, lane_id, hash, metric, dimensions, wire)"
	    " SELECT 10 + i, 1, i, 'cpu', '{}', 'w' || i FROM n;"
	    "INSERT INTO suspect (series_id, doomed_through, message, since_at)"
	    " SELECT id, 1, '', 20000 - id FROM series WHERE id > 10");
}

static void
beyond_the_bound_the_oldest_are_forgotten(void **state)
{
	struct store *store = *state;
	struct suspect_row row = { .series_id = series(store, "a"),
		.code = 1017,
		.attempt_id = 3,
		.since_at = 30000 };
	struct suspect_row again;

	fill(store);
	assert_int_equal(suspect_store(store->db, &row), SUSPECT_FORGOTTEN);
	assert_int_equal(suspect_load(store->db, row.series_id, &again), 1);
	/* Those with the highest ids are the oldest. */
	assert_int_equal(suspect_load(store->db, 9010, &again), 1);
	assert_int_equal(suspect_load(store->db, 9011, &again), 0);
	assert_int_equal(suspect_load(store->db, 10010, &again), 0);
	assert_int_equal(suspect_store(store->db, &row), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(comes_back_and_is_replaced_and_cleared),
		STORE_TEST(needs_a_series),
		STORE_TEST(are_listed_in_order_of_series),
		STORE_TEST(beyond_the_bound_the_oldest_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
