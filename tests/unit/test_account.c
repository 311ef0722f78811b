/* links: forward */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "forward/account.h"
#include "forward/key.h"
#include "queue/account.h"

#define SECOND 1000
#define MINUTE 60000

static struct credential who = { .account = "default" };

/* 0: unlimited. */
static void
start(struct account *account, double requests, double rows,
    const struct account_row *learned)
{
	static struct config config;

	config_defaults(&config);
	config.rate.requests_per_second = requests;
	config.rate.burst = 2;
	config.rate.rows_per_minute = rows;
	account_start(account, &who, &config, learned, 1000);
}

static void
requests_and_rows_are_two_buckets(void **state)
{
	struct account account;

	(void)state;
	start(&account, 1, 6000, NULL);
	assert_int_equal(account_ready_at(&account, 1000), 1000);
	account_spend(&account, 1000, 10);
	account_spend(&account, 1000, 10);
	/* two requests of burst are gone, most rows are left */
	assert_in_range(account_ready_at(&account, 1000), 1900, 2100);
	start(&account, 1000, 600, NULL);
	account_spend(&account, 1000, 400);
	/* ten seconds' rows were saved up, 300 are owed at ten a second */
	assert_in_range(
	    account_ready_at(&account, 1000), 31 * SECOND, 32 * SECOND);
}

static void
too_many_requests_pause_for_as_long_as_is_told(void **state)
{
	struct account account;

	(void)state;
	start(&account, 0, 0, NULL);
	assert_int_equal(account_throttle_requests(&account, 1000, 900), 1);
	account_pause(&account, 1000, 90 * SECOND);
	assert_true(account_ready_at(&account, 1000) >= 91 * SECOND);
	/* a shorter wait ends no longer one */
	account_pause(&account, 2000, 0);
	assert_true(account_ready_at(&account, 2000) >= 91 * SECOND);
	assert_true(account.changed);
}

static void
too_many_rows_pause_for_a_minute_doubling_to_five(void **state)
{
	static const int64_t WAITS[] = { 60, 120, 240, 300, 300 };
	struct account account;
	int64_t now_ms = 1000;
	size_t i;

	(void)state;
	start(&account, 0, 0, NULL);
	for (i = 0; i < sizeof(WAITS) / sizeof(WAITS[0]); i++) {
		account_throttle_rows(&account, now_ms, now_ms);
		assert_int_equal(
		    account_pause_ms(&account, now_ms), WAITS[i] * SECOND);
		assert_true(account_ready_at(&account, now_ms) >=
		    now_ms + WAITS[i] * SECOND);
		now_ms += WAITS[i] * SECOND;
	}
	account_accepted(&account, now_ms, 10, 1000);
	account_throttle_rows(&account, now_ms, now_ms);
	assert_int_equal(account_pause_ms(&account, now_ms), 60 * SECOND);
}

static void
requests_that_were_out_together_are_throttled_once(void **state)
{
	struct account account;
	int i;

	(void)state;
	start(&account, 0, 0, NULL);
	assert_int_equal(account_throttle_requests(&account, 2000, 1500), 1);
	account_throttle_rows(&account, 2000, 1500);
	for (i = 1; i < 16; i++) {
		assert_int_equal(
		    account_throttle_requests(&account, 2000 + i, 1500 + i), 0);
		account_throttle_rows(&account, 2000 + i, 1500 + i);
	}
	assert_int_equal(account_pause_ms(&account, 2015), 60 * SECOND);
	assert_int_equal(account_throttle_requests(&account, 2500, 2001), 2);
	account_throttle_rows(&account, 2500, 2001);
	assert_int_equal(account_pause_ms(&account, 2500), 120 * SECOND);
}

static void
rows_of_a_batch_are_never_owed_for_hours(void **state)
{
	struct account account;
	int64_t now_ms = 1000;

	(void)state;
	start(&account, 0, 0, NULL);
	account_throttle_rows(&account, now_ms, now_ms);
	now_ms += account_pause_ms(&account, now_ms);
	account_spend(&account, now_ms, 100);
	assert_true(
	    account_ready_at(&account, now_ms) <= now_ms + 5 * (int64_t)MINUTE);
}

static void
contrast_lasts_five_minutes(void **state)
{
	struct account account;

	(void)state;
	start(&account, 0, 0, NULL);
	assert_false(account_has_contrast(&account, 1000));
	account_accepted(&account, 2000, 1, 500);
	assert_int_equal(account.accepted_bytes, 500);
	assert_true(account_has_contrast(&account, 2000));
	assert_true(account_has_contrast(&account, 2000 + 5 * MINUTE));
	assert_false(account_has_contrast(&account, 2001 + 5 * MINUTE));
}

