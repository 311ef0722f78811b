/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/answer.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Read ${body} from memory of just its size, so that a tool sees every byte
 * read beyond it. */
static struct answer
read_bytes(const char *body, size_t len)
{
	struct answer answer;
	char *copy = malloc(len > 0 ? len : 1);

	memset(&answer, 0x55, sizeof(answer));
	memcpy(copy, body, len);
	answer_read(&answer, copy, len);
	free(copy);
	return answer;
}

static struct answer
read_body(const char *body)
{
	return read_bytes(body, strlen(body));
}

static void
takes_codes_as_numbers_and_as_text(void **state)
{
	static const struct {
		const char *body;
		int code;
	} GOOD[] = {
		{ "{\"code\":0,\"message\":\"OK\"}", 0 },
		{ "{\n\"code\":0,\n\"message\":\"OK\"\n}\n", 0 },
		{ "{\"message\":\"OK\",\"code\":0}", 0 },
		{ "{\"code\":\"0\"}", 0 },
		{ "{\"code\":0}", 0 },
		{ "{\"code\":1016}", 1016 },
		{ "{\"code\":\"1016\"}", 1016 },
		{ "{\"code\":999999}", 999999 },
		{ "{\"code\":7}", 7 },
		{ " \t\r\n{ \"code\" : 1003 } \t\r\n", 1003 },
		{ "{\"a\":{\"code\":1},\"code\":5,\"b\":[{\"code\":2}]}", 5 },
		{ "{\"Code\":3,\"code\":4,\"CODE\":5}", 4 },
		{ "{\"codex\":3,\"code\":4,\"cod\":5}", 4 },
		{ "{\"code\":0,\"message\":null}", 0 },
		{ "{\"code\":0,\"message\":[1,{\"x\":2}]}", 0 },
		{ "{\"code\":0,\"more\":1.5e300}", 0 },
	};
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(GOOD); i++) {
		answer = read_body(GOOD[i].body);
		if (!answer.well_formed || answer.code != GOOD[i].code)
			fail_msg("%s", GOOD[i].body);
		assert_string_equal(answer.fault, "");
	}
}

static void
refuses_bodies_that_lie(void **state)
{
	static const char *const BAD[] = {
		"",
		" ",
		"\xef\xbb\xbf{\"code\":0}",
		"0",
		"\"code\"",
		"OK",
		"null",
		"true",
		"[]",
		"[{\"code\":0}]",
		"[\"code\",0]",
		"{}",
		"<html><body>\"code\":0</body></html>",
		"\x1f\x8b\x08\x00{\"code\":0}",
		/* more bytes after it */
		"{\"code\":0}x",
		"{\"code\":0}{}",
		"{\"code\":0}{\"code\":0}",
		"{\"code\":0},",
		"{\"code\":0}}",
		"{\"code\":0}\n<!-- proxy -->",
		"x{\"code\":0}",
		/* cut */
		"{",
		"{\"",
		"{\"code",
		"{\"code\"",
		"{\"code\":",
		"{\"code\":0",
		"{\"code\":0,",
		"{\"code\":0,\"message\":\"O",
		"{\"code\":0,\"message\":\"OK\"",
		"\"code\":0}",
		/* no such member */
		"{\"Code\":0}",
		"{\"CODE\":0}",
		"{\"code \":0}",
		"{\" code\":0}",
		"{\"message\":\"OK\"}",
		"{\"data\":{\"code\":0}}",
		"{\"Response\":{\"Error\":{\"Code\":\"0\"}}}",
		"{\"message\":\"\\\"code\\\":0\"}",
		/* more than one */
		"{\"code\":0,\"code\":0}",
		"{\"code\":0,\"code\":1016}",
		"{\"code\":1016,\"code\":0}",
		"{\"code\":0,\"\\u0063ode\":1016}",
		"{\"code\":0,\"x\":1,\"x\":2}",
		/* not a code */
		"{\"code\":null}",
		"{\"code\":true}",
		"{\"code\":false}",
		"{\"code\":{}}",
		"{\"code\":[]}",
		"{\"code\":[0]}",
		"{\"code\":{\"code\":0}}",
		"{\"code\":0.5}",
		"{\"code\":0.0}",
		"{\"code\":-0}",
		"{\"code\":-1}",
		"{\"code\":+0}",
		"{\"code\":1e3}",
		"{\"code\":0e0}",
		"{\"code\":1e-400}",
		"{\"code\":1E3}",
		"{\"code\":00}",
		"{\"code\":01016}",
		"{\"code\":0x0}",
		"{\"code\":.0}",
		"{\"code\":0.}",
		"{\"code\":1000000}",
		"{\"code\":10000000000}",
		"{\"code\":18446744073709551616}",
		"{\"code\":1e999}",
		"{\"code\":NaN}",
		"{\"code\":Infinity}",
		"{\"code\":\"\"}",
		"{\"code\":\"0 \"}",
		"{\"code\":\" 0\"}",
		"{\"code\":\"OK\"}",
		"{\"code\":\"00\"}",
		"{\"code\":\"01\"}",
		"{\"code\":\"-0\"}",
		"{\"code\":\"+0\"}",
		"{\"code\":\"0.0\"}",
		"{\"code\":\"1000000\"}",
		"{\"code\":\"\\u0030\"}",
		"{\"code\":\"0\\n\"}",
		"{\"code\":\"\xef\xbc\x90\"}",
		/* not JSON */
		"{code:0}",
		"{'code':0}",
		"{\"code\":0,}",
		"{,\"code\":0}",
		"{\"code\":0 \"message\":1}",
		"{\"code\":0}/**/",
		"/**/{\"code\":0}",
		"{\"code\":0,\"message\":\"a\nb\"}",
		"{\"code\":0,\"message\":\"\\x\"}",
		"{\"code\":0,\"message\":\"\\ud800\"}",
		"{\"code\":0,\"message\":\"\\u0000\"}",
		"{\"code\":0,\"x\":01}",
	};
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(BAD); i++) {
		answer = read_body(BAD[i]);
		if (answer.well_formed || answer.code != -1)
			fail_msg("%s", BAD[i]);
		assert_string_not_equal(answer.fault, "");
	}
}

