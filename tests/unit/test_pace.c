/* links: forward */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forward/pace.h"

#define SECOND 1000
#define MINUTE 60000

/* Send as fast as it lets from ${*now_ms} until ${until_ms}: how many went,
 * each of ${units} and accepted. */
static int
send_until(struct pace *pace, int64_t *now_ms, int64_t until_ms, double units)
{
	int64_t ready_ms;
	int sent = 0;

	while ((ready_ms = pace_ready_at(pace, *now_ms)) <= until_ms) {
		if (ready_ms > *now_ms) {
			*now_ms = ready_ms;
			continue;
		}
		pace_spend(pace, *now_ms, units);
		pace_accepted(pace, *now_ms, units);
		assert_true(++sent < 1000000);
	}
	*now_ms = until_ms;
	return sent;
}

static void
no_rate_is_no_limit(void **state)
{
	struct pace pace;
	int i;

	(void)state;
	pace_start(&pace, 0, 20, SECOND, 0);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(pace_ready_at(&pace, 7), 7);
		pace_spend(&pace, 7, 100);
	}
	assert_true(pace_rate(&pace) <= 0);
}

static void
a_burst_goes_at_once_and_then_the_rate(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;

	(void)state;
	pace_start(&pace, 10, 20, SECOND, 0);
	assert_int_equal(send_until(&pace, &now_ms, 0, 1), 20);
	assert_in_range(send_until(&pace, &now_ms, 10 * SECOND, 1), 99, 101);
	/* What is saved up is bounded by the burst. */
	now_ms += MINUTE;
	assert_int_equal(send_until(&pace, &now_ms, now_ms, 1), 20);
}

static void
who_spends_more_than_there_is_waits_the_longer(void **state)
{
	struct pace pace;

	(void)state;
	pace_start(&pace, 10, 1, SECOND, 0);
	pace_spend(&pace, 0, 101);
	assert_in_range(
	    pace_ready_at(&pace, 0), 10 * SECOND, 10 * SECOND + 200);
}

/* The time it gives is one at which it is ready. */
static void
the_time_it_gives_is_right(void **state)
{
	static const double RATES[] = { 0.1, 0.3, 1, 3.633, 7, 10, 333, 9999 };
	struct pace pace;
	int64_t ready_ms;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
		pace_start(&pace, RATES[i], 1, SECOND, 12345);
		pace_spend(&pace, 12345, 37);
		ready_ms = pace_ready_at(&pace, 12345);
		assert_int_equal(pace_ready_at(&pace, ready_ms), ready_ms);
	}
}

static void
a_refusal_lowers_to_what_was_accepted(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;

	(void)state;
	pace_start(&pace, 50, 1, SECOND, 0);
	send_until(&pace, &now_ms, 5 * SECOND, 1);
	pace_throttled(&pace, now_ms);
	assert_true(pace_rate(&pace) > 35 && pace_rate(&pace) < 50);
	assert_true(pace_ready_at(&pace, now_ms) > now_ms);
}

static void
requests_that_were_out_together_lower_once(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	double rate;
	int i;

	(void)state;
	pace_start(&pace, 50, 1, SECOND, 0);
	send_until(&pace, &now_ms, 5 * SECOND, 1);
	pace_throttled(&pace, now_ms);
	rate = pace_rate(&pace);
	for (i = 0; i < 7; i++)
		pace_throttled(&pace, now_ms + i);
	assert_true(pace_rate(&pace) >= rate);
	pace_throttled(&pace, now_ms + SECOND);
	assert_true(pace_rate(&pace) < rate);
}

static void
nothing_lower_than_the_least_is_learned(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	int i;

	(void)state;
	pace_start(&pace, 0, 20, MINUTE, 0);
	pace.least = 0.5;
	for (i = 0; i < 50; i++)
		pace_throttled(&pace, now_ms += 10 * (int64_t)MINUTE);
	assert_true(pace_rate(&pace) >= 0.5);
	pace_start(&pace, 0, 20, SECOND, now_ms);
	for (i = 0; i < 50; i++)
		pace_throttled(&pace, now_ms += 10 * (int64_t)MINUTE);
	assert_true(pace_rate(&pace) >= 0.1);
}

static void
what_was_learned_grows_back_and_is_forgotten(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	int i;

	(void)state;
	pace_start(&pace, 20, 1, SECOND, 0);
	for (i = 0; i < 10; i++)
		pace_throttled(&pace, now_ms += 10 * SECOND);
	assert_true(pace_rate(&pace) < 1);
	send_until(&pace, &now_ms, now_ms + 5 * (int64_t)MINUTE, 1);
	assert_true(pace.learned <= 0); /* the set rate is all there is */
	assert_true(pace_rate(&pace) >= 20);
}

/* From half a row a second to a thousand rows a minute. */
static void
what_no_acceptance_bounds_grows_quickly(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	double before;

	(void)state;
	pace_start(&pace, 0, 20, MINUTE, 0);
	pace.least = 0.5;
	pace_throttled(&pace, now_ms);
	assert_true(pace_rate(&pace) <= 0.5);
	send_until(&pace, &now_ms, 30 * (int64_t)MINUTE, 1);
	assert_true(pace_rate(&pace) >= 1000.0 / 60);
	/* The second refusal tells where to grow slowly. */
	pace_throttled(&pace, now_ms);
	send_until(&pace, &now_ms, now_ms + 3 * (int64_t)MINUTE, 1);
	before = pace_rate(&pace);
	send_until(&pace, &now_ms, now_ms + 5 * (int64_t)MINUTE, 1);
	assert_true(pace_rate(&pace) < before * 1.2);
}

static void
acceptance_that_waited_for_nothing_raises_nothing(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	double rate;
	int i;

	(void)state;
	pace_start(&pace, 50, 1, SECOND, 0);
	send_until(&pace, &now_ms, 5 * SECOND, 1);
	pace_throttled(&pace, now_ms);
	pace.limited = false;
	rate = pace_rate(&pace);
	for (i = 0; i < 10; i++)
		pace_accepted(&pace, now_ms += MINUTE, 1);
	assert_true(pace_rate(&pace) <= rate);
}

static void
after_an_outage_it_begins_slowly_and_doubles(void **state)
{
	struct pace pace;
	int64_t now_ms = 0;
	int i, most = 0;

	(void)state;
	pace_start(&pace, 0, 100, SECOND, 0);
	pace_ramp(&pace, now_ms);
	assert_true(pace_rate(&pace) <= 8);
	for (i = 0; i < 10 && pace_rate(&pace) > 0; i++) {
		if ((now_ms = pace_ready_at(&pace, now_ms)) < 10)
			most++;
		pace_spend(&pace, now_ms, 1);
		pace_accepted(&pace, now_ms, 1);
	}
	assert_in_range(i, 6, 9); /* 8, 16, ... to above 1,000 */
	assert_true(most <= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(a_burst_goes_at_once_and_then_the_rate),
		cmocka_unit_test(
		    who_spends_more_than_there_is_waits_the_longer),
		cmocka_unit_test(the_time_it_gives_is_right),
		cmocka_unit_test(a_refusal_lowers_to_what_was_accepted),
		cmocka_unit_test(requests_that_were_out_together_lower_once),
		cmocka_unit_test(nothing_lower_than_the_least_is_learned),
		cmocka_unit_test(what_was_learned_grows_back_and_is_forgotten),
		cmocka_unit_test(what_no_acceptance_bounds_grows_quickly),
		cmocka_unit_test(
		    acceptance_that_waited_for_nothing_raises_nothing),
		cmocka_unit_test(after_an_outage_it_begins_slowly_and_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