static void
the_largest_accepted_is_a_contrast_as_long_as_others(void **state)
{
	struct account account;

	(void)state;
	start(&account, 0, 0, NULL);
	assert_false(account_took_bytes(&account, 1000, 1));
	account_accepted(&account, 2000, 100, 60000);
	account_accepted(&account, 12000, 1, 300);
	assert_true(account_took_bytes(&account, 13000, 60000));
	assert_false(account_took_bytes(&account, 13000, 60001));
	account_accepted(&account, 4 * MINUTE, 1, 500);
	assert_true(account_took_bytes(&account, 2000 + 5 * MINUTE, 400));
	assert_true(account_took_bytes(&account, 2001 + 5 * MINUTE, 400));
	assert_false(account_took_bytes(&account, 2001 + 5 * MINUTE, 501));
	account_accepted(&account, 2001 + 5 * MINUTE, 1, 300);
	assert_false(account_took_bytes(&account, 2001 + 5 * MINUTE, 501));
	account_accepted(&account, 2002 + 5 * MINUTE, 1, 200);
	assert_true(account_took_bytes(&account, 2002 + 5 * MINUTE, 300));
}

static void
what_was_learned_is_kept_and_taken_up(void **state)
{
	struct account account;
	struct account_row row = { .name = "" };

	(void)state;
	start(&account, 50, 0, NULL);
	account_accepted(&account, 1000, 1, 1);
	(void)account_throttle_requests(&account, 1500, 1500);
	account_throttle_rows(&account, 1500, 1500);
	account_learned(&account, &row);
	assert_string_equal(row.name, "default");
	assert_true(row.requests_per_second > 0);
	assert_true(row.requests_per_second < 50);
	assert_true(row.rows_per_minute > 0);
	start(&account, 50, 0, &row);
	assert_true(pace_rate(&account.requests) < 50);
	assert_true(pace_rate(&account.rows) > 0);
}

/* Rows go as fast as they may, a minute long, each accepted.  Return how often
 * there was something to store. */
static int
run_a_minute(struct account *account, int64_t *now_ms)
{
	int64_t until_ms = *now_ms + MINUTE;
	int stored = 0;

	while ((*now_ms = account_ready_at(account, *now_ms)) < until_ms) {
		account_spend(account, *now_ms, 1);
		account_accepted(account, *now_ms, 1, 100);
		stored += account->changed;
		account->changed = false;
	}
	return stored;
}

static void
growth_is_kept_and_not_at_every_step(void **state)
{
	struct account_row before = { .name = "" }, after = { .name = "" };
	struct account account;
	int64_t now_ms = 1000;

	(void)state;
	start(&account, 0, 0, NULL);
	account_throttle_rows(&account, now_ms, now_ms);
	account_learned(&account, &before);
	account.changed = false;
	now_ms += MINUTE;
	assert_in_range(run_a_minute(&account, &now_ms) +
		run_a_minute(&account, &now_ms) +
		run_a_minute(&account, &now_ms),
	    3, 7);
	account_learned(&account, &after);
	assert_true(after.rows_per_minute > before.rows_per_minute * 1.5);
	/* What is taken up grows on as quickly. */
	start(&account, 0, 0, &after);
	now_ms = 1000;
	assert_in_range(run_a_minute(&account, &now_ms), 1, 3);
}

static void
an_account_that_was_away_begins_slowly(void **state)
{
	struct account account;

	(void)state;
	start(&account, 0, 0, NULL);
	account_accepted(&account, 1000, 1, 1);
	assert_true(pace_rate(&account.requests) <= 0);
	account_failed(&account);
	assert_true(pace_rate(&account.requests) <= 0);
	account_accepted(&account, 1000 + MINUTE, 1, 1);
	assert_true(pace_rate(&account.requests) > 0);
	assert_false(account.failing);
	/* A failure beside what was accepted just now is no outage. */
	start(&account, 0, 0, NULL);
	account_accepted(&account, 1000, 1, 1);
	account_failed(&account);
	account_accepted(&account, 2000, 1, 1);
	assert_true(pace_rate(&account.requests) <= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_rows_are_two_buckets),
		cmocka_unit_test(
		    too_many_requests_pause_for_as_long_as_is_told),
		cmocka_unit_test(
		    too_many_rows_pause_for_a_minute_doubling_to_five),
		cmocka_unit_test(
		    requests_that_were_out_together_are_throttled_once),
		cmocka_unit_test(rows_of_a_batch_are_never_owed_for_hours),
		cmocka_unit_test(contrast_lasts_five_minutes),
		cmocka_unit_test(
		    the_largest_accepted_is_a_contrast_as_long_as_others),
		cmocka_unit_test(what_was_learned_is_kept_and_taken_up),
		cmocka_unit_test(growth_is_kept_and_not_at_every_step),
		cmocka_unit_test(an_account_that_was_away_begins_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
