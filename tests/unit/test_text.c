/* links: base */
#include "base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
grows_and_stays_terminated(void **state)
{
	struct text text = { 0 };
	size_t i;

	(void)state;
	assert_string_equal(text_string(&text), "");
	for (i = 0; i < 10000; i++) {
		text_addc(&text, 'x');
		assert_int_equal(text.data[text.len], '\0');
	}
	text_add(&text, "a\0b", 3);
	assert_int_equal(text.len, 10003);
	assert_memory_equal(text.data + 10000, "a\0b", 4);
	text_clear(&text);
	assert_string_equal(text_string(&text), "");
	text_addf(&text, "%s-%05d", "n", 42);
	text_adds(&text, "!");
	assert_string_equal(text_string(&text), "n-00042!");
	text_free(&text);
	assert_null(text.data);
	text_free(&text);
}

static void
formats_more_than_its_room(void **state)
{
	struct text text = { 0 };
	char long_word[5000];

	(void)state;
	memset(long_word, 'w', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	text_addf(&text, "[%s]", long_word);
	assert_int_equal(text.len, sizeof(long_word) + 1);
	assert_int_equal(text.data[text.len - 1], ']');
	text_free(&text);
}

static void
remembers_an_allocation_that_failed(void **state)
{
	struct text text = { 0 };

	(void)state;
	text_adds(&text, "kept");
	assert_int_equal(text_reserve(&text, SIZE_MAX / 2), -1);
	assert_true(text.failed);
	text_adds(&text, " lost");
	assert_string_equal(text_string(&text), "kept");
	text_clear(&text);
	assert_false(text.failed);
	text_adds(&text, "again");
	assert_string_equal(text_string(&text), "again");
	text_free(&text);
}

static void
escapes_for_json(void **state)
{
	static const char RAW[] = "a\"b\\c\n\r\t\x01\x1f\x7f/\xe4\xbd\xa0";
	struct text text = { 0 };

	(void)state;
	text_add_json(&text, RAW, sizeof(RAW) - 1);
	assert_string_equal(text_string(&text),
	    "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\\u007f/\xe4\xbd\xa0\"");
	text_clear(&text);
	text_add_json(&text, "a\0b", 3);
	assert_string_equal(text_string(&text), "\"a\\u0000b\"");
	text_clear(&text);
	text_add_json(&text, "", 0);
	assert_string_equal(text_string(&text), "\"\"");
	text_free(&text);
}

struct sample {
	const char *raw, *shown;
};

static const struct sample ESCAPED[] = { { "", "" }, { "plain", "plain" },
	{ "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80",
	    "\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80" },
	{ "a\nb\tc", "a\\x0ab\\x09c" }, { "\x1b[31m", "\\x1b[31m" },
	{ "\x7f", "\\x7f" }, { "back\\slash", "back\\\\slash" },
	{ "\xc2\x9b", "\\xc2\\x9b" },              /* C1: CSI */
	{ "\xc2\xa0", "\xc2\xa0" },                /* the first after C1 */
	{ "\xe2\x80\x8e", "\\xe2\\x80\\x8e" },     /* U+200E */
	{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },     /* U+202E */
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },     /* U+2066 */
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },     /* U+2028 ends a line */
	{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },     /* U+FEFF */
	{ "\xff\xfe", "\\xff\\xfe" },              /* no UTF-8 */
	{ "\xe4\xbd", "\\xe4\\xbd" },              /* cut off */
	{ "\xc0\xaf", "\\xc0\\xaf" },              /* overlong */
	{ "\xed\xa0\x80z", "\\xed\\xa0\\x80z" } }; /* a surrogate */

static void
escapes_for_people(void **state)
{
	struct text text = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ESCAPED); i++) {
		text_clear(&text);
		text_add_escaped(&text, ESCAPED[i].raw, strlen(ESCAPED[i].raw));
		assert_string_equal(text_string(&text), ESCAPED[i].shown);
	}
	text_free(&text);
}

/* Whatever goes in, one line of harmless UTF-8 comes out. */
static void
never_lets_a_control_through(void **state)
{
	struct text text = { 0 };
	char raw[3];
	int first, second;

	(void)state;
	for (first = 0; first < 256; first++)
		for (second = 0; second < 256; second++) {
			raw[0] = (char)first;
			raw[1] = (char)second;
			raw[2] = (char)0xa8;
			text_clear(&text);
			text_add_escaped(&text, raw, sizeof(raw));
			assert_int_equal(
			    text_utf8_bad(text.data, text.len), -1);
			assert_int_equal(text_control(text.data, text.len), -1);
		}
	text_free(&text);
}