static void
refuses_a_body_that_holds_a_nul(void **state)
{
	static const char INSIDE[] = "{\"code\":0,\"message\":\"a\0b\"}";
	static const char BEHIND[] = "{\"code\":0}";

	(void)state;
	assert_false(read_bytes(INSIDE, sizeof(INSIDE) - 1).well_formed);
	assert_false(read_bytes(BEHIND, sizeof(BEHIND)).well_formed);
	assert_false(read_bytes("\0", 1).well_formed);
	assert_true(read_bytes(BEHIND, sizeof(BEHIND) - 1).well_formed);
}

static void
refuses_every_cut_of_a_good_answer(void **state)
{
	static const char BODY[] =
	    "{\"code\":0,\"message\":\"OK\",\"x\":{\"code\":\"1\"}}";
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(BODY) - 1; len++)
		assert_false(read_bytes(BODY, len).well_formed);
	assert_true(read_bytes(BODY, len).well_formed);
}

static void
refuses_nesting_without_end(void **state)
{
	static char body[60000];
	size_t i;

	(void)state;
	memset(body, '[', sizeof(body));
	assert_false(read_bytes(body, sizeof(body)).well_formed);
	for (i = 0; i + 5 <= sizeof(body); i += 5)
		memcpy(body + i, "{\"a\":", 5);
	assert_false(read_bytes(body, sizeof(body)).well_formed);
	memcpy(body, "{\"code\":0,\"m\":", 14);
	memset(body + 14, '[', 20000);
	memset(body + 20014, ']', 20000);
	body[40014] = '}';
	assert_false(read_bytes(body, 40015).well_formed);
}

static void
understands_a_refusal_whose_message_is_not_utf8(void **state)
{
	/* GBK for "invalid namespace"; the last byte of the second case is
	 * the start of a UTF-8 sequence. */
	static const char GBK[] =
	    "{\"code\":1016,\"message\":\"\xce\xde\xd0\xa7\xc3\xfc\"}";
	static const char LEAD[] =
	    "{\"message\":\"caf\xe9\",\"code\":\"1017\"}";
	struct answer answer;

	(void)state;
	answer = read_body(GBK);
	assert_true(answer.well_formed);
	assert_int_equal(answer.code, 1016);
	assert_string_equal(answer.fault, "");
	answer = read_body(LEAD);
	assert_true(answer.well_formed);
	assert_int_equal(answer.code, 1017);
	assert_string_equal(answer.message, "caf?");
}

static void
never_delivers_on_a_message_that_is_not_utf8(void **state)
{
	struct answer answer;

	(void)state;
	answer = read_body("{\"code\":0,\"message\":\"\xb3\xc9\xb9\xa6\"}");
	assert_false(answer.well_formed);
	assert_int_equal(answer.code, -1);
	assert_string_equal(answer.fault, "not valid UTF-8");
	answer = read_body("{\"code\":\"0\",\"x\":\"\xff\"}");
	assert_false(answer.well_formed);
	assert_int_equal(answer.code, -1);
}

static void
forgives_bad_utf8_and_nothing_else(void **state)
{
	static const char *const BAD[] = {
		"{\"code\":1016,\"message\":\"\xff\"",
		"{\"code\":1016,\"message\":\"\xff\"}x",
		"{\"code\":1016,\"code\":1016,\"message\":\"\xff\"}",
		"{\"code\":-1,\"message\":\"\xff\"}",
		"{\"code\":1016\xff}",
		"{\"code\":\"1016\xff\"}",
		"\xff{\"code\":1016}",
		"{\"code\":1016}\xff",
		"{\"cod\xff\":1016}",
		"[\"\xff\"]",
		"\"\xff\"",
		"\xff",
	};
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(BAD); i++) {
		answer = read_body(BAD[i]);
		if (answer.well_formed || answer.code != -1)
			fail_msg("%s", BAD[i]);
		assert_string_not_equal(answer.fault, "");
	}
}

