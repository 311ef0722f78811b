/* links: reading */
#include "read_csv.h"

#include "reader_fixture.h"

#define WIRE(dimensions, metric, value) \
	"{\"dimensions\":{" dimensions "},\"metricName\":\"" metric \
	"\",\"value\":" value
#define HEADER "metric,value,ip\n"

static void
takes_records_under_their_header(void **state)
{
	static const struct reading_good CASES[] = {
		{ "", 0, "" },
		{ "\n\n", 0, "" },
		{ HEADER, 0, "" },
		{ HEADER "m,1,a\n", 1, WIRE("\"ip\":\"a\"", "m", "1") },
		{ HEADER "m,1,a", 1, WIRE("\"ip\":\"a\"", "m", "1") },
		{ HEADER "m,1,\n", 1, WIRE("", "m", "1") },
		{ HEADER "m,1,\"\"\n", 1, WIRE("", "m", "1") },
		{ "\n\n" HEADER "\n \t\nm,1,a\n\nn,2,b\n\n", 2,
		    WIRE("\"ip\":\"b\"", "n", "2") },
		{ "\xef\xbb\xbfmetric , value,\tip\r\nm, +5. , a \r\n", 1,
		    WIRE("\"ip\":\" a \"", "m", "5") },
		{ "\"metric\",\"value\",\"a,b\"\n\"m\",\"1\",\"x,\"\"y\"\"\"\n",
		    1, WIRE("\"a,b\":\"x,\\\"y\\\"\"", "m", "1") },
		{ "value,b,metric,a\n1,x,m,y\n", 1,
		    WIRE("\"a\":\"y\",\"b\":\"x\"", "m", "1") },
	};

	(void)state;
	reading_takes(read_csv, CASES, READING_COUNT(CASES));
}

static void
says_what_is_wrong_and_where(void **state)
{
	static const struct reading_bad CASES[] = {
		{ "metric,ip\n", FAULT_MISSING_MEMBER, 1, 1,
		    "the header has no column \"value\"" },
		{ "value,ip\n", FAULT_MISSING_MEMBER, 1, 1, NULL },
		{ "metric,value,ip,\"ip\"\n", FAULT_DUPLICATE_MEMBER, 1, 17,
		    NULL },
		{ "metric,value, \n", FAULT_BAD_ROW, 1, 14, NULL },
		{ "metric,\"value\n", FAULT_BAD_ROW, 1, 1, NULL },
		{ HEADER "m,,a\n", FAULT_MISSING_MEMBER, 2, 3,
		    "the value is missing" },
		{ HEADER ",1,a\n", FAULT_MISSING_MEMBER, 2, 1, NULL },
		{ HEADER "m,30%,a\n", FAULT_BAD_VALUE, 2, 3,
		    "value is not a number (\"30%\")" },
		{ HEADER "\xc3\xa9,1\n", FAULT_BAD_ROW, 2, 1,
		    "2 cells under a header of 3" },
		{ HEADER "m,1,a,b\n", FAULT_BAD_ROW, 2, 1, NULL },
		{ HEADER "m,1,\xc3\xa9\"\n", FAULT_BAD_ROW, 2, 6, NULL },
		{ HEADER "m,1,\"a\"b\n", FAULT_BAD_ROW, 2, 8, NULL },
		{ HEADER "m,1,\"a\n\n", FAULT_BAD_ROW, 2, 1,
		    "a cell's closing quote is missing" },
		{ HEADER "m,1,x\n\"m\",\"1\",\"a\nb\"\n", FAULT_BAD_VALUE, 3, 9,
		    NULL },
		{ HEADER "\"a\nb\",\"x\",y\n", FAULT_BAD_VALUE, 3, 4, NULL },
		{ "metric,value,observed_at\nm,1,noon\n", FAULT_BAD_VALUE, 2, 5,
		    NULL },
		{ HEADER "m-n,1,\n", FAULT_BAD_NAME, 2, 1, NULL },
		{ HEADER "m,1,a\tb\n", FAULT_BAD_VALUE, 2, 5, NULL },
	};

	(void)state;
	reading_refuses(read_csv, CASES, READING_COUNT(CASES));
}

static void
takes_every_column_it_knows(void **state)
{
	static const char TEXT[] =
	    "key,account,region,observed_at,namespace,metric,value,max_age\n"
	    "k1,b,gz,1970-01-01T00:00:01Z,pc,m,1,1h\n";
	struct reading reading;
	const struct entry *entry = &reading.import.row.entry;

	(void)state;
	reading_start(&reading, true, false);
	/* The names of columns live as long as the reader. */
	assert_int_equal(
	    reading_bytes(&reading, read_csv, TEXT, sizeof(TEXT) - 1), 0);
	assert_int_equal(entry->observed_at, 1000);
	assert_int_equal(entry->max_age_ms, -1);
	assert_string_equal(
	    reading.shown, WIRE("\"max_age\":\"1h\"", "m", "1"));
	reading_end(&reading);
}

static void
is_given_a_header_by_option(void **state)
{
	struct reading reading;

	(void)state;
	reading_start(&reading, true, false);
	reading.import.csv_columns = "value,metric";
	assert_int_equal(reading_bytes(&reading, read_csv, "1,m\n2,n\n", 8), 0);
	assert_int_equal(reading.import.rows, 2);
	assert_string_equal(reading.shown, WIRE("", "n", "2"));
	reading.import.csv_columns = "value,name";
	assert_int_equal(
	    reading_bytes(&reading, read_csv, "1,m\n2,n\n", 8), -1);
	assert_int_equal(reading.fault.kind, FAULT_USAGE);
	reading_end(&reading);
}

static void
goes_on_behind_a_broken_record(void **state)
{
	static const char TEXT[] = HEADER
	    "a,1,\na,1,\"x\"y\nb,2,\n\"c\nd\",3,\ne,\0,\nf,6,\ng,7,\"open\n";
	struct reading reading;

	(void)state;
	reading_start(&reading, true, true);
	assert_int_equal(
	    reading_bytes(&reading, read_csv, TEXT, sizeof(TEXT) - 1), 0);
	assert_int_equal(reading.import.rows, 3);
	assert_int_equal(reading.rejects.count, 4);
	reading_end(&reading);
}

/* A quote that is left open takes what follows with it, up to a bound. */
static void
bounds_a_record(void **state)
{
	size_t lines = 40000, len = 0, i;
	char *text = malloc(lines * 40);
	struct reading reading;

	(void)state;
	assert_non_null(text);
	len += (size_t)sprintf(text + len, HEADER "m,1,\"open\n");
	for (i = 0; i < lines; i++)
		len += (size_t)sprintf(
		    text + len, "m,%zu,aaaaaaaaaaaaaaaaaaaaaaaa\n", i);
	reading_start(&reading, true, false);
	assert_int_equal(reading_bytes(&reading, read_csv, text, len), -1);
	assert_int_equal(reading.fault.kind, FAULT_TOO_LONG);
	assert_int_equal(reading.fault.line, 2);
	reading_end(&reading);
	reading_start(&reading, true, true);
	assert_int_equal(reading_bytes(&reading, read_csv, text, len), 0);
	assert_int_equal(reading.rejects.count, 1);
	assert_true(reading.import.rows > 0);
	assert_true(reading.import.rows < (int64_t)lines);
	reading_end(&reading);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_records_under_their_header),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_every_column_it_knows),
		cmocka_unit_test(is_given_a_header_by_option),
		cmocka_unit_test(goes_on_behind_a_broken_record),
		cmocka_unit_test(bounds_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
