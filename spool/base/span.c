#include "span.h"

#include <string.h>

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