static void
keeps_the_message_escaped(void **state)
{
	struct answer answer;

	(void)state;
	answer = read_body("{\"code\":0,\"message\":\"OK\"}");
	assert_string_equal(answer.message, "OK");
	answer = read_body("{\"code\":1,\"message\":\"a\\nb\\\\c\\u001b[2J\"}");
	assert_string_equal(answer.message, "a\\x0ab\\\\c\\x1b[2J");
	answer = read_body("{\"code\":1,\"message\":\"\\u65e0\xe6\x95\x88\"}");
	assert_string_equal(answer.message, "\xe6\x97\xa0\xe6\x95\x88");
	answer = read_body("{\"code\":1,\"message\":\"\\u202e\"}");
	assert_string_equal(answer.message, "\\xe2\\x80\\xae");
	answer = read_body("{\"code\":1,\"message\":12}");
	assert_string_equal(answer.message, "");
	answer = read_body("{\"code\":1,\"Message\":\"no\"}");
	assert_string_equal(answer.message, "");
	answer = read_body("{\"message\":\"no code\"}");
	assert_string_equal(answer.message, "no code");
}

/* Of a message that begins with ${head} x's and goes on with 300 times ${unit},
 * which people see as ${shown}, ${bytes} bytes must be kept. */
static void
check_cut(size_t head, const char *unit, const char *shown, size_t bytes)
{
	char body[4096] = "{\"code\":1016,\"message\":\"";
	char want[4096] = "";
	struct answer answer;
	size_t i;

	for (i = 0; i < head; i++) {
		strcat(body, "x");
		strcat(want, "x");
	}
	for (i = 0; i < 300; i++) {
		strcat(body, unit);
		strcat(want, shown);
	}
	strcat(body, "\"}");
	answer = read_body(body);
	assert_true(answer.well_formed);
	assert_int_equal(strlen(answer.message), bytes);
	assert_memory_equal(answer.message, want, bytes);
}

static void
cuts_a_long_message_between_characters(void **state)
{
	(void)state;
	check_cut(0, "a", "a", 256);
	check_cut(0, "\xc3\xa9", "\xc3\xa9", 256);
	check_cut(1, "\xc3\xa9", "\xc3\xa9", 255);
	check_cut(0, "\xe6\x97\xa0", "\xe6\x97\xa0", 255);
	check_cut(2, "\xe6\x97\xa0", "\xe6\x97\xa0", 254);
	check_cut(0, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 256);
	check_cut(3, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 255);
	check_cut(1, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 253);
	check_cut(0, "\\u0007", "\\x07", 256);
	check_cut(1, "\\u0007", "\\x07", 253);
	check_cut(3, "\\u0007", "\\x07", 255);
	check_cut(0, "\\\\", "\\\\", 256);
	check_cut(1, "\\\\", "\\\\", 255);
	check_cut(0, "\\\\xAB", "\\\\xAB", 255);
	check_cut(250, "\\\\xAB", "\\\\xAB", 255);
	check_cut(249, "\\\\xAB", "\\\\xAB", 256);
}

static void
keeps_a_message_that_just_fits(void **state)
{
	char body[400] = "{\"code\":1016,\"message\":\"";
	struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < 255; i++)
		strcat(body, "a");
	strcat(body, "b\"}");
	answer = read_body(body);
	assert_int_equal(strlen(answer.message), 256);
	assert_int_equal(answer.message[255], 'b');
}

/* Any byte string: no crash, and the result is always one of the two. */
static void
stands_any_change_of_a_good_answer(void **state)
{
	static const char BODY[] = "{\"code\":1016,\"message\":\"\\u65e0 x\"}";
	char body[sizeof(BODY)];
	struct answer answer;
	size_t at;
	int byte;

	(void)state;
	for (at = 0; at < sizeof(BODY) - 1; at++) {
		for (byte = 0; byte < 256; byte++) {
			memcpy(body, BODY, sizeof(BODY));
			body[at] = (char)byte;
			answer = read_bytes(body, sizeof(BODY) - 1);
			assert_int_equal(answer.well_formed, answer.code >= 0);
			assert_int_equal(
			    answer.well_formed, answer.fault[0] == '\0');
			assert_true(answer.code != 0);
			assert_non_null(memchr(
			    answer.message, '\0', sizeof(answer.message)));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_codes_as_numbers_and_as_text),
		cmocka_unit_test(refuses_bodies_that_lie),
		cmocka_unit_test(refuses_a_body_that_holds_a_nul),
		cmocka_unit_test(refuses_every_cut_of_a_good_answer),
		cmocka_unit_test(refuses_nesting_without_end),
		cmocka_unit_test(
		    understands_a_refusal_whose_message_is_not_utf8),
		cmocka_unit_test(never_delivers_on_a_message_that_is_not_utf8),
		cmocka_unit_test(forgives_bad_utf8_and_nothing_else),
		cmocka_unit_test(keeps_the_message_escaped),
		cmocka_unit_test(cuts_a_long_message_between_characters),
		cmocka_unit_test(keeps_a_message_that_just_fits),
		cmocka_unit_test(stands_any_change_of_a_good_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
