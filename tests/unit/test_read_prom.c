/* links: reading */
#include "read_prom.h"

#include "reader_fixture.h"

#define WIRE(dimensions, metric, value) \
	"{\"dimensions\":{" dimensions "},\"metricName\":\"" metric \
	"\",\"value\":" value

static void
takes_samples_and_passes_over_comments(void **state)
{
	static const struct reading_good CASES[] = {
		{ "", 0, "" },
		{ "# HELP m x\n# TYPE m counter\n\n # x\n", 0, "" },
		{ "m 1\n", 1, WIRE("", "m", "1") },
		{ "m 1", 1, WIRE("", "m", "1") },
		{ "a 1\r\nm 2\r\n", 2, WIRE("", "m", "2") },
		{ "m{} -.5\n", 1, WIRE("", "m", "-0.5") },
		{ "m{a=\"x\",} 1 5\n", 1, WIRE("\"a\":\"x\"", "m", "1") },
		{ "\t m\t{ a = \"x\" , b=\"y\"}  1e3  5 \n", 1,
		    WIRE("\"a\":\"x\",\"b\":\"y\"", "m", "1000") },
		{ "m{a=\"\\\\ \\\" \\x }\"} 1\n", 1,
		    WIRE("\"a\":\"\\\\ \\\" \\\\x }\"", "m", "1") },
		{ "m{a=\"\",b=\"y\"} 1\n", 1, WIRE("\"b\":\"y\"", "m", "1") },
		{ "m_bucket{le=\"+Inf\"} 1\n", 1,
		    WIRE("\"le\":\"+Inf\"", "m_bucket", "1") },
	};

	(void)state;
	reading_takes(read_prom, CASES, READING_COUNT(CASES));
}

static void
says_what_is_wrong_and_where(void **state)
{
	static const struct reading_bad CASES[] = {
		{ "m NaN\n", FAULT_BAD_VALUE, 1, 3,
		    "value is not a number (\"NaN\")" },
		{ "m 1\nm +Inf\n", FAULT_BAD_VALUE, 2, 3, NULL },
		{ "m\n", FAULT_BAD_ROW, 1, 2, "the value is missing" },
		{ "m{a=\"\xc3\xa9\"} x\n", FAULT_BAD_VALUE, 1, 10, NULL },
		{ "\"m\" 1\n", FAULT_BAD_ROW, 1, 1, NULL },
		{ "m{a} 1\n", FAULT_BAD_ROW, 1, 4, NULL },
		{ "m{a=\"x\\\"} 1\n", FAULT_BAD_ROW, 1, 3, NULL },
		{ "m{,} 1\n", FAULT_BAD_ROW, 1, 3, NULL },
		{ "m{1a=\"x\"} 1\n", FAULT_BAD_ROW, 1, 3, NULL },
		{ "m{a=\"x\",a=\"y\"} 1\n", FAULT_DUPLICATE_MEMBER, 1, 9,
		    NULL },
		{ "m{a=\"x\\ny\"} 1\n", FAULT_BAD_VALUE, 1, 3, NULL },
		{ "m 1 -5\n", FAULT_BAD_ROW, 1, 5, NULL },
		{ "m 1 99999999999999999999\n", FAULT_BAD_ROW, 1, 5, NULL },
		{ "m 1 9223372036854775807\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "a:b 1\n", FAULT_BAD_NAME, 1, 1, NULL },
	};

	(void)state;
	reading_refuses(read_prom, CASES, READING_COUNT(CASES));
}

static void
takes_milliseconds(void **state)
{
	struct reading reading;

	(void)state;
	reading_start(&reading, true, false);
	assert_int_equal(
	    reading_bytes(&reading, read_prom, "m 1 1395066363001", 17), 0);
	assert_int_equal(
	    reading.import.row.entry.observed_at, INT64_C(1395066363001));
	reading_end(&reading);
}

static void
goes_on_behind_a_bad_line(void **state)
{
	static const char TEXT[] = "a 1\nb NaN\nc\0 1\nd 4\n";
	struct reading reading;

	(void)state;
	reading_start(&reading, true, true);
	assert_int_equal(
	    reading_bytes(&reading, read_prom, TEXT, sizeof(TEXT) - 1), 0);
	assert_int_equal(reading.import.rows, 2);
	assert_int_equal(reading.import.number, 4);
	assert_int_equal(reading.rejects.count, 2);
	assert_string_equal(reading.shown, WIRE("", "d", "4"));
	reading_end(&reading);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_samples_and_passes_over_comments),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_milliseconds),
		cmocka_unit_test(goes_on_behind_a_bad_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
