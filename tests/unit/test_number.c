/* links: base */
#include "base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 1000000

/* A fixed sequence, so that a failure can be repeated (xorshift64). */
static uint64_t
next_bits(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static double
double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static bool
same_bits(double left, double right)
{
	return memcmp(&left, &right, sizeof(left)) == 0;
}

/* Print, read with number_read() and strtod(), and compare every bit. */
static void
assert_reads_back(double value)
{
	char text[NUMBER_TEXT_SIZE];
	size_t len = number_print(text, value);
	double back;

	assert_true(len < sizeof(text));
	assert_int_equal(strlen(text), len);
	assert_true(number_is(text, len));
	assert_int_equal(number_read(text, len, &back), 0);
	if (!same_bits(value, back))
		fail_msg("%.17g became \"%s\"", value, text);
	if (!same_bits(value, strtod(text, NULL)))
		fail_msg("strtod: %.17g became \"%s\"", value, text);
}

static void
prints_the_shortest_text(void **state)
{
	static const struct {
		double value;
		const char *text;
	} CASES[] = { { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -1, "-1" },
		{ 0.1, "0.1" }, { 0.30000000000000004, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 1.2345678901234567, "1.2345678901234567" }, { 99.5, "99.5" },
		{ -12.345678, "-12.345678" }, { 0.000001, "0.000001" },
		{ 1e-6, "0.000001" }, { 1.5e-7, "0.00000015" },
		{ 1e-7, "0.0000001" }, { 1e-8, "1e-8" }, { 1.25e-9, "1.25e-9" },
		{ 1e15, "1000000000000000" }, { 1e20, "100000000000000000000" },
		{ 1e21, "1e21" }, { 1.5e300, "1.5e300" }, { 1e300, "1e300" },
		{ 9007199254740993.0, "9007199254740992" },
		{ 123456789012345680.0, "123456789012345680" },
		{ DBL_MAX, "1.7976931348623157e308" },
		{ -DBL_MAX, "-1.7976931348623157e308" },
		{ DBL_MIN, "2.2250738585072014e-308" },
		{ 4.9406564584124654e-324, "5e-324" },
		/* The interval of a power of two is narrower below it: the
		 * nearest text of 16 digits does not read back, a farther one
		 * does. */
		{ 0x1p-44, "5.684341886080802e-14" } };
	char text[NUMBER_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		number_print(text, CASES[i].value);
		assert_string_equal(text, CASES[i].text);
		assert_reads_back(CASES[i].value);
	}
}

static void
reads_back_a_million_random_doubles(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15U;
	double value;
	int done = 0;

	(void)state;
	while (done < MANY) {
		value = double_of(next_bits(&seed));
		if (!isfinite(value))
			continue;
		assert_reads_back(value);
		done++;
	}
}

static void
reads_back_every_power_of_two(void **state)
{
	int exponent;

	(void)state;
	for (exponent = -1074; exponent <= 1023; exponent++) {
		assert_reads_back(ldexp(1, exponent));
		assert_reads_back(nextafter(ldexp(1, exponent), 0));
	}
}

/* Short decimals stay as a person wrote them. */
static void
prints_decimals_as_they_were_written(void **state)
{
	uint64_t seed = 42;
	char written[40], text[NUMBER_TEXT_SIZE];
	long long mantissa;
	int places, i;

	(void)state;
	for (i = 0; i < MANY / 4; i++) {
		places = 1 + (int)(next_bits(&seed) % 6);
		mantissa = (long long)(next_bits(&seed) % 100000000);
		if (mantissa % 10 == 0)
			mantissa++;
		snprintf(written, sizeof(written), "%.*f", places,
		    (double)mantissa / pow(10, places));
		number_print(text, strtod(written, NULL));
		assert_string_equal(text, written);
		assert_reads_back(strtod(written, NULL));
	}
}

/* No text of fewer digits reads back. */
static void
needs_every_digit_that_it_prints(void **state)
{
	uint64_t seed = 7;
	char text[NUMBER_TEXT_SIZE], shorter[40];
	double value;
	int i, digits;
	const char *at;

	(void)state;
	for (i = 0; i < MANY / 20; i++) {
		value = double_of(next_bits(&seed) >> 1);
		if (!isfinite(value) || value < DBL_MIN)
			continue;
		number_print(text, value);
		digits = 0;
		for (at = text; *at != '\0' && *at != 'e'; at++)
			digits += *at >= '0' && *at <= '9';
		if (digits < 3 || strchr(text, 'e') == NULL)
			continue;
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
		assert_false(same_bits(strtod(shorter, NULL), value));
	}
}

static void
reads_numbers_of_the_grammar_alone(void **state)
{
	static const char *const GOOD[] = {
		"0", "-0", "1", "10", "0.5", "-1.25", "1e5", "1E5", "1e+5",
		"1e-5", "1.5e10", "123456789012345678901",
		"0.00000000000000000000000000001", "1e-400",
		"1234567890.12345678901234567890123456789012345678901234567890"
	};
	static const char *const BAD[] = { "", "-", "+1", "01", "-01", ".5",
		"1.", "1.e5", "1e", "1e+", "0x10", "1 ", " 1", "1,5", "nan",
		"NaN", "inf", "Infinity", "-Infinity", "1e999", "-1e999", "--1",
		"1-", "1e5.0", "1_000", "\xd9\xa1" };
	size_t i;
	double value = 7;

	(void)state;
	for (i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		assert_int_equal(
		    number_read(GOOD[i], strlen(GOOD[i]), &value), 0);
		assert_true(same_bits(value, strtod(GOOD[i], NULL)));
	}
	value = 7;
	for (i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		if (number_read(BAD[i], strlen(BAD[i]), &value) == 0)
			fail_msg("\"%s\" was read", BAD[i]);
	assert_true(same_bits(value, 7));
}

static void
stops_at_the_given_length(void **state)
{
	double value;

	(void)state;
	assert_int_equal(number_read("12345", 3, &value), 0);
	assert_true(same_bits(value, 123));
	assert_int_equal(number_read("1\0002", 3, &value), -1);
}

static void
tells_too_large_from_malformed(void **state)
{
	(void)state;
	assert_true(number_is("1e999", 5));
	assert_false(number_is("1e", 2));
}

/* Turn to a locale with a decimal comma, made in ${dir} where there is none. */
static bool
enter_comma(const char *dir)
{
	char command[256];

	if (setlocale(LC_ALL, "de_DE.UTF-8") != NULL)
		return true;
	snprintf(command, sizeof(command),
	    "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1", dir,
	    dir);
	if (system(command) != 0)
		return false;
	setenv("LOCPATH", dir, 1);
	return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

static void
knows_no_decimal_comma(void **state)
{
	char dir[] = "/tmp/test_number.XXXXXX", text[NUMBER_TEXT_SIZE];
	char command[64];
	bool entered;
	double value;

	(void)state;
	assert_non_null(mkdtemp(dir));
	entered = enter_comma(dir);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	if (!entered)
		skip();
	number_print(text, 0.30000000000000004);
	assert_string_equal(text, "0.30000000000000004");
	number_print(text, 0.5);
	assert_string_equal(text, "0.5");
	assert_int_equal(number_read("0.30000000000000004", 19, &value), 0);
	assert_true(same_bits(value, 0.30000000000000004));
	assert_int_equal(number_read("0,5", 3, &value), -1);
	/* The caller's locale is as it was. */
	snprintf(text, sizeof(text), "%.1f", 0.5);
	assert_string_equal(text, "0,5");
	setlocale(LC_ALL, "C");
}

static void
reads_whole_numbers_within_bounds(void **state)
{
	static const char *const BAD[] = { "", "-", " 1", "1 ", "+1", "1.0",
		"1e3", "0x1", "9223372036854775808", "-9223372036854775809",
		"--1" };
	int64_t value = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		assert_int_equal(
		    number_read_whole(BAD[i], INT64_MIN, INT64_MAX, &value),
		    -1);
	assert_int_equal(number_read_whole("11", 0, 10, &value), -1);
	assert_int_equal(number_read_whole("-1", 0, 10, &value), -1);
	assert_int_equal(value, 7);
	assert_int_equal(number_read_whole("10", 0, 10, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(number_read_whole("-9223372036854775808", INT64_MIN,
			     INT64_MAX, &value),
	    0);
	assert_true(value == INT64_MIN);
}

static void
groups_thousands(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} CASES[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" },
		{ 91022, "91,022" }, { -1234567, "-1,234,567" },
		{ INT64_MIN, "-9,223,372,036,854,775,808" } };
	char text[NUMBER_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_string_equal(
		    number_print_grouped(text, CASES[i].value), CASES[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_the_shortest_text),
		cmocka_unit_test(reads_back_a_million_random_doubles),
		cmocka_unit_test(reads_back_every_power_of_two),
		cmocka_unit_test(prints_decimals_as_they_were_written),
		cmocka_unit_test(needs_every_digit_that_it_prints),
		cmocka_unit_test(reads_numbers_of_the_grammar_alone),
		cmocka_unit_test(stops_at_the_given_length),
		cmocka_unit_test(tells_too_large_from_malformed),
		cmocka_unit_test(knows_no_decimal_comma),
		cmocka_unit_test(reads_whole_numbers_within_bounds),
		cmocka_unit_test(groups_thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
