/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/fault.h"
#include "queue/entry.h"

struct
try {
	struct config config;
	struct entry entry;
	struct fault fault;
};

static struct try
fresh(void)
{
	struct try try = { 0 };

	config_defaults(&try.config);
	try.entry = (struct entry){ .ns = "cvm",
		.metric = "cpu",
		.value = 1,
		.observed_at = -1,
		.max_age_ms = -1 };
	return try;
}

static int
check(struct try *try, bool strict)
{
	return entry_check(
	    &try->entry, &try->config.checks, strict, &try->fault);
}

/* Refused for this reason, with something to do about it. */
static void
refused(struct try *try, bool strict, enum fault_kind kind, const char *field)
{
	memset(&try->fault, 0, sizeof(try->fault));
	assert_int_equal(check(try, strict), -1);
	assert_string_equal(fault_name(try->fault.kind), fault_name(kind));
	assert_string_equal(try->fault.field, field);
	assert_string_not_equal(try->fault.message, "");
	assert_string_not_equal(try->fault.hint, "");
}

static const char LONG[] =
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg";

static void
takes_what_the_api_documents(void **state)
{
	struct try try = fresh();
	const struct entry_dimension dimensions[] = { { "diskname", "disk1" },
		{ "ip", "172.31.58.160" }, { "note", "" }, { "é", "ü ö" },
		{ "e", "e" } };

	(void)state;
	try.entry.dimensions = dimensions;
	try.entry.dimension_count = 5;
	try.entry.region = "ap-guangzhou";
	try.entry.account = "default";
	try.entry.key = "a key";
	assert_int_equal(check(&try, true), 0);
	assert_int_equal(try.fault.kind, FAULT_NONE);
}

static void
says_where_a_name_is_wrong(void **state)
{
	struct try try = fresh();

	(void)state;
	try.entry.metric = "cpu-load";
	refused(&try, true, FAULT_BAD_NAME, "metric");
	assert_string_equal(try.fault.message,
	    "metric name has \"-\" at position 4 (letters, digits and _"
	    " only)");
	assert_string_equal(try.fault.hint, "write \"cpu_load\"");
	try.entry.metric = "größe x";
	refused(&try, true, FAULT_BAD_NAME, "metric");
	assert_non_null(strstr(try.fault.message, "\"ö\" at position 3"));
	assert_string_equal(try.fault.hint, "write \"gr__e_x\"");
}

/* What only strict input is refused for, and what always. */
static void
knows_what_lenient_input_may_do(void **state)
{
	static const struct {
		const char *ns, *metric, *region;
		enum fault_kind kind;
		const char *field;
		bool always;
	} CASES[] = {
		{ "c-vm", "cpu", NULL, FAULT_BAD_NAME, "namespace", false },
		{ "", "cpu", NULL, FAULT_BAD_NAME, "namespace", true },
		{ NULL, "cpu", NULL, FAULT_MISSING_MEMBER, "namespace", true },
		{ LONG, "cpu", NULL, FAULT_TOO_LONG, "namespace", false },
		{ "cvm", LONG, NULL, FAULT_TOO_LONG, "metric", false },
		{ "cvm", "", NULL, FAULT_BAD_NAME, "metric", true },
		{ "cvm", NULL, NULL, FAULT_MISSING_MEMBER, "metric", true },
		{ "cvm", "c\xff", NULL, FAULT_BAD_UTF8, "metric", true },
		{ "cvm", "c\x1b[0m", NULL, FAULT_BAD_NAME, "metric", true },
		{ "cvm", "c\xe2\x80\xae", NULL, FAULT_BAD_NAME, "metric",
		    true },
		{ "cvm", "c\xc2\x9b", NULL, FAULT_BAD_NAME, "metric", true },
		{ "cvm", "cpu", "GZ", FAULT_BAD_NAME, "region", false },
		{ "cvm", "cpu", "g\n", FAULT_BAD_NAME, "region", true },
	};
	struct try try = fresh();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		try.entry.ns = CASES[i].ns;
		try.entry.metric = CASES[i].metric;
		try.entry.region = CASES[i].region;
		refused(&try, true, CASES[i].kind, CASES[i].field);
		if (CASES[i].always)
			refused(&try, false, CASES[i].kind, CASES[i].field);
		else
			assert_int_equal(check(&try, false), 0);
	}
}

static void
never_prints_what_it_refuses_raw(void **state)
{
	struct try try = fresh();
	const char *c;

	(void)state;
	try.entry.metric = "c\x1b[0m";
	refused(&try, true, FAULT_BAD_NAME, "metric");
	for (c = try.fault.message; *c != '\0'; c++)
		assert_true((unsigned char)*c >= ' ');
}

static void
takes_no_namespace_that_a_lane_cannot_hold(void **state)
{
	struct try try = fresh();
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	try.entry.ns = name;
	refused(&try, false, FAULT_TOO_LONG, "namespace");
	name[255] = '\0';
	assert_int_equal(check(&try, false), 0);
}

static void
takes_finite_values_only(void **state)
{
	static const double BAD[] = { NAN, INFINITY, -INFINITY };
	struct try try = fresh();
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		try.entry.value = BAD[i];
		refused(&try, true, FAULT_BAD_VALUE, "value");
		refused(&try, false, FAULT_BAD_VALUE, "value");
	}
	try.entry.value = 1;
	try.entry.observed_at = -2;
	refused(&try, true, FAULT_BAD_VALUE, "observed_at");
	try.entry.observed_at = 0;
	try.entry.max_age_ms = 0;
	refused(&try, true, FAULT_BAD_VALUE, "max_age");
}

