#include "number.h"

#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Powers of ten that a double holds exactly, as far as the fast paths go. */
static const double TENS[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
#define MOST_EXACT 1e15 /* whole numbers below it have at most 15 digits */
#define MOST_PLACES 6   /* decimals that the fast printer tries */

static locale_t plain;
static pthread_once_t plain_once = PTHREAD_ONCE_INIT;

static void
make_plain(void)
{
	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* From here this thread knows no decimal comma; the result goes back to
 * uselocale(). */
static locale_t
enter_plain(void)
{
	pthread_once(&plain_once, make_plain);
	return uselocale(plain);
}

static double
read_double(const char *text)
{
	locale_t before = enter_plain();
	double value = strtod(text, NULL);

	uselocale(before);
	return value;
}

/* ---- writing ---- */

static size_t
print_whole(char *buf, uint64_t value)
{
	char digits[24];
	size_t len = 0, i;

	do
		digits[len++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	for (i = 0; i < len; i++)
		buf[i] = digits[len - 1 - i];
	return len;
}

/* ${value} is mantissa / 10^places: write it with its point. */
static size_t
place_point(char *buf, uint64_t mantissa, size_t places)
{
	char digits[24];
	size_t len = print_whole(digits, mantissa), at = 0, whole;

	if (places == 0) {
		memcpy(buf, digits, len);
		return len;
	}
	whole = len > places ? len - places : 0;
	if (whole == 0)
		buf[at++] = '0';
	memcpy(buf + at, digits, whole);
	at += whole;
	buf[at++] = '.';
	for (; len < places; places--)
		buf[at++] = '0';
	memcpy(buf + at, digits + whole, len - whole);
	return at + len - whole;
}

/*
 * Short decimals.  mantissa and the power of ten are exact, and the division
 * is rounded correctly, so an equal quotient proves that the text reads back
 * as ${value}; the fewest places that do make the shortest text.
 */
static size_t
print_short(char *buf, double value)
{
	double scaled, mantissa;
	size_t places;

	for (places = 0; places <= MOST_PLACES; places++) {
		scaled = value * TENS[places];
		if (scaled >= MOST_EXACT)
			return 0;
		mantissa = nearbyint(scaled);
		if (mantissa / TENS[places] == value)
			return place_point(buf, (uint64_t)mantissa, places);
	}
	return 0;
}

/* The last digit of a %e text by one up; false where it would carry. */
static bool
step_up(char *text)
{
	char *last = strchr(text, 'e') - 1;

	if (*last < '0' || *last > '8')
		return false;
	++*last;
	return true;
}

/*
 * The shortest %e text of ${value} that reads back.  The nearest text of so
 * many digits reads back if any does; but below a power of two doubles lie
 * closer together than above, and there the next one up may do instead.
 */
static void
shortest_text(double value, char text[NUMBER_TEXT_SIZE])
{
	int precision = value < DBL_MIN ? 0 : 14; /* fewer digits below it */
	int exponent;
	bool narrow = frexp(value, &exponent) == 0.5;

	for (; precision < 16; precision++) {
		snprintf(text, NUMBER_TEXT_SIZE, "%.*e", precision, value);
		if (strtod(text, NULL) == value ||
		    (narrow && step_up(text) && strtod(text, NULL) == value))
			return;
	}
	snprintf(text, NUMBER_TEXT_SIZE, "%.16e", value);
}

/* Digits and exponent of the shortest text of ${value} that reads back. */
static size_t
shortest_digits(double value, char digits[20], int *exponent)
{
	char text[NUMBER_TEXT_SIZE];
	locale_t before = enter_plain();
	const char *at;
	size_t len = 0;

	shortest_text(value, text);
	uselocale(before);
	for (at = text; *at != 'e'; at++)
		if (*at >= '0' && *at <= '9')
			digits[len++] = *at;
	*exponent = atoi(at + 1);
	while (len > 1 && digits[len - 1] == '0')
		len--;
	return len;
}

static size_t
print_exponent(char *buf, const char *digits, size_t len, int exponent)
{
	size_t at = 0;

	buf[at++] = digits[0];
	if (len > 1) {
		buf[at++] = '.';
		memcpy(buf + at, digits + 1, len - 1);
		at += len - 1;
	}
	at += (size_t)snprintf(buf + at, 8, "e%d", exponent);
	return at;
}

/* Without an exponent where that takes at most 21 digits. */
static size_t
print_digits(char *buf, const char *digits, size_t len, int exponent)
{
	size_t at = 0, whole = (size_t)exponent + 1, i;

	if (exponent >= 0 && exponent < 21) {
		for (i = 0; i < whole; i++)
			buf[at++] = i < len ? digits[i] : '0';
		if (len > whole) {
			buf[at++] = '.';
			memcpy(buf + at, digits + whole, len - whole);
			at += len - whole;
		}
		return at;
	}
	if (exponent >= 0 || exponent < -7)
		return print_exponent(buf, digits, len, exponent);
	buf[at++] = '0';
	buf[at++] = '.';
	for (i = 1; i < (size_t)-exponent; i++)
		buf[at++] = '0';
	memcpy(buf + at, digits, len);
	return at + len;
}

size_t
number_print(char buf[NUMBER_TEXT_SIZE], double value)
{
	char digits[20];
	size_t at = 0, len;
	int exponent;

	if (signbit(value)) {
		buf[at++] = '-';
		value = -value;
	}
	if ((len = print_short(buf + at, value)) == 0) {
		len = shortest_digits(value, digits, &exponent);
		len = print_digits(buf + at, digits, len, exponent);
	}
	buf[at + len] = '\0';
	return at + len;
}

/* ---- reading ---- */

/* The parts of a JSON number. */
struct scan {
	bool negative, plain; /* plain: no exponent, at most 15 digits */
	uint64_t mantissa;
	size_t digits, places;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
scan_digits(const char *text, size_t len, size_t at, struct scan *scan)
{
	while (at < len && is_digit(text[at])) {
		if (scan->digits < 19)
			scan->mantissa = scan->mantissa * 10 +
			    (uint64_t)(text[at] - '0');
		scan->digits++;
		at++;
	}
	return at;
}

/* Return 0 if all of ${text} is a number by RFC 8259, section 6. */
static int
scan_number(const char *text, size_t len, struct scan *scan)
{
	size_t at = 0, start;

	*scan = (struct scan){ .plain = true };
	if (at < len && text[at] == '-') {
		scan->negative = true;
		at++;
	}
	if (at >= len || !is_digit(text[at]))
		return -1;
	if (text[at] == '0' && at + 1 < len && is_digit(text[at + 1]))
		return -1;
	at = scan_digits(text, len, at, scan);
	if (at < len && text[at] == '.') {
		start = ++at;
		at = scan_digits(text, len, at, scan);
		if ((scan->places = at - start) == 0)
			return -1;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		scan->plain = false;
		at++;
		if (at < len && (text[at] == '+' || text[at] == '-'))
			at++;
		if (at >= len || !is_digit(text[at]))
			return -1;
		while (at < len && is_digit(text[at]))
			at++;
	}
	return at == len ? 0 : -1;
}

int
number_read(const char *text, size_t len, double *value)
{
	struct scan scan;
	char small[64], *copy = small;
	double read;

	if (scan_number(text, len, &scan))
		return -1;
	if (scan.plain && scan.digits <= 15) {
		/* Both exact, and the division rounded correctly. */
		read = (double)scan.mantissa / TENS[scan.places];
		*value = scan.negative ? -read : read;
		return 0;
	}
	if (len >= sizeof(small) && (copy = malloc(len + 1)) == NULL)
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	read = read_double(copy);
	if (copy != small)
		free(copy);
	if (!isfinite(read))
		return -1;
	*value = read;
	return 0;
}

bool
number_is(const char *text, size_t len)
{
	struct scan scan;

	return scan_number(text, len, &scan) == 0;
}

int
number_read_whole(const char *text, int64_t least, int64_t most, int64_t *value)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	long long read;
	char *end;

	if (!is_digit(digits[0]))
		return -1;
	errno = 0;
	read = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || read < least || read > most)
		return -1;
	*value = read;
	return 0;
}

const char *
number_print_grouped(char buf[NUMBER_TEXT_SIZE], int64_t value)
{
	char digits[24];
	uint64_t size = value < 0 ? 0U - (uint64_t)value : (uint64_t)value;
	size_t len = print_whole(digits, size), at = 0, i;

	if (value < 0)
		buf[at++] = '-';
	for (i = 0; i < len; i++) {
		buf[at++] = digits[i];
		if ((len - 1 - i) % 3 == 0 && i + 1 < len)
			buf[at++] = ',';
	}
	buf[at] = '\0';
	return buf;
}
