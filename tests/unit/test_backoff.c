/* links: protocol */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "protocol/backoff.h"

#define ROUNDS 100000

/* splitmix64: every run sees the same numbers. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int64_t
lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
waits_from_zero_to_the_doubled_base(void **state)
{
	uint64_t seed = 1;
	int64_t cap_ms = 1000;
	unsigned failures;
	int round;

	(void)state;
	for (failures = 1; failures <= 40; failures++) {
		for (round = 0; round < 1000; round++)
			assert_in_range(
			    backoff_ms(1000, 300000, failures, next(&seed)), 0,
			    cap_ms);
		cap_ms = lesser(2 * cap_ms, 300000);
	}
}

static void
reaches_both_ends_of_the_range(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(1000, 300000, 1, 0), 0);
	assert_int_equal(backoff_ms(1000, 300000, 1, 1000), 1000);
	assert_int_equal(backoff_ms(1000, 300000, 1, 1001), 0);
	assert_int_equal(backoff_ms(1000, 300000, 3, 4000), 4000);
	assert_int_equal(backoff_ms(1000, 300000, 20, 300000), 300000);
	assert_int_equal(backoff_ms(1000, 300000, 20, 300001), 0);
}

static void
waits_half_of_the_cap_on_average(void **state)
{
	static const unsigned FAILURES[] = { 1, 2, 5, 9, 1000 };
	uint64_t seed = 2;
	int64_t sum, cap_ms;
	size_t i;
	int round;

	(void)state;
	for (i = 0; i < sizeof(FAILURES) / sizeof(FAILURES[0]); i++) {
		cap_ms = FAILURES[i] < 9 ? 1000 << (FAILURES[i] - 1)
					 : (FAILURES[i] == 9 ? 256000 : 300000);
		sum = 0;
		for (round = 0; round < ROUNDS; round++)
			sum += backoff_ms(
			    1000, 300000, FAILURES[i], next(&seed));
		assert_in_range(
		    sum / ROUNDS, cap_ms / 100 * 49, cap_ms / 100 * 51);
	}
}

static void
never_overflows(void **state)
{
	static const int64_t TIMES[] = { INT64_MIN, -1, 0, 1, 1000,
		INT64_MAX / 2, INT64_MAX / 2 + 1, INT64_MAX - 1, INT64_MAX };
	static const unsigned COUNTS[] = { 0, 1, 2, 31, 62, 63, 64, 65, 1000,
		UINT_MAX - 1, UINT_MAX };
	static const uint64_t RANDOM[] = { 0, 1, INT64_MAX, UINT64_MAX / 2 + 1,
		UINT64_MAX };
	size_t n = sizeof(TIMES) / sizeof(TIMES[0]);
	size_t counts = sizeof(COUNTS) / sizeof(COUNTS[0]);
	size_t i, j;
	int64_t most;

	(void)state;
	for (i = 0; i < n * n; i++) {
		most = TIMES[i % n] > 0 ? TIMES[i % n] : 0;
		for (j = 0; j < counts * 5; j++) {
			assert_true(backoff_ms(TIMES[i / n], TIMES[i % n],
					COUNTS[j / 5], RANDOM[j % 5]) >= 0);
			assert_true(backoff_ms(TIMES[i / n], TIMES[i % n],
					COUNTS[j / 5], RANDOM[j % 5]) <= most);
			assert_true(backoff_probe_ms(TIMES[i / n], TIMES[i % n],
					COUNTS[j / 5], RANDOM[j % 5]) >= 0);
			assert_true(backoff_probe_ms(TIMES[i / n], TIMES[i % n],
					COUNTS[j / 5], RANDOM[j % 5]) <= most);
		}
	}
}

static void
takes_no_failure_for_the_first(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(1000, 300000, 0, 1000), 1000);
	assert_int_equal(backoff_ms(1000, 300000, 0, 1001), 0);
	assert_int_equal(backoff_probe_ms(1000, 300000, 0, 500), 1500);
}

static void
probes_within_the_two_bounds_ever_more_seldom(void **state)
{
	static const int64_t LOW[] = { 60000, 120000, 240000, 480000, 600000,
		600000 };
	static const int64_t HIGH[] = { 90000, 180000, 360000, 720000, 900000,
		900000 };
	uint64_t seed = 3;
	unsigned probes;
	int round;

	(void)state;
	for (probes = 1; probes <= 6; probes++) {
		for (round = 0; round < 1000; round++)
			assert_in_range(backoff_probe_ms(
					    60000, 900000, probes, next(&seed)),
			    LOW[probes - 1], HIGH[probes - 1]);
		assert_int_equal(backoff_probe_ms(60000, 900000, probes, 0),
		    LOW[probes - 1]);
		assert_int_equal(
		    backoff_probe_ms(60000, 900000, probes,
			(uint64_t)(HIGH[probes - 1] - LOW[probes - 1])),
		    HIGH[probes - 1]);
		/* A narrow range is kept, too. */
		assert_int_equal(
		    backoff_probe_ms(60000, 60000, probes, next(&seed)), 60000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_from_zero_to_the_doubled_base),
		cmocka_unit_test(reaches_both_ends_of_the_range),
		cmocka_unit_test(waits_half_of_the_cap_on_average),
		cmocka_unit_test(never_overflows),
		cmocka_unit_test(takes_no_failure_for_the_first),
		cmocka_unit_test(probes_within_the_two_bounds_ever_more_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
