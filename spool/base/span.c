#include "span.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "number.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)

struct unit {
	const char *name;
	int64_t size;
};

/* Longer names first where one begins another. */
static const struct unit DURATIONS[] = { { "ms", 1 }, { "w", WEEK_MS },
	{ "d", DAY_MS }, { "h", HOUR_MS }, { "m", MINUTE_MS },
	{ "s", SECOND_MS }, { NULL, 0 } };
static const struct unit SIZES[] = { { "KiB", INT64_C(1) << 10 },
	{ "MiB", INT64_C(1) << 20 }, { "GiB", INT64_C(1) << 30 },
	{ "TiB", INT64_C(1) << 40 }, { "K", INT64_C(1) << 10 },
	{ "M", INT64_C(1) << 20 }, { "G", INT64_C(1) << 30 },
	{ "T", INT64_C(1) << 40 }, { "B", 1 }, { NULL, 0 } };
static const struct unit RATES[] = { { "/s", 1 }, { "/m", 60 }, { "/h", 3600 },
	{ NULL, 0 } };

/* ---- reading ---- */

/* Take digits from ${text}; 0, or -1 (none, or too many). */
static int
take_whole(const char **text, int64_t *value)
{
	const char *at = *text;
	int64_t read = 0;

	if (*at < '0' || *at > '9')
		return -1;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (read > (INT64_MAX - 9) / 10)
			return -1;
		read = read * 10 + (*at - '0');
	}
	*text = at;
	*value = read;
	return 0;
}

/* Take one of ${units} from ${text}; its size, or 0. */
static int64_t
take_unit(const char **text, const struct unit *units)
{
	size_t len;

	for (; units->name != NULL; units++) {
		len = strlen(units->name);
		if (strncmp(*text, units->name, len) == 0) {
			*text += len;
			return units->size;
		}
	}
	return 0;
}

/* Add ${count} times ${size}; 0, or -1 (overflow). */
static int
add_times(int64_t *sum, int64_t count, int64_t size)
{
	if (count > (INT64_MAX - *sum) / size)
		return -1;
	*sum += count * size;
	return 0;
}

int
span_read_ms(const char *text, int64_t *ms)
{
	int64_t count, size, sum = 0, before = INT64_MAX;

	do {
		if (take_whole(&text, &count))
			return -1;
		if (*text == '\0' && before == INT64_MAX)
			size = SECOND_MS;
		else
			size = take_unit(&text, DURATIONS);
		if (size == 0 || size >= before || add_times(&sum, count, size))
			return -1;
		before = size;
	} while (*text != '\0');
	*ms = sum;
	return 0;
}

int
span_read_range_ms(const char *text, int64_t *least_ms, int64_t *most_ms)
{
	const char *dots = strstr(text, "..");
	char first[SPAN_TEXT_SIZE];
	int64_t least, most;

	if (dots == NULL) {
		if (span_read_ms(text, &most))
			return -1;
		*least_ms = *most_ms = most;
		return 0;
	}
	if (dots - text >= (ptrdiff_t)sizeof(first))
		return -1;
	memcpy(first, text, (size_t)(dots - text));
	first[dots - text] = '\0';
	if (span_read_ms(first, &least) || span_read_ms(dots + 2, &most) ||
	    most < least)
		return -1;
	*least_ms = least;
	*most_ms = most;
	return 0;
}

int
span_read_bytes(const char *text, int64_t *bytes)
{
	int64_t count, size, sum = 0;

	if (take_whole(&text, &count))
		return -1;
	size = *text == '\0' ? 1 : take_unit(&text, SIZES);
	if (size == 0 || *text != '\0' || add_times(&sum, count, size))
		return -1;
	*bytes = sum;
	return 0;
}

