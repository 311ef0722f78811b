/* links: forward */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forward/brake.h"

#define SPAN 160000 /* ten seconds a slice */

static void
without_a_limit_any_number_may_die(void **state)
{
	struct brake brake;

	(void)state;
	brake_clear(&brake);
	brake_count(&brake, SPAN, 5000, 1000000);
	assert_true(brake_left(&brake, 0, SPAN, 5000) == INT64_MAX);
	assert_true(brake_left(&brake, -1, SPAN, 5000) == INT64_MAX);
}

static void
counts_down_and_not_below_zero(void **state)
{
	struct brake brake;

	(void)state;
	brake_clear(&brake);
	assert_int_equal(brake_left(&brake, 10, SPAN, 5000), 10);
	brake_count(&brake, SPAN, 5000, 4);
	brake_count(&brake, SPAN, 25000, 5);
	assert_int_equal(brake_left(&brake, 10, SPAN, 25000), 1);
	brake_count(&brake, SPAN, 25000, 7);
	assert_int_equal(brake_left(&brake, 10, SPAN, 25000), 0);
}

static void
forgets_what_is_older_than_the_span(void **state)
{
	struct brake brake;

	(void)state;
	brake_clear(&brake);
	brake_count(&brake, SPAN, 5000, 4);
	brake_count(&brake, SPAN, 105000, 3);
	assert_int_equal(brake_left(&brake, 10, SPAN, 159999), 3);
	assert_int_equal(brake_left(&brake, 10, SPAN, 160000), 7);
	assert_int_equal(brake_left(&brake, 10, SPAN, 259999), 7);
	assert_int_equal(brake_left(&brake, 10, SPAN, 260000), 10);
}

/* The slice of a span ago has the same place in the ring. */
static void
a_slice_that_comes_round_begins_anew(void **state)
{
	struct brake brake;

	(void)state;
	brake_clear(&brake);
	brake_count(&brake, SPAN, 5000, 9);
	brake_count(&brake, SPAN, 165000, 1);
	assert_int_equal(brake_left(&brake, 10, SPAN, 165000), 9);
}

static void
spans_of_any_size_have_slices(void **state)
{
	struct brake brake;

	(void)state;
	brake_clear(&brake);
	brake_count(&brake, 1, 100, 2);
	assert_int_equal(brake_left(&brake, 3, 1, 100), 1);
	assert_int_equal(brake_left(&brake, 3, 1, 100 + BRAKE_SLICES), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_any_number_may_die),
		cmocka_unit_test(counts_down_and_not_below_zero),
		cmocka_unit_test(forgets_what_is_older_than_the_span),
		cmocka_unit_test(a_slice_that_comes_round_begins_anew),
		cmocka_unit_test(spans_of_any_size_have_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
