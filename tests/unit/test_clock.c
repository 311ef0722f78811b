/* links: base */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void
tells_the_wall_time_in_milliseconds(void **state)
{
	time_t before = time(NULL);
	int64_t now_ms = clock_wall_ms();
	time_t after = time(NULL);

	(void)state;
	/* time() may lag by a tick of the kernel. */
	assert_true(now_ms >= (int64_t)before * 1000);
	assert_true(now_ms < ((int64_t)after + 2) * 1000);
}

static void
never_goes_back(void **state)
{
	int64_t start_ms = clock_steady_ms(), before_ms = start_ms, now_ms;

	(void)state;
	assert_true(start_ms > 0);
	do {
		now_ms = clock_steady_ms();
		assert_true(now_ms >= before_ms);
		before_ms = now_ms;
	} while (now_ms < start_ms + 20); /* so it goes on, too */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_wall_time_in_milliseconds),
		cmocka_unit_test(never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