int
span_read_rate(const char *text, double *per_second)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	int64_t seconds = 1;
	double count;

	if (number_read(text, len, &count) || count < 0)
		return -1;
	if (slash != NULL &&
	    ((seconds = take_unit(&slash, RATES)) == 0 || *slash != '\0'))
		return -1;
	if (slash == NULL && count > 0)
		return -1;
	*per_second = count / (double)seconds;
	return 0;
}

/* ---- times ---- */

/* Days from 1970-01-01 to a day of the proleptic Gregorian calendar. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, of_era, of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	of_era = year - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static bool
in(int64_t value, int64_t least, int64_t most)
{
	return value >= least && value <= most;
}

/* Take exactly ${digits} digits and, if ${after} is not NUL, that character. */
static int
take_fixed(const char **text, int digits, char after, int64_t *value)
{
	int64_t read = 0;

	while (digits-- > 0) {
		if (**text < '0' || **text > '9')
			return -1;
		read = read * 10 + (*(*text)++ - '0');
	}
	if (after != '\0' && *(*text)++ != after)
		return -1;
	*value = read;
	return 0;
}

static int
take_fraction(const char **text, int64_t *ms)
{
	int digits = 0;

	*ms = 0;
	if (**text != '.')
		return 0;
	for (++*text; **text >= '0' && **text <= '9'; ++*text)
		if (++digits <= 3)
			*ms = *ms * 10 + (**text - '0');
	if (digits == 0 || digits > 9)
		return -1;
	for (; digits < 3; digits++)
		*ms *= 10;
	return 0;
}

/* "Z", "+08:00". */
static int
take_offset(const char **text, int64_t *ms)
{
	int64_t sign, hours, minutes;

	*ms = 0;
	if (**text == 'Z' || **text == 'z') {
		++*text;
		return 0;
	}
	if (**text != '+' && **text != '-')
		return -1;
	sign = *(*text)++ == '-' ? -1 : 1;
	if (take_fixed(text, 2, ':', &hours) ||
	    take_fixed(text, 2, '\0', &minutes) || hours > 23 || minutes > 59)
		return -1;
	*ms = sign * (hours * HOUR_MS + minutes * MINUTE_MS);
	return 0;
}

