/* links: base */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

/* Long beyond any honest machine, short before anything squared ends. */
#define DEADLINE_MS 5000

struct bad_case {
	const char *text;
	enum fault_kind kind;
	long line, column;
};

static void
takes_what_the_grammar_allows(void **state)
{
	static const char *const GOOD[] = { "0", "-0", "-1.5e+3", "1E5", "null",
		"true", "false", "\"\"", "[]", "{}", "[ ]", "{ }",
		"\"\\ud7ff\\ue000\"", " \t\r\n1 \t\r\n", "[1,2 , 3]",
		"{\"a\":{\"b\":[{}]}}", "\"\\u00e9\\ud83d\\ude00\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\xc3\xa9\xf0\x9f\x98\x80\"", "\"\x7f\"", "\"\\u001b\"",
		"\" a b \"", "\"\\ud800\\udc00\\udbff\\udfff\"",
		"[{\"a\":1},{\"a\":2}]",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", "{\"\":1}",
		"1e-999", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]" };
	struct fault fault = { 0 };
	cJSON *tree;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		tree = json_parse(GOOD[i], strlen(GOOD[i]), &fault);
		if (tree == NULL)
			fail_msg("%s: %s", GOOD[i], fault.message);
		cJSON_Delete(tree);
		assert_int_equal(json_check(GOOD[i], strlen(GOOD[i]), NULL), 0);
	}
}

