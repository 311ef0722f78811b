/* links: base */
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct reading {
	const char *text;
	int64_t value; /* REFUSED: it is not read */
};
#define REFUSED INT64_MIN

typedef int read_fn(const char *text, int64_t *value);

/* A text that is refused leaves the result alone. */
static void
assert_reads(read_fn *read, const struct reading *cases, size_t count)
{
	int64_t value;
	size_t i;

	for (i = 0; i < count; i++) {
		value = 4711;
		if (read(cases[i].text, &value) !=
			(cases[i].value == REFUSED ? -1 : 0) ||
		    value !=
			(cases[i].value == REFUSED ? 4711 : cases[i].value))
			fail_msg("\"%s\" gave %lld", cases[i].text,
			    (long long)value);
	}
}

static void
reads_durations(void **state)
{
	static const struct reading CASES[] = { { "0", 0 }, { "5", 5 * SECOND },
		{ "500ms", 500 }, { "30s", 30 * SECOND }, { "3m", 3 * MINUTE },
		{ "2h", 2 * HOUR }, { "7d", 7 * DAY }, { "1w", 7 * DAY },
		{ "1h30m", 90 * MINUTE }, { "1s500ms", 1500 },
		{ "1w1d1h1m1s1ms", 8 * DAY + HOUR + MINUTE + SECOND + 1 },
		{ "0s", 0 }, { "90m", 90 * MINUTE }, { "", REFUSED },
		{ "s", REFUSED }, { "-1", REFUSED }, { "-1s", REFUSED },
		{ "+1s", REFUSED }, { "1.5s", REFUSED }, { "1 s", REFUSED },
		{ " 1s", REFUSED }, { "1s ", REFUSED }, { "1S", REFUSED },
		{ "1h30", REFUSED }, { "30m1h", REFUSED }, { "1h1h", REFUSED },
		{ "1y", REFUSED }, { "1min", REFUSED }, { "0x1", REFUSED },
		{ "9223372036854775807", REFUSED },
		{ "99999999999999999999s", REFUSED },
		{ "106751991167d", 106751991167 * DAY },
		{ "106751991168d", REFUSED }, { "106751991167d24h", REFUSED } };

	(void)state;
	assert_reads(span_read_ms, CASES, COUNT(CASES));
}

static void
reads_sizes(void **state)
{
	static const struct reading CASES[] = { { "0", 0 }, { "1500", 1500 },
		{ "64K", 65536 }, { "1M", 1 << 20 }, { "2G", 2LL << 30 },
		{ "1T", 1LL << 40 }, { "64KiB", 65536 }, { "3MiB", 3 << 20 },
		{ "12B", 12 }, { "", REFUSED }, { "K", REFUSED },
		{ "1k", REFUSED }, { "1KB", REFUSED }, { "1.5M", REFUSED },
		{ "-1K", REFUSED }, { "1 K", REFUSED }, { "1KK", REFUSED },
		{ "1K512", REFUSED }, { "8388608T", REFUSED },
		{ "9223372036854775808", REFUSED } };

	(void)state;
	assert_reads(span_read_bytes, CASES, COUNT(CASES));
}

static void
reads_ranges_in_order(void **state)
{
	static const char *const BAD[] = { "", "..", "1m..", "..1m", "15m..1m",
		"1m...15m", "1m..5m..9m", "1m-5m", "1m .. 5m" };
	int64_t least = 1, most = 2;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(BAD); i++)
		if (span_read_range_ms(BAD[i], &least, &most) == 0)
			fail_msg("\"%s\" was read", BAD[i]);
	assert_int_equal(least + most, 3);
	assert_int_equal(span_read_range_ms("1m..15m", &least, &most), 0);
	assert_int_equal(least, MINUTE);
	assert_int_equal(most, 15 * MINUTE);
	assert_int_equal(span_read_range_ms("5m", &least, &most), 0);
	assert_int_equal(least, 5 * MINUTE);
	assert_int_equal(most, 5 * MINUTE);
	assert_int_equal(span_read_range_ms("0..0", &least, &most), 0);
	assert_int_equal(most, 0);
}

