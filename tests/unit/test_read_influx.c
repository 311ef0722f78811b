/* links: reading */
#include "read_influx.h"

#include "influx_map.h"
#include "reader_fixture.h"

#define WIRE(dimensions, metric, value) \
	"{\"dimensions\":{" dimensions "},\"metricName\":\"" metric \
	"\",\"value\":" value

static void
takes_a_row_for_each_field(void **state)
{
	static const struct reading_good CASES[] = {
		{ "", 0, "" },
		{ "# x\n\n  \n", 0, "" },
		{ "m f=1\n", 1, WIRE("", "m_f", "1") },
		{ "m f=1", 1, WIRE("", "m_f", "1") },
		{ "m a=1,b=2.5,c=-3i\r\n", 3, WIRE("", "m_c", "-3") },
		{ "m,x=1,a=2 f=t\n", 1,
		    WIRE("\"a\":\"2\",\"x\":\"1\"", "m_f", "1") },
		{ "m f=FALSE 5\n", 1, WIRE("", "m_f", "0") },
		{ "m f=18446744073709551615u 5 \n", 1,
		    WIRE("", "m_f", "18446744073709552000") },
		{ "  m  f=+1e3   5\n", 1, WIRE("", "m_f", "1000") },
		{ "m,h\\ \\,\\==\\ \\,\\= f=1\n", 1,
		    WIRE("\"h ,=\":\" ,=\"", "m_f", "1") },
		{ "m,p=C:\\new\\\\x f=1\n", 1,
		    WIRE("\"p\":\"C:\\\\new\\\\\\\\x\"", "m_f", "1") },
	};

	(void)state;
	reading_takes(read_influx, CASES, READING_COUNT(CASES));
}

static void
says_what_is_wrong_and_where(void **state)
{
	static const struct reading_bad CASES[] = {
		{ "m f=\"text\"\n", FAULT_BAD_VALUE, 1, 5,
		    "field \"f\" is text, not a number" },
		{ "m f=1\nm f=1,\xc3\xa9=\"x\"\n", FAULT_BAD_VALUE, 2, 9,
		    NULL },
		{ "m\n", FAULT_BAD_ROW, 1, 2, "the line has no fields" },
		{ "m \n", FAULT_BAD_ROW, 1, 3, NULL },
		{ "m f\n", FAULT_BAD_ROW, 1, 3, NULL },
		{ "m f=\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=1,\n", FAULT_BAD_ROW, 1, 7, NULL },
		{ "m f=i\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=-i\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=+1i\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=-1u\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=yes\n", FAULT_BAD_VALUE, 1, 5, NULL },
		{ "m f=1 5s\n", FAULT_BAD_ROW, 1, 7, NULL },
		{ "m f=1 -5\n", FAULT_BAD_ROW, 1, 7, NULL },
		{ "m,a=1,a=2 f=1\n", FAULT_DUPLICATE_MEMBER, 1, 7, NULL },
		{ "m,a=,b=1 f=1\n", FAULT_BAD_ROW, 1, 3, "a tag has no value" },
		{ "m, f=1\n", FAULT_BAD_ROW, 1, 3, NULL },
		{ " ,a=b f=1\n", FAULT_BAD_ROW, 1, 2, NULL },
		{ "a.b f=1\n", FAULT_BAD_NAME, 1, 1, NULL },
	};

	(void)state;
	reading_refuses(read_influx, CASES, READING_COUNT(CASES));
}

static void
takes_nanoseconds_down_to_milliseconds(void **state)
{
	static const char LINE[] = "m f=1 1700000000123999999";
	struct reading reading;

	(void)state;
	reading_start(&reading, true, false);
	assert_int_equal(
	    reading_bytes(&reading, read_influx, LINE, sizeof(LINE) - 1), 0);
	assert_int_equal(
	    reading.import.row.entry.observed_at, INT64_C(1700000000123));
	assert_int_equal(reading.import.notes, 0);
	assert_int_equal(
	    reading_bytes(&reading, read_influx, "m f=1 17\nm f=2 18", 17), 0);
	assert_int_equal(reading.import.notes, 1);
	reading_end(&reading);
}

/* One bad field, and the line is refused before any of its rows is kept. */
static void
takes_a_line_whole_or_not_at_all(void **state)
{
	static const char TEXT[] = "m a=1,b=\"x\"\nm a=1,b.c=2\nm a=4,b=5\n";
	struct reading reading;

	(void)state;
	reading_start(&reading, true, true);
	assert_int_equal(
	    reading_bytes(&reading, read_influx, TEXT, sizeof(TEXT) - 1), 0);
	assert_int_equal(reading.import.rows, 2);
	assert_int_equal(reading.rejects.count, 2);
	assert_string_equal(reading.shown, WIRE("", "m_b", "5"));
	reading_end(&reading);
}

static void
names_metrics_by_the_map(void **state)
{
	static const struct {
		const char *map, *metric;
	} CASES[] = {
		{ INFLUX_MAP, "cpu_idle" },
		{ "metric={field}", "idle" },
		{ "metric=x{measurement}{measurement}y", "xcpucpuy" },
		{ "metric=plain", "plain" },
	};
	static const char *const WRONG[] = { "", "metric=", "metric",
		"name={f}", "metric={tag}", "metric={field", "metric=field}",
		"metric={{field}}" };
	struct text metric = { 0 };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < READING_COUNT(CASES); i++) {
		assert_int_equal(influx_map_check(CASES[i].map, &fault), 0);
		influx_map_apply(CASES[i].map, "cpu", "idle", &metric);
		assert_string_equal(text_string(&metric), CASES[i].metric);
	}
	for (i = 0; i < READING_COUNT(WRONG); i++) {
		if (influx_map_check(WRONG[i], &fault) != -1)
			fail_msg("\"%s\" is taken", WRONG[i]);
		assert_int_equal(fault.kind, FAULT_USAGE);
	}
	text_free(&metric);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_row_for_each_field),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_nanoseconds_down_to_milliseconds),
		cmocka_unit_test(takes_a_line_whole_or_not_at_all),
		cmocka_unit_test(names_metrics_by_the_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