static void
says_what_is_wrong_and_where(void **state)
{
	static const struct bad_case BAD[] = {
		{ "", FAULT_BAD_JSON, 1, 1 },
		{ "  ", FAULT_BAD_JSON, 1, 3 },
		{ "\n\n", FAULT_BAD_JSON, 3, 1 },
		{ "01", FAULT_BAD_JSON, 1, 1 },
		{ "[1,02]", FAULT_BAD_JSON, 1, 4 },
		{ "+1", FAULT_BAD_JSON, 1, 1 },
		{ ".5", FAULT_BAD_JSON, 1, 1 },
		{ "1.", FAULT_BAD_JSON, 1, 1 },
		{ "1e", FAULT_BAD_JSON, 1, 1 },
		{ "-", FAULT_BAD_JSON, 1, 1 },
		{ "0x10", FAULT_BAD_JSON, 1, 2 },
		{ "1-2", FAULT_BAD_JSON, 1, 1 },
		{ "NaN", FAULT_BAD_JSON, 1, 1 },
		{ "Infinity", FAULT_BAD_JSON, 1, 1 },
		{ "-Infinity", FAULT_BAD_JSON, 1, 1 },
		{ "True", FAULT_BAD_JSON, 1, 1 },
		{ "tru", FAULT_BAD_JSON, 1, 1 },
		{ "truex", FAULT_BAD_JSON, 1, 5 },
		{ "null null", FAULT_BAD_JSON, 1, 6 },
		{ "{}\n{}", FAULT_BAD_JSON, 2, 1 },
		{ "{} x", FAULT_BAD_JSON, 1, 4 },
		{ "[1,]", FAULT_BAD_JSON, 1, 4 },
		{ "[,1]", FAULT_BAD_JSON, 1, 2 },
		{ "[1 2]", FAULT_BAD_JSON, 1, 4 },
		{ "[1", FAULT_BAD_JSON, 1, 3 },
		{ "[1}", FAULT_BAD_JSON, 1, 3 },
		{ "{\"a\":1]", FAULT_BAD_JSON, 1, 7 },
		{ "{\"a\":1,}", FAULT_BAD_JSON, 1, 8 },
		{ "{\"a\" 1}", FAULT_BAD_JSON, 1, 6 },
		{ "{\"a\"}", FAULT_BAD_JSON, 1, 5 },
		{ "{\"a\":}", FAULT_BAD_JSON, 1, 6 },
		{ "{a:1}", FAULT_BAD_JSON, 1, 2 },
		{ "{'a':1}", FAULT_BAD_JSON, 1, 2 },
		{ "{1:1}", FAULT_BAD_JSON, 1, 2 },
		{ "{", FAULT_BAD_JSON, 1, 2 },
		{ "[1,\n  /* */ 2]", FAULT_BAD_JSON, 2, 3 },
		{ "\"a", FAULT_BAD_JSON, 1, 3 },
		{ "\"a\\", FAULT_BAD_JSON, 1, 4 },
		{ "\"a\nb\"", FAULT_BAD_JSON, 1, 3 },
		{ "\"\x1b\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\x41\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\u12\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\u12g4\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"ab\\u0000\"", FAULT_BAD_JSON, 1, 4 },
		{ "\"\\ud800\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\udc00\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\ud800\\ud800\"", FAULT_BAD_JSON, 1, 2 },
		{ "\"\\ud800x\"", FAULT_BAD_JSON, 1, 2 },
		{ "\xef\xbb\xbf{}", FAULT_BAD_JSON, 1, 1 },
		{ "\"\xc3\xa9\xc3\xa9\" x", FAULT_BAD_JSON, 1, 6 },
		{ "\"\xff\"", FAULT_BAD_UTF8, 1, 2 },
		{ "\"\xc0\x80\"", FAULT_BAD_UTF8, 1, 2 },
		{ "\"\xed\xa0\x80\"", FAULT_BAD_UTF8, 1, 2 },
		{ "\"\xf4\x90\x80\x80\"", FAULT_BAD_UTF8, 1, 2 },
		{ "\"\xe2\x82\"", FAULT_BAD_UTF8, 1, 2 },
		{ "[1,\n\"\xc3\xa9\xff\"]", FAULT_BAD_UTF8, 2, 3 },
		{ "1e999", FAULT_BAD_VALUE, 1, 1 },
		{ "{\"a\":\n -1e999}", FAULT_BAD_VALUE, 2, 2 },
		{ "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", FAULT_BAD_JSON, 1, 17 },
	};
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		memset(&fault, 0, sizeof(fault));
		if (json_check(BAD[i].text, strlen(BAD[i].text), &fault) == 0)
			fail_msg("%s was taken", BAD[i].text);
		if (fault.kind != BAD[i].kind || fault.line != BAD[i].line ||
		    fault.column != BAD[i].column)
			fail_msg("%s: %s at %ld:%ld, not %s at %ld:%ld",
			    BAD[i].text, fault_name(fault.kind), fault.line,
			    fault.column, fault_name(BAD[i].kind), BAD[i].line,
			    BAD[i].column);
		assert_string_not_equal(fault.message, "");
		assert_int_equal(
		    text_utf8_bad(fault.message, strlen(fault.message)), -1);
		assert_int_equal(
		    text_control(fault.message, strlen(fault.message)), -1);
	}
}

static void
shows_what_stands_there(void **state)
{
	static const struct {
		const char *text, *message;
	} CASES[] = { { "{\"a\" 1, 2, 3, 4, 5, 6}",
			  "a colon after the member name is missing, at "
			  "\"1, 2, 3, 4, \"" },
		{ "[1 2]", "a comma or ] is missing, at \"2]\"" },
		{ "{\"a\":1]", "a comma or } is missing, at \"]\"" },
		{ "[1,\n x\n]", "a value is missing, at \"x\"" },
		{ "[1,x\r\n]", "a value is missing, at \"x\"" },
		{ "[", "a value is missing" },
		{ "x\x1b\xe4\xbd\xa0",
		    "a value is missing, at \"x\\x1b\xe4\xbd\xa0\"" },
		/* Cut behind a whole character. */
		{ "x1234567890\xe4\xbd\xa0\xe4\xbd\xa0",
		    "a value is missing, at \"x1234567890\xe4\xbd\xa0\"" },
		{ "{\"a\\u001b\":1,\"a\\u001b\":1}",
		    "the member \"a\\x1b\" appears twice" } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		json_check(CASES[i].text, strlen(CASES[i].text), &fault);
		assert_string_equal(fault.message, CASES[i].message);
	}
}