static void
reads_rates(void **state)
{
	static const char *const BAD[] = { "", "50", "/s", "-1/s", "50/",
		"50/d", "50/ss", "50 /s", "x/s", "1e999/s" };
	double rate = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(BAD); i++)
		assert_int_equal(span_read_rate(BAD[i], &rate), -1);
	assert_true(rate == 7);
	assert_int_equal(span_read_rate("50/s", &rate), 0);
	assert_true(rate == 50);
	assert_int_equal(span_read_rate("600/m", &rate), 0);
	assert_true(rate == 10);
	assert_int_equal(span_read_rate("30/m", &rate), 0);
	assert_true(rate == 0.5);
	assert_int_equal(span_read_rate("0", &rate), 0);
	assert_true(rate == 0);
}

/* 2026-11-24T10:00:00Z */
#define NOW INT64_C(1795514400000)

static int
read_time(const char *text, int64_t *value)
{
	return span_read_time(text, NOW, value);
}

static void
reads_times(void **state)
{
	static const struct reading CASES[] = { { "2026-11-24T10:00:00Z", NOW },
		{ "2026-11-24t10:00:00z", NOW },
		{ "2026-11-24 10:00:00Z", NOW },
		{ "2026-11-24T10:00:00.123Z", NOW + 123 },
		{ "2026-11-24T10:00:00.5Z", NOW + 500 },
		{ "2026-11-24T10:00:00.123999Z", NOW + 123 },
		{ "2026-11-24T18:00:00+08:00", NOW },
		{ "2026-11-24T04:30:00-05:30", NOW },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2024-02-29T00:00:00Z", INT64_C(1709164800000) },
		{ "2000-02-29T00:00:00Z", INT64_C(951782400000) },
		{ "2100-03-01T00:00:00Z", INT64_C(4107542400000) }, { "@0", 0 },
		{ "@1795514400", NOW }, { "@-1", -1000 },
		{ "-2h", NOW - 2 * HOUR }, { "2h ago", NOW - 2 * HOUR },
		{ "-1h30m", NOW - 90 * MINUTE },
		{ "90 ago", NOW - 90 * SECOND }, { "", REFUSED },
		{ "now", REFUSED }, { "2h", REFUSED }, { "-", REFUSED },
		{ "-2x", REFUSED }, { " ago", REFUSED }, { "@", REFUSED },
		{ "@1.5", REFUSED }, { "@x", REFUSED },
		{ "@9223372036854775807", REFUSED }, { "2026-11-24", REFUSED },
		{ "2026-11-24T10:00:00", REFUSED },
		{ "2026-11-24T10:00Z", REFUSED },
		{ "2026-11-24T10:00:00.Z", REFUSED },
		{ "2026-11-24T10:00:00Zx", REFUSED },
		{ "2026-11-24T10:00:00+0800", REFUSED },
		{ "2026-11-24T10:00:00+24:00", REFUSED },
		{ "2026-13-01T00:00:00Z", REFUSED },
		{ "2026-00-01T00:00:00Z", REFUSED },
		{ "2026-02-29T00:00:00Z", REFUSED },
		{ "2100-02-29T00:00:00Z", REFUSED },
		{ "2026-04-31T00:00:00Z", REFUSED },
		{ "2026-11-00T00:00:00Z", REFUSED },
		{ "2026-11-24T24:00:00Z", REFUSED },
		{ "2026-11-24T10:60:00Z", REFUSED },
		{ "2026-11-24T10:00:61Z", REFUSED },
		{ "26-11-24T10:00:00Z", REFUSED } };

	(void)state;
	assert_reads(read_time, CASES, COUNT(CASES));
}

