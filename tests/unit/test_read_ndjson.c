/* links: reading */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fault.h"
#include "import.h"
#include "input.h"
#include "output.h"
#include "read_ndjson.h"

#define GOOD \
	"{\"namespace\":\"cvm\",\"metric\":\"disk\",\"dimensions\":" \
	"{\"ip\":\"10.0.0.1\"},\"value\":30}"

static const struct output OUTPUT = {
	.program = "monspool", .command = "put", .quiet = true
};
static struct config config;
static struct import import;
static struct fault fault;

static void
make_import(bool strict)
{
	config_defaults(&config);
	memset(&import, 0, sizeof(import));
	memset(&fault, 0, sizeof(fault));
	import.output = &OUTPUT;
	import.checks = &config.checks;
	import.strict = strict;
	import.observed_at = import.max_age_ms = -1;
	import_start(&import);
}

/* Read ${bytes} as a file of NDJSON; the import stays, to be looked at. */
static int
read_bytes(const char *bytes, size_t len)
{
	struct input input = { 0 };
	char name[] = "/tmp/test_read_ndjson.XXXXXX";
	int fd = mkstemp(name), result;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	assert_int_equal(input_open(&input, name, &fault), 0);
	unlink(name);
	input.name = "input.ndjson";
	import.input = &input;
	result = read_ndjson(&import, &input, &fault);
	import.input = NULL;
	input_close(&input);
	return result;
}

static int
read_lines(const char *lines)
{
	return read_bytes(lines, strlen(lines));
}

static void
takes_every_member_it_knows(void **state)
{
	const struct entry *entry = &import.row.entry;

	(void)state;
	make_import(true);
	assert_int_equal(
	    read_lines("{\"id\":7,\"namespace\":\"cvm\",\"region\":\"gz\","
		       "\"account\":\"b\",\"metricName\":\"disk\","
		       "\"dimensions\":{\"ip\":\"a\\u00e9\"},\"value\":-1e-3,"
		       "\"key\":\"k1\",\"max_age\":\"1h\",\"code\":null,"
		       "\"observed_at\":\"1970-01-01T00:00:01Z\"}"),
	    0);
	assert_int_equal(import.rows, 1);
	assert_string_equal(entry->ns, "cvm");
	assert_string_equal(entry->region, "gz");
	assert_string_equal(entry->account, "b");
	assert_string_equal(entry->metric, "disk");
	assert_string_equal(entry->key, "k1");
	assert_int_equal(entry->dimension_count, 1);
	assert_string_equal(entry->dimensions[0].value, "a\xc3\xa9");
	assert_true(entry->value == -1e-3);
	assert_int_equal(entry->observed_at, 1000);
	assert_int_equal(entry->max_age_ms, 3600000);
	import_free(&import);
}

static void
passes_over_blank_lines_and_needs_no_last_newline(void **state)
{
	(void)state;
	make_import(true);
	assert_int_equal(
	    read_lines("\n" GOOD "\r\n  \t\n" GOOD "\n\n" GOOD), 0);
	assert_int_equal(import.rows, 3);
	import_free(&import);
	make_import(true);
	assert_int_equal(read_lines(""), 0);
	assert_int_equal(import.rows, 0);
	import_free(&import);
}

static void
says_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *line;
		enum fault_kind kind;
		const char *message, *field;
		long column;
	} CASES[] = {
		{ "{\"namespace\":\"cvm\",\"metric\":\"d\",\"dimensions\":{},"
		  "\"value\":\"30%\"}",
		    FAULT_BAD_VALUE, "value is not a number (\"30%\")", "value",
		    57 },
		{ "{\"namespace\":\"cvm\",\"metric\":\"d\",\"value\":1}",
		    FAULT_MISSING_MEMBER, "member \"dimensions\" is missing",
		    "dimensions", 1 },
		{ "{\"namespace\":\"cvm\",\"dimensions\":{},\"value\":1}",
		    FAULT_MISSING_MEMBER, "member \"metric\" is missing",
		    "metric", 1 },
		{ "{\"namespace\":\"cvm\",\"metric\":\"d\",\"dimensions\":{}}",
		    FAULT_MISSING_MEMBER, "member \"value\" is missing",
		    "value", 1 },
		{ "{\"metric\":\"d\",\"dimensions\":{},\"value\":1}",
		    FAULT_MISSING_MEMBER, "the row names no namespace",
		    "namespace", 1 },
		{ "{\"namespace\":1,\"metric\":\"d\"}", FAULT_BAD_VALUE,
		    "namespace is not a string (1)", "namespace", 14 },
		{ "{\"metric\":\"d\",\"valeu\":1}", FAULT_UNKNOWN_MEMBER,
		    "unknown member \"valeu\"", "valeu", 23 },
		{ "{\"metric\":\"d\",\"metricName\":\"d\"}",
		    FAULT_DUPLICATE_MEMBER, NULL, "metricName", 28 },
		{ "{\"value\":1,\"value\":2}", FAULT_DUPLICATE_MEMBER, NULL,
		    NULL, 0 },
		{ "{\"metric\":\"d\",\"dimensions\":{\"a\":1}}",
		    FAULT_BAD_VALUE, "dimensions.a is not a string (1)",
		    "dimensions.a", 33 },
		{ "{\"dimensions\":[]}", FAULT_BAD_VALUE,
		    "dimensions is not an object ([])", "dimensions", 15 },
		{ "[1]", FAULT_BAD_ROW, NULL, NULL, 1 },
		{ "{\"value\":1} x", FAULT_BAD_JSON, NULL, NULL, 13 },
		{ "{\"value\":01}", FAULT_BAD_JSON, NULL, NULL, 0 },
		{ "{\"value\":1e999}", FAULT_BAD_VALUE, NULL, NULL, 0 },
		{ "{\"metric\":\"\xff\"}", FAULT_BAD_UTF8, NULL, NULL, 0 },
	};
	char lines[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		make_import(true);
		snprintf(
		    lines, sizeof(lines), "%s\n\n%s\n", GOOD, CASES[i].line);
		assert_int_equal(read_lines(lines), -1);
		assert_string_equal(
		    fault_name(fault.kind), fault_name(CASES[i].kind));
		assert_string_equal(fault.file, "input.ndjson");
		assert_int_equal(fault.line, 3);
		if (CASES[i].message != NULL)
			assert_string_equal(fault.message, CASES[i].message);
		if (CASES[i].field != NULL)
			assert_string_equal(fault.field, CASES[i].field);
		if (CASES[i].column > 0)
			assert_int_equal(fault.column, CASES[i].column);
		import_free(&import);
	}
}