static void
shortens_a_name_that_is_too_long_to_show(void **state)
{
	struct text text = { 0 };
	struct fault fault;

	(void)state;
	text_addf(&text, "{\"%0500d\":1,\n\"%0500d\":2}", 7, 7);
	assert_int_equal(json_check(text.data, text.len, &fault), -1);
	assert_int_equal(fault.line, 2);
	assert_int_equal(fault.kind, FAULT_DUPLICATE_MEMBER);
	assert_non_null(strstr(fault.message, "000...\" appears twice"));
	assert_string_equal(fault.field + strlen(fault.field) - 4, "0...");
	text_free(&text);
}

static void
refuses_a_raw_nul_anywhere(void **state)
{
	struct fault fault = { 0 };

	(void)state;
	assert_int_equal(json_check("\"a\0b\"", 5, &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_JSON);
	assert_int_equal(fault.column, 3);
	assert_int_equal(json_check("1\0", 2, &fault), -1);
	assert_int_equal(fault.column, 2);
	assert_int_equal(json_check("\0", 1, &fault), -1);
	assert_int_equal(json_check("\"\\\0\"", 4, &fault), -1);
}

/* What follows would make each of these good. */
static void
looks_at_no_byte_behind_the_length(void **state)
{
	static const char *const CUT[] = { "{}", "[]", "\"\"", "true", "[1]",
		"[1,2]", "{\"a\":1}", "{\"a\":1,\"b\":2}", "[[],{}]", "-1",
		"\"\\n\"", "\"\\u0041\"", "\"\\ud83d\\ude00\"", "[1 ]" };
	struct fault fault;
	size_t i, len;

	(void)state;
	assert_int_equal(json_check("{}x", 2, NULL), 0);
	assert_int_equal(json_check("truefalse", 4, NULL), 0);
	assert_int_equal(json_check("12", 1, NULL), 0);
	for (i = 0; i < sizeof(CUT) / sizeof(CUT[0]); i++)
		for (len = 0; len < strlen(CUT[i]); len++) {
			assert_int_equal(json_check(CUT[i], len, &fault), -1);
			assert_int_equal(fault.kind, FAULT_BAD_JSON);
			assert_in_range(fault.column, 1, len + 1);
		}
}

static void
places_the_second_of_two_members(void **state)
{
	static const struct {
		const char *text, *field;
		long line, column;
	} CASES[] = { { "{\"a\":1,\"a\":2}", "a", 1, 8 },
		{ "{\"a\":1,\n \"b\":2,\n \"a\":3}", "a", 3, 2 },
		{ "{\"a\":1,\"\\u0061\":2}", "a", 1, 8 },
		{ "{\"\\u0061\":1,\"a\":2}", "a", 1, 13 },
		{ "[{\"a\":1},{\"a\":2},{\"b\":1,\"a\":1,\"b\":1}]", "b", 1,
		    31 },
		{ "{\"a\":{\"a\":1},\"b\":{\"a\":1,\"a\":1}}", "a", 1, 25 },
		{ "{\"a\":{\"b\":1},\"a\":{}}", "a", 1, 14 },
		{ "{\"\":1,\"\":2}", "", 1, 7 },
		{ "{\"\xc3\xa9\":1,\"\\u00e9\":2}", "\xc3\xa9", 1, 8 },
		{ "{\"a\\u001b\":1,\"a\\u001b\":2}", "a\\x1b", 1, 14 },
		{ "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,"
		  "\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,"
		  "\"o\":1,\"p\":1,\"q\":1,\"r\":1,\n\"q\":2}",
		    "q", 2, 1 } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		memset(&fault, 0, sizeof(fault));
		assert_null(
		    json_parse(CASES[i].text, strlen(CASES[i].text), &fault));
		assert_int_equal(fault.kind, FAULT_DUPLICATE_MEMBER);
		assert_string_equal(fault.field, CASES[i].field);
		if (fault.line != CASES[i].line ||
		    fault.column != CASES[i].column)
			fail_msg("%s: %ld:%ld", CASES[i].text, fault.line,
			    fault.column);
		assert_null(
		    json_parse(CASES[i].text, strlen(CASES[i].text), NULL));
	}
}

/* cJSON alone would cut a number at 63 bytes. */
static void
reads_numbers_of_any_length(void **state)
{
	static const char LONG[] =
	    "0.1000000000000000055511151231257827021181583404541015625"
	    "000000000000000000000000000000000000";
	struct text text = { 0 };
	cJSON *tree;

	(void)state;
	text_addf(&text, "{\"a\":%s,\"b\":[%s,-1%0100de-90],\"c\":\"%s\"}",
	    LONG, LONG, 0, LONG);
	tree = json_parse(text.data, text.len, NULL);
	assert_non_null(tree);
	assert_true(cJSON_GetObjectItem(tree, "a")->valuedouble == 0.1);
	assert_true(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "b"), 0)
			->valuedouble == 0.1);
	assert_true(cJSON_GetArrayItem(cJSON_GetObjectItem(tree, "b"), 1)
			->valuedouble == -1e10);
	assert_string_equal(cJSON_GetObjectItem(tree, "c")->valuestring, LONG);
	cJSON_Delete(tree);
	text_clear(&text);
	text_addf(&text, "1%0400d", 0);
	assert_null(json_parse(text.data, text.len, NULL));
	text_free(&text);
}

