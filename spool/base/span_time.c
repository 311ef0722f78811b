#include "span.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "number.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

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