static void
set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* Local days, also where one of them has 23 or 25 hours. */
static void
reads_local_days(void **state)
{
	int64_t at_ms;

	(void)state;
	set_zone("CST-8");
	assert_int_equal(span_read_time("today", NOW, &at_ms), 0);
	assert_int_equal(at_ms, NOW - 18 * HOUR);
	assert_int_equal(span_read_time("yesterday", NOW, &at_ms), 0);
	assert_int_equal(at_ms, NOW - 42 * HOUR);
	/* Central Europe: on 2026-03-29 at 01:00 UTC the clock goes forward. */
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(
	    span_read_time("yesterday", INT64_C(1774864800000), &at_ms), 0);
	assert_int_equal(at_ms, INT64_C(1774738800000));
	set_zone("UTC0");
	assert_int_equal(span_read_time("today", NOW, &at_ms), 0);
	assert_int_equal(at_ms, NOW - 10 * HOUR);
}

static void
shows_the_two_largest_units(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} CASES[] = { { 0, "0 ms" }, { 412, "412 ms" }, { 999, "999 ms" },
		{ 1000, "1s" }, { 59 * SECOND + 999, "59s" }, { MINUTE, "1m" },
		{ 192 * SECOND, "3m 12s" }, { HOUR + 59 * SECOND, "1h" },
		{ 90 * MINUTE, "1h 30m" }, { 9 * DAY + 4 * HOUR, "9d 4h" },
		{ 9 * DAY + 59 * MINUTE, "9d" }, { -1500, "-1s" },
		{ -90 * MINUTE, "-1h 30m" } };
	char buf[SPAN_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++)
		assert_string_equal(
		    span_print_ms(buf, CASES[i].ms), CASES[i].text);
	span_print_ms(buf, INT64_MAX);
	span_print_ms(buf, INT64_MIN);
	assert_int_equal(buf[0], '-');
}

static void
shows_sizes(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} CASES[] = { { 0, "0 B" }, { 812, "812 B" }, { 1023, "1023 B" },
		{ 1024, "1 KiB" }, { 1536, "1.5 KiB" }, { 1470000, "1.4 MiB" },
		{ 1 << 20, "1 MiB" }, { (1 << 20) - 1, "1023 KiB" },
		{ 8 << 20, "8 MiB" }, { 2LL << 30, "2 GiB" },
		{ (1LL << 41) - 1, "1.9 TiB" }, { INT64_MAX, "7.9 EiB" },
		{ -5, "-5 B" } };
	char buf[SPAN_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++)
		assert_string_equal(
		    span_print_bytes(buf, CASES[i].bytes), CASES[i].text);
}

static void
shows_times_as_it_reads_them(void **state)
{
	static const int64_t TIMES[] = { 0, 1, -1, 999, -999, -1000, NOW,
		NOW + 123, INT64_C(951782400000), INT64_C(4107542399999),
		INT64_C(253402300799999), INT64_C(-62135596800000) };
	char buf[SPAN_TEXT_SIZE];
	int64_t back;
	size_t i;

	(void)state;
	assert_string_equal(
	    span_print_time(buf, NOW + 123), "2026-11-24T10:00:00.123Z");
	assert_string_equal(
	    span_print_time(buf, -1), "1969-12-31T23:59:59.999Z");
	for (i = 0; i < COUNT(TIMES); i++) {
		span_print_time(buf, TIMES[i]);
		assert_int_equal(span_read_time(buf, 0, &back), 0);
		assert_true(back == TIMES[i]);
	}
	/* What has no four-digit year is told in seconds. */
	assert_string_equal(
	    span_print_time(buf, INT64_C(253402300800000)), "@253402300800");
	span_print_time(buf, INT64_MAX);
	span_print_time(buf, INT64_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(reads_ranges_in_order),
		cmocka_unit_test(reads_rates),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(reads_local_days),
		cmocka_unit_test(shows_the_two_largest_units),
		cmocka_unit_test(shows_sizes),
		cmocka_unit_test(shows_times_as_it_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