/* ---- hostile input ---- */

static void
add_times(struct text *text, const char *piece, size_t times)
{
	while (times-- > 0)
		text_adds(text, piece);
}

/* Check ${text}, which it frees, in far less time than squares take. */
static int
check_soon(struct text *text, struct fault *fault)
{
	int64_t start = clock_steady_ms();
	int result;

	assert_false(text->failed);
	result = json_check(text->data, text->len, fault);
	assert_true(clock_steady_ms() - start < DEADLINE_MS);
	text_free(text);
	return result;
}

static void
refuses_deep_nesting_at_once(void **state)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	(void)state;
	add_times(&text, "[", 100000);
	assert_int_equal(check_soon(&text, &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_JSON);
	assert_int_equal(fault.column, JSON_DEPTH + 1);
	add_times(&text, "{\"a\":", 1024 * 1024 / 5);
	assert_int_equal(check_soon(&text, &fault), -1);
	assert_int_equal(fault.column, 5 * JSON_DEPTH + 1);
}

static void
takes_100000_members(void **state)
{
	struct text text = { 0 };
	int i;

	(void)state;
	text_addc(&text, '{');
	for (i = 0; i < 100000; i++)
		text_addf(&text, "%s\"m%d\":%d", i > 0 ? "," : "", i, i);
	text_addc(&text, '}');
	assert_int_equal(check_soon(&text, NULL), 0);
}

static void
refuses_50000_duplicates(void **state)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	(void)state;
	text_adds(&text, "{\"x\":0");
	add_times(&text, ",\"\\u0061\":1", 50000);
	text_addc(&text, '}');
	assert_int_equal(check_soon(&text, &fault), -1);
	assert_int_equal(fault.kind, FAULT_DUPLICATE_MEMBER);
	assert_int_equal(fault.column, 7 + 11 + 1);
}

static void
takes_a_mebibyte_in_one_string_or_number(void **state)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	(void)state;
	text_addc(&text, '"');
	add_times(&text, "\\u00e9", 1024 * 1024 / 6);
	text_addc(&text, '"');
	assert_int_equal(check_soon(&text, NULL), 0);
	text_adds(&text, "0.");
	add_times(&text, "0123456789", 1024 * 1024 / 10);
	assert_int_equal(check_soon(&text, NULL), 0);
	add_times(&text, "9", 1024 * 1024);
	assert_int_equal(check_soon(&text, &fault), -1);
	assert_int_equal(fault.kind, FAULT_BAD_VALUE);
	add_times(&text, "-", 1024 * 1024);
	assert_int_equal(check_soon(&text, &fault), -1);
}