static void
lenient_quotes_numbers_and_notes_what_it_passes(void **state)
{
	const struct entry *entry = &import.row.entry;

	(void)state;
	make_import(false);
	assert_int_equal(
	    read_lines("{\"namespace\":\"cvm\",\"metric\":\"d\",\"what\":[],"
		       "\"dimensions\":{\"a\":1.50,\"b\":\"x\",\"c\":-2e3},"
		       "\"value\":1}\n"),
	    0);
	assert_int_equal(import.notes, 3);
	assert_int_equal(entry->dimension_count, 3);
	assert_string_equal(entry->dimensions[0].value, "1.50");
	assert_string_equal(entry->dimensions[1].value, "x");
	assert_string_equal(entry->dimensions[2].value, "-2e3");
	import_free(&import);
	make_import(false);
	assert_int_equal(read_lines("{\"dimensions\":{\"a\":true}}"), -1);
	assert_int_equal(fault.kind, FAULT_BAD_VALUE);
	import_free(&import);
}

static void
gives_rows_the_defaults_they_lack(void **state)
{
	static const struct entry_dimension DEFAULTS[] = {
		{ "host", "h1" },
		{ "ip", "not this one" },
	};
	const struct entry *entry = &import.row.entry;

	(void)state;
	make_import(true);
	import.ns = "pc";
	import.region = "sh";
	import.defaults = DEFAULTS;
	import.default_count = 2;
	assert_int_equal(read_lines("{\"metric\":\"d\",\"value\":1,"
				    "\"dimensions\":{\"ip\":\"1\"}}"),
	    0);
	assert_string_equal(entry->ns, "pc");
	assert_string_equal(entry->region, "sh");
	assert_int_equal(entry->dimension_count, 2);
	assert_string_equal(entry->dimensions[0].value, "1");
	assert_string_equal(entry->dimensions[1].key, "host");
	import_free(&import);
}

static void
takes_a_line_of_a_mebibyte_and_no_longer(void **state)
{
	size_t size = INPUT_LINE + 1;
	char *line = malloc(size);

	(void)state;
	assert_non_null(line);
	memset(line, ' ', size);
	memcpy(line, GOOD, strlen(GOOD));
	make_import(true);
	assert_int_equal(read_bytes(line, INPUT_LINE), 0);
	assert_int_equal(import.rows, 1);
	import_free(&import);
	make_import(true);
	assert_int_equal(read_bytes(line, size), -1);
	assert_int_equal(fault.kind, FAULT_TOO_LONG);
	assert_int_equal(fault.line, 1);
	import_free(&import);
	free(line);
}

static void
bounds_the_memory_of_one_line(void **state)
{
	size_t size = INPUT_LINE - 16, i;
	char *line = malloc(size);

	(void)state;
	assert_non_null(line);
	line[0] = '[';
	for (i = 1; i + 1 < size; i++)
		line[i] = i % 2 == 1 ? '1' : ',';
	line[size - (size % 2 == 1 ? 1 : 2)] = ']';
	line[size - 1] = size % 2 == 1 ? ']' : ' ';
	make_import(true);
	assert_int_equal(read_bytes(line, size), -1);
	assert_int_equal(fault.kind, FAULT_TOO_LARGE);
	import_free(&import);
	/* The next line finds the memory free again. */
	make_import(true);
	assert_int_equal(read_lines(GOOD), 0);
	import_free(&import);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_member_it_knows),
		cmocka_unit_test(
		    passes_over_blank_lines_and_needs_no_last_newline),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(
		    lenient_quotes_numbers_and_notes_what_it_passes),
		cmocka_unit_test(gives_rows_the_defaults_they_lack),
		cmocka_unit_test(takes_a_line_of_a_mebibyte_and_no_longer),
		cmocka_unit_test(bounds_the_memory_of_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