static void
looks_at_each_dimension(void **state)
{
	static const struct {
		struct entry_dimension dimension;
		enum fault_kind kind;
		const char *field;
		bool always;
	} CASES[] = {
		{ { "", "v" }, FAULT_BAD_NAME, "dimensions", true },
		{ { NULL, "v" }, FAULT_MISSING_MEMBER, "dimensions", true },
		{ { "k", NULL }, FAULT_MISSING_MEMBER, "dimensions.k", true },
		{ { "k", "\x01" }, FAULT_BAD_VALUE, "dimensions.k", true },
		{ { "k", "\xc0\x80" }, FAULT_BAD_UTF8, "dimensions.k", true },
		{ { LONG, "v" }, FAULT_TOO_LONG, "dimensions", false },
		{ { "ip", "v" }, FAULT_DUPLICATE_MEMBER, "dimensions.ip",
		    true },
	};
	struct entry_dimension dimensions[2] = { { "ip", "1" } };
	struct try try = fresh();
	size_t i;

	(void)state;
	try.entry.dimensions = dimensions;
	try.entry.dimension_count = 2;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		dimensions[1] = CASES[i].dimension;
		refused(&try, true, CASES[i].kind, CASES[i].field);
		assert_int_equal(check(&try, false), CASES[i].always ? -1 : 0);
	}
}

static void
counts_dimensions(void **state)
{
	static struct entry_dimension dimensions[3000];
	static char keys[3000][8];
	struct try try = fresh();
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		dimensions[i].key = keys[i];
		dimensions[i].value = "";
	}
	try.entry.dimensions = dimensions;
	try.entry.dimension_count = 6;
	refused(&try, true, FAULT_TOO_MANY_DIMENSIONS, "dimensions");
	assert_int_equal(check(&try, false), 0);
	try.entry.dimension_count = 3000;
	refused(&try, false, FAULT_TOO_LARGE, "dimensions");
}

static void
renders_dimensions_sorted_by_bytes(void **state)
{
	const struct entry_dimension dimensions[] = { { "ip", "1" },
		{ "a\"b", "\\" }, { "Z", "é" }, { "ipx", "" } };
	struct try try = fresh();
	struct entry_wire wire = { 0 };

	(void)state;
	try.entry.dimensions = dimensions;
	try.entry.dimension_count = 4;
	try.entry.value = 0.1;
	assert_int_equal(
	    entry_render(&try.entry, &try.config.checks, &wire, &try.fault), 0);
	assert_string_equal(wire.dimensions.data,
	    "{\"Z\":\"é\",\"a\\\"b\":\"\\\\\",\"ip\":\"1\",\"ipx\":\"\"}");
	assert_string_equal(wire.wire.data,
	    "{\"dimensions\":{\"Z\":\"é\",\"a\\\"b\":\"\\\\\",\"ip\":\"1\","
	    "\"ipx\":\"\"},\"metricName\":\"cpu\",\"value\":");
	assert_int_equal(wire.value_len, 3);
	assert_memory_equal(wire.value, "0.1", 3);
	/* and again, into the same memory */
	try.entry.dimension_count = 0;
	assert_int_equal(
	    entry_render(&try.entry, &try.config.checks, &wire, &try.fault), 0);
	assert_string_equal(wire.wire.data,
	    "{\"dimensions\":{},\"metricName\":\"cpu\",\"value\":");
	entry_wire_free(&wire);
}

static void
renders_more_dimensions_than_the_stack_holds(void **state)
{
	struct entry_dimension dimensions[40];
	char keys[40][8];
	struct try try = fresh();
	struct entry_wire wire = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 40; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%02zu", 39 - i);
		dimensions[i].key = keys[i];
		dimensions[i].value = "v";
	}
	try.entry.dimensions = dimensions;
	try.entry.dimension_count = 40;
	assert_int_equal(
	    entry_render(&try.entry, &try.config.checks, &wire, &try.fault), 0);
	assert_memory_equal(wire.dimensions.data, "{\"k00\":\"v\",\"k01\"", 16);
	entry_wire_free(&wire);
}

static void
measures_the_row_as_it_goes_out(void **state)
{
	struct try try = fresh();
	struct entry_wire wire = { 0 };
	/* {"dimensions":{},"metricName":"cpu","value":1} */
	int64_t bytes = 46;

	(void)state;
	try.config.checks.max_row_bytes = bytes;
	assert_int_equal(
	    entry_render(&try.entry, &try.config.checks, &wire, &try.fault), 0);
	try.config.checks.max_row_bytes = bytes - 1;
	assert_int_equal(
	    entry_render(&try.entry, &try.config.checks, &wire, &try.fault),
	    -1);
	assert_int_equal(try.fault.kind, FAULT_TOO_LARGE);
	entry_wire_free(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_api_documents),
		cmocka_unit_test(says_where_a_name_is_wrong),
		cmocka_unit_test(knows_what_lenient_input_may_do),
		cmocka_unit_test(never_prints_what_it_refuses_raw),
		cmocka_unit_test(takes_no_namespace_that_a_lane_cannot_hold),
		cmocka_unit_test(takes_finite_values_only),
		cmocka_unit_test(looks_at_each_dimension),
		cmocka_unit_test(counts_dimensions),
		cmocka_unit_test(renders_dimensions_sorted_by_bytes),
		cmocka_unit_test(renders_more_dimensions_than_the_stack_holds),
		cmocka_unit_test(measures_the_row_as_it_goes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
