#include "decimal.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"

/* Digits from ${at} on. */
static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* The digits before and behind the point as JSON has them: at least one before
 * it, no needless zero in front, none or some behind it.  The place after them,
 * or NULL if there are none. */
static const char *
add_mantissa(struct text *json, const char *at, const char *end)
{
	const char *whole = at, *fraction;
	size_t digits;

	at = skip_digits(at, end);
	digits = (size_t)(at - whole);
	for (; at - whole > 1 && *whole == '0'; whole++)
		;
	text_add(json, at > whole ? whole : "0",
	    at > whole ? (size_t)(at - whole) : 1);
	if (at == end || *at != '.')
		return digits > 0 ? at : NULL;
	fraction = ++at;
	at = skip_digits(at, end);
	if (at > fraction)
		text_addc(json, '.');
	text_add(json, fraction, (size_t)(at - fraction));
	return digits + (size_t)(at - fraction) > 0 ? at : NULL;
}

static int
normalize(const char *text, size_t len, struct text *json)
{
	const char *at = text, *end = text + len;

	if (at < end && (*at == '-' || *at == '+')) {
		if (*at == '-')
			text_addc(json, '-');
		at++;
	}
	if ((at = add_mantissa(json, at, end)) == NULL)
		return -1;
	text_add(json, at, (size_t)(end - at)); /* an exponent, or nothing */
	return json->failed ? -1 : 0;
}

int
decimal_read(const char *text, size_t len, double *value)
{
	struct text json = { 0 };
	int result;

	if (number_read(text, len, value) == 0)
		return 0;
	result = normalize(text, len, &json);
	if (result == 0)
		result = number_read(text_string(&json), json.len, value);
	text_free(&json);
	return result;
}

static bool
is_too_large(const char *text, size_t len)
{
	struct text json = { 0 };
	double value;
	bool too_large;

	too_large = normalize(text, len, &json) == 0 &&
	    number_is(text_string(&json), json.len) &&
	    number_read(text_string(&json), json.len, &value) != 0;
	text_free(&json);
	return too_large;
}

void
decimal_refuse(const char *text, size_t len, struct fault *fault)
{
	char shown[64];

	fault_set(fault, FAULT_BAD_VALUE, "value is %s (\"%s\")",
	    is_too_large(text, len) ? "beyond the range of a double"
				    : "not a number",
	    text_shown(shown, sizeof(shown), text, len));
	fault_field(fault, "value");
}