static void
shows_what_fits_and_tells_of_a_cut(void **state)
{
	char buf[10], all[64];

	(void)state;
	assert_string_equal(
	    text_shown(buf, sizeof(buf), "123456789", 9), "123456789");
	assert_string_equal(
	    text_shown(buf, sizeof(buf), "1234567890", 10), "123456...");
	/* Neither a character nor an escape is cut in two. */
	assert_string_equal(
	    text_shown(buf, sizeof(buf), "12345\xe4\xbd\xa0\xe4\xbd\xa0", 11),
	    "12345...");
	assert_string_equal(
	    text_shown(buf, sizeof(buf), "123\nxyzzy", 9), "123...");
	assert_string_equal(text_shown(buf, 4, "12345", 5), "...");
	assert_string_equal(text_shown(buf, 4, "123", 3), "123");
	assert_string_equal(text_shown(all, sizeof(all), "", 0), "");
}

static void
finds_the_first_byte_that_is_no_utf8(void **state)
{
	static const struct {
		const char *bytes;
		ptrdiff_t bad;
	} CASES[] = { { "", -1 }, { "abc", -1 }, { "\xc2\x80", -1 },
		{ "\xdf\xbf", -1 }, { "\xe0\xa0\x80", -1 },
		{ "\xed\x9f\xbf", -1 }, { "\xee\x80\x80", -1 },
		{ "\xf0\x90\x80\x80", -1 }, { "\xf4\x8f\xbf\xbf", -1 },
		{ "ab\x80", 2 }, { "\xc0\x80", 0 }, { "\xc1\xbf", 0 },
		{ "\xe0\x9f\xbf", 0 }, { "\xf0\x8f\xbf\xbf", 0 },
		{ "\xed\xa0\x80", 0 }, { "x\xed\xbf\xbf", 1 },
		{ "\xf4\x90\x80\x80", 0 }, { "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 }, { "ok\xe4\xbd", 2 }, { "\xe4\xbdz", 0 },
		{ "\xe4\xbd\xa0\xc3", 3 } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++)
		assert_int_equal(
		    text_utf8_bad(CASES[i].bytes, strlen(CASES[i].bytes)),
		    CASES[i].bad);
}

static void
finds_the_first_control(void **state)
{
	(void)state;
	assert_int_equal(text_control("abc", 3), -1);
	assert_int_equal(text_control("a\0b", 3), 1);
	assert_int_equal(text_control("ab\x7f", 3), 2);
	assert_int_equal(text_control("\xe4\xbd\xa0\xc2\x85", 5), 3);
	assert_int_equal(text_control("\xe2\x80\xae", 3), 0);
}

static void
matches_globs(void **state)
{
	static const struct {
		const char *glob, *string;
		bool match;
	} CASES[] = { { "", "", true }, { "", "a", false }, { "*", "", true },
		{ "*", "abc", true }, { "a*c", "abc", true },
		{ "a*c", "ac", true }, { "a*c", "abd", false },
		{ "a?c", "abc", true }, { "a?c", "ac", false },
		{ "?", "\xe4\xbd\xa0", true }, { "??", "\xe4\xbd\xa0", false },
		{ "*b*d", "abcbd", true }, { "app_*", "app_web", true },
		{ "app_*", "App_web", false }, { "*a", "aab", false },
		{ "**x**", "axb", true }, { "a", "", false },
		{ "[a]", "a", false } };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++)
		if (text_glob(CASES[i].glob, CASES[i].string) != CASES[i].match)
			fail_msg("%s over %s", CASES[i].glob, CASES[i].string);
}

/* A thousand stars against a long text would take for ever, tried one by one. */
static void
matches_any_of_several_globs(void **state)
{
	(void)state;
	assert_true(text_globs("cvm", "cvm"));
	assert_true(text_globs("pc,cv*", "cvm"));
	assert_false(text_globs("pc,cv", "cvm"));
	assert_true(text_globs("pc,-", ""));
	assert_false(text_globs("pc,cvm", ""));
	assert_true(text_globs("pc,*", ""));
	assert_false(text_globs("", "cvm"));
	assert_true(text_globs(",", "")); /* two empty globs */
}

static void
matches_hostile_globs_soon(void **state)
{
	char glob[201], string[5001];
	size_t i;

	(void)state;
	for (i = 0; i < 200; i += 2) {
		glob[i] = '*';
		glob[i + 1] = 'a';
	}
	glob[200] = '\0';
	memset(string, 'a', 5000);
	string[4999] = 'b';
	string[5000] = '\0';
	assert_false(text_glob(glob, string));
}

static void
finds_the_word_that_was_meant(void **state)
{
	static const char *const WORDS[] = { "status", "list", NULL, "retry",
		"max_size", "max_age" };
	static const struct sample CASES[] = { { "stauts", "status" },
		{ "statu", "status" }, { "lits", "list" }, { "retri", "retry" },
		{ "max_sizes", "max_size" }, { "max-age", "max_age" },
		{ "list", "list" }, { "frobnicate", NULL }, { "x", NULL },
		{ "", NULL } };
	const char *nearest;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++) {
		nearest = text_nearest(CASES[i].raw, WORDS, COUNT(WORDS));
		if (CASES[i].shown == NULL)
			assert_null(nearest);
		else {
			assert_non_null(nearest);
			assert_string_equal(nearest, CASES[i].shown);
		}
	}
}

