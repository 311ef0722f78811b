/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/border.h"
#include "queue/metric.h"

#include "store_fixture.h"

/* Where the rows begin that are not late, of all of lane 1. */
static int64_t
border_of(struct store *store, int64_t late_before)
{
	int64_t first, last, border = -1;

	if (border_ends(store->db, 1, &first, &last) ||
	    border_find(store->db, 1, late_before, first, last + 1, &border))
		fail_msg("%s", db_error(store->db));
	return border;
}

/* Ids 1 to 40, accepted at their id times 1000. */
static void
fill(struct store *store)
{
	int64_t id;

	for (id = 1; id <= 40; id++)
		assert_int_equal(
		    store_put_at(store, "cvm", "cpu", 1, id * 1000), id);
}

static void
has_no_ends_in_an_empty_lane(void **state)
{
	struct store *store = *state;
	struct border_row row;
	int64_t first, last;

	assert_int_equal(border_ends(store->db, 1, &first, &last), 0);
	assert_int_equal(first, -1);
	assert_int_equal(last, -1);
	assert_int_equal(border_row(store->db, 1, 1, &row), 0);
}

static void
is_found_among_holes(void **state)
{
	struct store *store = *state;
	int64_t before, expected;

	fill(store);
	assert_int_equal(metric_remove_range(store->db, 1, 1, 3), 3);
	assert_int_equal(metric_remove_range(store->db, 1, 11, 19), 9);
	for (before = 0; before <= 42; before++) {
		expected = before < 4 ? 4 : before > 40 ? 41 : before;
		/* In a hole any id is as good. */
		if (before > 10 && before <= 20)
			assert_in_range(
			    border_of(store, before * 1000), 11, 20);
		else
			assert_int_equal(
			    border_of(store, before * 1000), expected);
	}
}

static void
tells_the_row_it_falls_on(void **state)
{
	struct store *store = *state;
	struct border_row row;

	fill(store);
	assert_int_equal(metric_remove_range(store->db, 1, 11, 19), 9);
	assert_int_equal(border_row(store->db, 1, 11, &row), 1);
	assert_int_equal(row.id, 20);
	assert_int_equal(row.accepted_at, 20000);
	assert_false(row.replayed);
	assert_true(border_is_late(&row, 20001));
	assert_false(border_is_late(&row, 20000));
}

/* A replay at the end of the lane hides nothing that is fresh. */
static void
does_not_take_replayed_rows_for_late(void **state)
{
	struct store *store = *state;

	fill(store);
	store_run(store,
	    "UPDATE metric SET accepted_at = 5 WHERE id > 30;"
	    "INSERT INTO origin (id, origin_id, replays)"
	    " SELECT id, id - 30, 1 FROM metric WHERE id > 30");
	assert_int_equal(border_of(store, 25000), 25);
	assert_int_equal(border_of(store, 35000), 31);
}

/* Some border there is, and rows beyond it are where they were. */
static void
is_one_of_several_where_the_clock_was_set_back(void **state)
{
	struct store *store = *state;
	struct border_row row;
	int64_t border;

	fill(store);
	store_run(store,
	    "UPDATE metric SET accepted_at = 5 WHERE id BETWEEN 21 AND 25");
	border = border_of(store, 10000);
	assert_true(border == 10 || border == 26);
	assert_int_equal(border_row(store->db, 1, border, &row), 1);
	assert_false(border_is_late(&row, 10000));
}

static void
ends_whatever_ids_damage_has_made(void **state)
{
	struct store *store = *state;
	int64_t first, last;

	fill(store);
	store_run(store,
	    "UPDATE metric SET id = -9223372036854775807 - 1 WHERE id = 1;"
	    "UPDATE metric SET id = 9223372036854775807 WHERE id = 40");
	assert_int_equal(border_ends(store->db, 1, &first, &last), 0);
	assert_int_equal(first, 0);
	assert_true(last == INT64_MAX - 1);
	assert_int_equal(border_of(store, 10000), 10);
	assert_true(border_of(store, INT64_MAX) == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(has_no_ends_in_an_empty_lane),
		STORE_TEST(is_found_among_holes),
		STORE_TEST(tells_the_row_it_falls_on),
		STORE_TEST(does_not_take_replayed_rows_for_late),
		STORE_TEST(is_one_of_several_where_the_clock_was_set_back),
		STORE_TEST(ends_whatever_ids_damage_has_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
