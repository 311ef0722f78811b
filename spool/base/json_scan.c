#include "json_scan.h"

#include <stdint.h>
#include <string.h>

#include "number.h"
#include "text.h"

void
json_scan_start(struct json_scan *scan, const char *bytes, size_t len)
{
	*scan = (struct json_scan){
		.start = bytes, .end = bytes + len, .at = bytes
	};
}

static int
fail(struct json_scan *scan, const char *at, enum fault_kind kind,
    const char *wrong)
{
	scan->at = at;
	scan->kind = kind;
	scan->wrong = wrong;
	return -1;
}

void
json_scan_space(struct json_scan *scan)
{
	while (scan->at < scan->end &&
	    (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' ||
		*scan->at == '\r'))
		scan->at++;
}

static int
hex4(const char *at, const char *end, uint32_t *value)
{
	int i, digit;

	*value = 0;
	if (end - at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		if (at[i] >= '0' && at[i] <= '9')
			digit = at[i] - '0';
		else if (at[i] >= 'a' && at[i] <= 'f')
			digit = at[i] - 'a' + 10;
		else if (at[i] >= 'A' && at[i] <= 'F')
			digit = at[i] - 'A' + 10;
		else
			return -1;
		*value = *value << 4 | (uint32_t)digit;
	}
	return 0;
}

/* After "\u". */
static int
scan_unicode(struct json_scan *scan)
{
	const char *escape = scan->at - 2;
	uint32_t high, low;

	if (hex4(scan->at, scan->end, &high))
		return fail(scan, escape, FAULT_BAD_JSON,
		    "\\u needs four hexadecimal digits");
	scan->at += 4;
	if (high == 0)
		return fail(scan, escape, FAULT_BAD_JSON,
		    "the character U+0000 is not allowed");
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high <= 0xdbff && scan->end - scan->at >= 6 &&
	    scan->at[0] == '\\' && scan->at[1] == 'u' &&
	    hex4(scan->at + 2, scan->end, &low) == 0 && low >= 0xdc00 &&
	    low <= 0xdfff) {
		scan->at += 6;
		return 0;
	}
	return fail(scan, escape, FAULT_BAD_JSON, "half of a surrogate pair");
}

static int
scan_escape(struct json_scan *scan)
{
	if (++scan->at >= scan->end)
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "the text ends inside a string");
	if (*scan->at == 'u') {
		scan->at++;
		return scan_unicode(scan);
	}
	if (strchr("\"\\/bfnrt", *scan->at) == NULL || *scan->at == '\0')
		return fail(
		    scan, scan->at - 1, FAULT_BAD_JSON, "an unknown escape");
	scan->at++;
	return 0;
}

/* At the opening quote. */
int
json_scan_string(struct json_scan *scan)
{
	unsigned char c;

	for (scan->at++; scan->at < scan->end;) {
		c = (unsigned char)*scan->at;
		if (c == '"') {
			scan->at++;
			return 0;
		}
		if (c == '\\') {
			if (scan_escape(scan))
				return -1;
		} else if (c < 0x20)
			return fail(scan, scan->at, FAULT_BAD_JSON,
			    "a control character inside a string");
		else
			scan->at++;
	}
	return fail(
	    scan, scan->end, FAULT_BAD_JSON, "the text ends inside a string");
}

static int
scan_number(struct json_scan *scan)
{
	const char *start = scan->at;
	size_t len;
	double value;

	while (scan->at < scan->end &&
	    ((*scan->at >= '0' && *scan->at <= '9') || *scan->at == '-' ||
		*scan->at == '+' || *scan->at == '.' || *scan->at == 'e' ||
		*scan->at == 'E'))
		scan->at++;
	len = (size_t)(scan->at - start);
	if (number_read(start, len, &value) == 0) {
		if (scan->on_number != NULL)
			scan->on_number(scan, (struct json_span){ start, len });
		scan->long_number |= len > JSON_NUMBER_MOST;
		return 0;
	}
	if (number_is(start, len))
		return fail(scan, start, FAULT_BAD_VALUE,
		    "a number beyond the range of a double");
	return fail(scan, start, FAULT_BAD_JSON, "a malformed number");
}

static int
scan_word(struct json_scan *scan)
{
	static const char *const WORDS[] = { "true", "false", "null" };
	size_t i, len;

	for (i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
		len = strlen(WORDS[i]);
		if ((size_t)(scan->end - scan->at) >= len &&
		    memcmp(scan->at, WORDS[i], len) == 0) {
			scan->at += len;
			return 0;
		}
	}
	return fail(scan, scan->at, FAULT_BAD_JSON, "a value is missing");
}

/* The name of a member and its colon. */
static int
scan_name(struct json_scan *scan)
{
	struct json_span name;

	json_scan_space(scan);
	if (scan->at >= scan->end || *scan->at != '"')
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "a member name in double quotes is missing");
	name.start = scan->at;
	if (json_scan_string(scan))
		return -1;
	name.len = (size_t)(scan->at - name.start);
	if (scan->on_name != NULL && scan->on_name(scan, name))
		return -1;
	json_scan_space(scan);
	if (scan->at >= scan->end || *scan->at != ':')
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "a colon after the member name is missing");
	scan->at++;
	return 0;
}

/* The inside of an object or array, up to ${close}. */
static int
scan_members(struct json_scan *scan, char close)
{
	for (;;) {
		if ((close == '}' && scan_name(scan)) || json_scan_value(scan))
			return -1;
		json_scan_space(scan);
		if (scan->at < scan->end && *scan->at == close) {
			scan->at++;
			return 0;
		}
		if (scan->at >= scan->end || *scan->at != ',')
			return fail(scan, scan->at, FAULT_BAD_JSON,
			    close == '}' ? "a comma or } is missing"
					 : "a comma or ] is missing");
		scan->at++;
	}
}

/* At { or [. */
static int
scan_nested(struct json_scan *scan)
{
	char close = *scan->at == '{' ? '}' : ']';
	int failed;

	if (scan->depth == JSON_DEPTH)
		return fail(
		    scan, scan->at, FAULT_BAD_JSON, "nested too deeply");
	scan->opened[scan->depth++] = scan->at++;
	json_scan_space(scan);
	if (scan->at < scan->end && *scan->at == close) {
		scan->at++;
		failed = 0;
	} else
		failed = scan_members(scan, close);
	scan->depth--;
	return failed;
}

int
json_scan_value(struct json_scan *scan)
{
	json_scan_space(scan);
	if (scan->at >= scan->end)
		return fail(
		    scan, scan->at, FAULT_BAD_JSON, "a value is missing");
	if (*scan->at == '"')
		return json_scan_string(scan);
	if (*scan->at == '{' || *scan->at == '[')
		return scan_nested(scan);
	if (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))
		return scan_number(scan);
	return scan_word(scan);
}

int
json_scan_all(struct json_scan *scan)
{
	ptrdiff_t bad = text_utf8_bad(
	    scan->start, (size_t)(scan->end - scan->start));

	if (bad >= 0)
		return fail(scan, scan->start + bad, FAULT_BAD_UTF8,
		    "a byte that is not valid UTF-8");
	if (scan->end - scan->start >= 3 &&
	    memcmp(scan->start, "\xef\xbb\xbf", 3) == 0)
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "a byte order mark before the value");
	if (json_scan_value(scan))
		return -1;
	json_scan_space(scan);
	if (scan->at < scan->end)
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "something after the value");
	return 0;
}