static void
survives_words_of_any_length(void **state)
{
	static const char *const WORDS[] = { "status" };
	char word[1000];

	(void)state;
	memset(word, 's', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(text_nearest(word, WORDS, 1));
}

/* Stored in queue files: these may never change. */
static void
hashes_the_same_for_ever(void **state)
{
	static const char TEXT[] =
	    "{\"Namespace\":\"app\",\"MetricName\":\"cpu\"}";

	(void)state;
	assert_true(text_hash("", 0, 0) == 0xd1747edd23d934cdU);
	assert_true(text_hash("a", 1, 0) == 0x4e04e78cb4907624U);
	assert_true(text_hash("a", 1, 1) == 0x7fcfa9ba45fc5239U);
	assert_true(
	    text_hash(TEXT, sizeof(TEXT) - 1, 7) == 0x3ecee46b9d405e92U);
}

static int
by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Names that differ in little; 20 bits of the hash fill evenly. */
static void
spreads_names_that_are_alike(void **state)
{
	enum {
		MANY = 200000,
		SLOTS = 1024
	};
	static uint64_t hashes[MANY];
	static int slots[SLOTS];
	char name[100];
	int len, i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		len = snprintf(name, sizeof(name),
		    "[\"ip\",\"10.0.%d.%d\",\"cpu\",\"%d\"]", i / 256 % 256,
		    i % 256, i / 65536);
		hashes[i] = text_hash(name, (size_t)len, 3);
		slots[hashes[i] % SLOTS]++;
	}
	qsort(hashes, MANY, sizeof(hashes[0]), by_value);
	for (i = 1; i < MANY; i++)
		assert_true(hashes[i] != hashes[i - 1]);
	/* 195 on average, and a standard deviation of 14. */
	for (i = 0; i < SLOTS; i++)
		assert_in_range(slots[i], 195 - 84, 195 + 84);
}

/* One bit of the input changes about half of the output's. */
static void
hashes_change_with_every_bit(void **state)
{
	unsigned char bytes[83];
	uint64_t before, change;
	size_t len, i;
	int bits;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	for (len = 1; len <= sizeof(bytes); len++) {
		before = text_hash(bytes, len, 0);
		for (i = 0; i < len * 8; i++) {
			bytes[i / 8] ^= (unsigned char)(1U << i % 8);
			change = before ^ text_hash(bytes, len, 0);
			bytes[i / 8] ^= (unsigned char)(1U << i % 8);
			for (bits = 0; change != 0; change &= change - 1)
				bits++;
			assert_in_range(bits, 8, 56);
		}
	}
}

static void
tells_lengths_and_seeds_apart(void **state)
{
	static const char ZEROS[64];
	uint64_t hashes[130];
	size_t i, j;

	(void)state;
	for (i = 0; i <= 64; i++) {
		hashes[i] = text_hash(ZEROS, i, 0);
		hashes[65 + i] = text_hash(ZEROS, i, i + 1);
	}
	for (i = 0; i < COUNT(hashes); i++)
		for (j = 0; j < i; j++)
			assert_true(hashes[i] != hashes[j]);
}

static void
sums_as_the_standard_says(void **state)
{
	(void)state;
	assert_int_equal(text_crc32("", 0), 0);
	assert_int_equal(text_crc32("123456789", 9), 0xcbf43926U);
	assert_int_equal(
	    text_crc32("The quick brown fox jumps over the lazy dog", 43),
	    0x414fa339U);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(formats_more_than_its_room),
		cmocka_unit_test(remembers_an_allocation_that_failed),
		cmocka_unit_test(escapes_for_json),
		cmocka_unit_test(escapes_for_people),
		cmocka_unit_test(never_lets_a_control_through),
		cmocka_unit_test(shows_what_fits_and_tells_of_a_cut),
		cmocka_unit_test(finds_the_first_byte_that_is_no_utf8),
		cmocka_unit_test(finds_the_first_control),
		cmocka_unit_test(matches_globs),
		cmocka_unit_test(matches_any_of_several_globs),
		cmocka_unit_test(matches_hostile_globs_soon),
		cmocka_unit_test(finds_the_word_that_was_meant),
		cmocka_unit_test(survives_words_of_any_length),
		cmocka_unit_test(hashes_the_same_for_ever),
		cmocka_unit_test(spreads_names_that_are_alike),
		cmocka_unit_test(hashes_change_with_every_bit),
		cmocka_unit_test(tells_lengths_and_seeds_apart),
		cmocka_unit_test(sums_as_the_standard_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