/* Whatever one changes, it is taken or refused, never read past the end. */
static void
stands_any_change_of_one_byte(void **state)
{
	static const char GOOD[] =
	    "{\"a\":[1,-2.5e3,\"\\u00e9\\ud83d\\ude00\xc3\xa9\"],\"b\":null}";
	size_t len = sizeof(GOOD) - 1, at;
	char *copy = malloc(len);
	cJSON *tree;
	int byte;

	(void)state;
	assert_non_null(copy);
	for (at = 0; at < len; at++)
		for (byte = 0; byte < 256; byte++) {
			memcpy(copy, GOOD, len);
			copy[at] = (char)byte;
			tree = json_parse(copy, len, NULL);
			if (tree != NULL && byte == 0)
				fail_msg("a NUL at %zu was taken", at);
			cJSON_Delete(tree);
		}
	free(copy);
}

/* ---- finding ---- */

static void
finds_the_raw_text_of_a_value(void **state)
{
	static const char TEXT[] =
	    " {\"Data\" : [ {\"value\": 1.50e0} , [1,2,[ 3 ]], \"x\\ny\" ],"
	    "\"a/b\":1,\"c~d\":2,\"~1\":3,\"\\u0065\":4,\"\":{\"f\":5},"
	    "\"quote\\\"\":6} ";
	static const struct {
		const char *path, *raw; /* raw NULL: there is none */
	} CASES[] = { { "Data/0/value", "1.50e0" }, { "Data/1", "[1,2,[ 3 ]]" },
		{ "Data/1/2/0", "3" }, { "Data/2", "\"x\\ny\"" },
		{ "a~1b", "1" }, { "c~0d", "2" }, { "~01", "3" }, { "e", "4" },
		{ "/f", "5" }, { "quote\"", "6" }, { "Data/3", NULL },
		{ "Data/-1", NULL }, { "Data/1x", NULL }, { "Data/x", NULL },
		{ "Data/0/value/0", NULL }, { "data", NULL }, { "a", NULL },
		{ "a/b", NULL }, { "nothing", NULL },
		{ "Data/99999999999999999999", NULL }, { "Data//0", NULL } };
	struct json_span span;
	char path[2000];
	size_t i, len = strlen(TEXT);
	int result;

	(void)state;
	assert_int_equal(json_check(TEXT, len, NULL), 0);
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		result = json_find(TEXT, len, CASES[i].path, &span);
		if (result != (CASES[i].raw != NULL ? 0 : -1))
			fail_msg("%s: %d", CASES[i].path, result);
		if (result != 0)
			continue;
		assert_int_equal(span.len, strlen(CASES[i].raw));
		assert_memory_equal(span.start, CASES[i].raw, span.len);
	}
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(json_find(TEXT, len, path, &span), -1);
	assert_int_equal(json_find(TEXT, len, "", &span), 0);
	assert_ptr_equal(span.start, TEXT + 1);
	assert_int_equal(span.len, len - 2);
}

static void
counts_places_in_characters(void **state)
{
	long line, column;

	(void)state;
	json_place("a\xc3\xa9z\nb", 3, &line, &column);
	assert_int_equal(line, 1);
	assert_int_equal(column, 3);
	json_place("a\xc3\xa9z\nb", 5, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_grammar_allows),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(shows_what_stands_there),
		cmocka_unit_test(shortens_a_name_that_is_too_long_to_show),
		cmocka_unit_test(refuses_a_raw_nul_anywhere),
		cmocka_unit_test(looks_at_no_byte_behind_the_length),
		cmocka_unit_test(places_the_second_of_two_members),
		cmocka_unit_test(reads_numbers_of_any_length),
		cmocka_unit_test(refuses_deep_nesting_at_once),
		cmocka_unit_test(takes_100000_members),
		cmocka_unit_test(refuses_50000_duplicates),
		cmocka_unit_test(takes_a_mebibyte_in_one_string_or_number),
		cmocka_unit_test(stands_any_change_of_one_byte),
		cmocka_unit_test(finds_the_raw_text_of_a_value),
		cmocka_unit_test(counts_places_in_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
