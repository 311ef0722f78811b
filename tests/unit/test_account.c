/* links: forward */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/config.h"
#include "forward/account.h"
#include "forward/key.h"

static struct account
start(int64_t now_ms)
{
	static struct credential credential;
	static struct config config;
	struct account account;

	config_defaults(&config);
	config.rate.requests_per_second = 1000;
	config.rate.burst = 1000;
	account_start(&account, &credential, &config, NULL, now_ms);
	return account;
}

/* How long so many requests take, each accepted as soon as it went. */
static int64_t
span_of(struct account *account, int64_t now_ms, int requests)
{
	int64_t began_ms = now_ms, ready_ms;
	int i;

	for (i = 0; i < requests; i++) {
		ready_ms = account_ready_at(account, now_ms);
		now_ms = ready_ms > now_ms ? ready_ms : now_ms;
		account_spend(account, now_ms, 1);
		account_accepted(account, now_ms, 1, 100);
	}
	return now_ms - began_ms;
}

static void
begins_slowly_when_the_way_was_closed(void **state)
{
	struct account account = start(1000);

	(void)state;
	account_accepted(&account, 1000, 1, 100);
	account_failed(&account);
	account_accepted(&account, 60000, 1, 100);
	assert_true(span_of(&account, 60000, 5) >= 20);
}

static void
begins_slowly_when_nothing_was_ever_taken(void **state)
{
	struct account account = start(1000);

	(void)state;
	account_failed(&account);
	account_accepted(&account, 2000, 1, 100);
	assert_true(span_of(&account, 2000, 5) >= 20);
}

static void
one_lane_that_fails_does_not_slow_the_others(void **state)
{
	struct account account = start(1000);
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		account_accepted(&account, 1000 + 100 * i, 1, 100);
		account_failed(&account);
		assert_int_equal(span_of(&account, 1050 + 100 * i, 5), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_slowly_when_the_way_was_closed),
		cmocka_unit_test(begins_slowly_when_nothing_was_ever_taken),
		cmocka_unit_test(one_lane_that_fails_does_not_slow_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
