/* links: reading */
#include "decimal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
reads_the_looser_forms(void **state)
{
	static const struct {
		const char *text;
		double value;
	} CASES[] = {
		{ "0", 0 },
		{ "5", 5 },
		{ "+5", 5 },
		{ "-5", -5 },
		{ "5.", 5 },
		{ ".5", 0.5 },
		{ "-.5", -0.5 },
		{ "007", 7 },
		{ "-007.250", -7.25 },
		{ "000", 0 },
		{ "0.30000000000000004", 0.30000000000000004 },
		{ "1e3", 1000 },
		{ "1.E+3", 1000 },
		{ "+.5e-1", 0.05 },
		{ "9007199254740993", 9007199254740992.0 },
		{ "5e-324", 5e-324 },
		{ "1e-999", 0 },
	};
	double value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		value = 77;
		if (decimal_read(
			CASES[i].text, strlen(CASES[i].text), &value) != 0 ||
		    memcmp(&value, &CASES[i].value, sizeof(value)) != 0)
			fail_msg("%s: %a", CASES[i].text, value);
	}
}

static void
keeps_the_sign_of_zero(void **state)
{
	double value = 1;

	(void)state;
	assert_int_equal(decimal_read("-0", 2, &value), 0);
	assert_true(value == 0 && signbit(value));
	assert_int_equal(decimal_read("-.0", 3, &value), 0);
	assert_true(value == 0 && signbit(value));
}

static void
refuses_what_is_no_number(void **state)
{
	static const char *const CASES[] = { "", "+", "-", ".", "-.", "e5",
		".e5", "1e", "1e+", "--5", "+-5", "1.2.3", "0x10", "1_000",
		"1,5", " 1", "1 ", "nan", "inf", "-Inf", "1e999", "-1e999",
		"5i" };
	double value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(*CASES); i++)
		if (decimal_read(CASES[i], strlen(CASES[i]), &value) != -1)
			fail_msg("\"%s\" is taken", CASES[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_looser_forms),
		cmocka_unit_test(keeps_the_sign_of_zero),
		cmocka_unit_test(refuses_what_is_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
