#include "span.h"

#include <stdio.h>
#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

struct unit {
	const char *name;
	int64_t size;
};

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