static int
read_rfc3339(const char *text, int64_t *at_ms)
{
	static const int MOST[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int64_t year, month, day, hour, minute, second, ms, offset_ms;
	bool leap;

	if (take_fixed(&text, 4, '-', &year) ||
	    take_fixed(&text, 2, '-', &month) ||
	    take_fixed(&text, 2, '\0', &day) ||
	    (*text != 'T' && *text != 't' && *text != ' '))
		return -1;
	text++;
	if (take_fixed(&text, 2, ':', &hour) ||
	    take_fixed(&text, 2, ':', &minute) ||
	    take_fixed(&text, 2, '\0', &second) || take_fraction(&text, &ms) ||
	    take_offset(&text, &offset_ms) || *text != '\0')
		return -1;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (!in(month, 1, 12) || !in(day, 1, MOST[month - 1]) ||
	    (month == 2 && day == 29 && !leap) || !in(hour, 0, 23) ||
	    !in(minute, 0, 59) || !in(second, 0, 60))
		return -1;
	*at_ms = days_of(year, month, day) * DAY_MS + hour * HOUR_MS +
	    minute * MINUTE_MS + second * SECOND_MS + ms - offset_ms;
	return 0;
}

/* Local midnight, ${back} days ago. */
static int
read_day(int64_t now_ms, int back, int64_t *at_ms)
{
	time_t now = (time_t)(now_ms / 1000), midnight;
	struct tm day;

	if (localtime_r(&now, &day) == NULL)
		return -1;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_mday -= back;
	day.tm_isdst = -1;
	if ((midnight = mktime(&day)) == (time_t)-1)
		return -1;
	*at_ms = (int64_t)midnight * 1000;
	return 0;
}

static int
read_ago(const char *text, size_t len, int64_t now_ms, int64_t *at_ms)
{
	char span[SPAN_TEXT_SIZE];
	int64_t ms;

	if (len == 0 || len >= sizeof(span))
		return -1;
	memcpy(span, text, len);
	span[len] = '\0';
	if (span_read_ms(span, &ms))
		return -1;
	*at_ms = now_ms - ms;
	return 0;
}

int
span_read_time(const char *text, int64_t now_ms, int64_t *at_ms)
{
	size_t len = strlen(text);
	int64_t seconds;

	if (strcmp(text, "today") == 0)
		return read_day(now_ms, 0, at_ms);
	if (strcmp(text, "yesterday") == 0)
		return read_day(now_ms, 1, at_ms);
	if (text[0] == '-')
		return read_ago(text + 1, len - 1, now_ms, at_ms);
	if (len > 4 && strcmp(text + len - 4, " ago") == 0)
		return read_ago(text, len - 4, now_ms, at_ms);
	if (text[0] != '@')
		return read_rfc3339(text, at_ms);
	if (number_read_whole(
		text + 1, INT64_MIN / 1000, INT64_MAX / 1000, &seconds))
		return -1;
	*at_ms = seconds * 1000;
	return 0;
}

/* ---- showing ---- */

const char *
span_print_ms(char buf[SPAN_TEXT_SIZE], int64_t ms)
{
	static const struct unit SHOWN[] = { { "d", DAY_MS }, { "h", HOUR_MS },
		{ "m", MINUTE_MS }, { "s", SECOND_MS } };
	const char *sign = ms < 0 ? "-" : "";
	long long larger, smaller;
	size_t i;

	if (ms < 0)
		ms = ms == INT64_MIN ? INT64_MAX : -ms;
	if (ms < SECOND_MS) {
		snprintf(buf, SPAN_TEXT_SIZE, "%s%lld ms", sign, (long long)ms);
		return buf;
	}
	for (i = 0; ms < SHOWN[i].size; i++)
		;
	larger = ms / SHOWN[i].size;
	smaller = i + 1 < 4 ? ms % SHOWN[i].size / SHOWN[i + 1].size : 0;
	if (smaller > 0)
		snprintf(buf, SPAN_TEXT_SIZE, "%s%lld%s %lld%s", sign, larger,
		    SHOWN[i].name, smaller, SHOWN[i + 1].name);
	else
		snprintf(buf, SPAN_TEXT_SIZE, "%s%lld%s", sign, larger,
		    SHOWN[i].name);
	return buf;
}

const char *
span_print_bytes(char buf[SPAN_TEXT_SIZE], int64_t bytes)
{
	static const char *const NAMES[] = { "KiB", "MiB", "GiB", "TiB", "PiB",
		"EiB" };
	int64_t unit = 1024;
	int tenths;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, SPAN_TEXT_SIZE, "%lld B", (long long)bytes);
		return buf;
	}
	while (i < 5 && bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	tenths = (int)(bytes % unit / 16 * 10 / (unit / 16));
	if (tenths > 0 && bytes / unit < 100)
		snprintf(buf, SPAN_TEXT_SIZE, "%d.%d %s", (int)(bytes / unit),
		    tenths, NAMES[i]);
	else
		snprintf(buf, SPAN_TEXT_SIZE, "%lld %s",
		    (long long)(bytes / unit), NAMES[i]);
	return buf;
}

const char *
span_print_time(char buf[SPAN_TEXT_SIZE], int64_t at_ms)
{
	int64_t seconds = at_ms / 1000, ms = at_ms % 1000;
	struct tm utc;
	time_t at;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	at = (time_t)seconds;
	if (gmtime_r(&at, &utc) == NULL || utc.tm_year > 8099 ||
	    utc.tm_year < -1900) {
		snprintf(buf, SPAN_TEXT_SIZE, "@%lld", (long long)seconds);
		return buf;
	}
	snprintf(buf, SPAN_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
	    utc.tm_min, utc.tm_sec, (int)ms);
	return buf;
}
