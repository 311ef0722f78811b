#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the growing string ---- */

void
text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

void
text_clear(struct text *text)
{
	text->len = 0;
	text->failed = false;
	if (text->data != NULL)
		text->data[0] = '\0';
}

int
text_reserve(struct text *text, size_t more)
{
	size_t need, size;
	char *data;

	if (text->failed || more > SIZE_MAX / 4 || text->len > SIZE_MAX / 4) {
		text->failed = true;
		return -1;
	}
	need = text->len + more + 1;
	if (need <= text->size)
		return 0;
	size = text->size * 2 > need ? text->size * 2 : need;
	if (size < 64)
		size = 64;
	if ((data = realloc(text->data, size)) == NULL) {
		text->failed = true;
		return -1;
	}
	text->data = data;
	text->size = size;
	return 0;
}

void
text_add(struct text *text, const void *bytes, size_t len)
{
	if (text_reserve(text, len))
		return;
	if (len > 0)
		memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void
text_adds(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void
text_addc(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void
text_addv(struct text *text, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		text->failed = true;
	else if (text_reserve(text, (size_t)len) == 0) {
		vsnprintf(
		    text->data + text->len, (size_t)len + 1, format, args);
		text->len += (size_t)len;
	}
}

void
text_addf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_addv(text, format, args);
	va_end(args);
}

const char *
text_string(const struct text *text)
{
	return text->data != NULL ? text->data : "";
}

/* ---- UTF-8 ---- */

/*
 * Bytes of the character at ${bytes}, its value into ${value}; 0 if it is not
 * valid UTF-8 (RFC 3629: no overlong forms, surrogates, or over U+10FFFF).
 */
static size_t
decode(const unsigned char *bytes, size_t len, uint32_t *value)
{
	static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = bytes[0];
	size_t size, i;

	if (first < 0x80) {
		*value = first;
		return 1;
	}
	size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || size > len)
		return 0;
	*value = first & (0xffU >> (size + 1));
	for (i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*value = *value << 6 | (bytes[i] & 0x3fU);
	}
	if (*value < LEAST[size] || *value > 0x10ffff ||
	    (*value >= 0xd800 && *value <= 0xdfff))
		return 0;
	return size;
}

/* Characters that steer a terminal or a reader's eye. */
static bool
steers(uint32_t value)
{
	return value < 0x20 || (value >= 0x7f && value < 0xa0) ||
	    value == 0x200e || value == 0x200f ||
	    (value >= 0x202a && value <= 0x202e) ||
	    (value >= 0x2066 && value <= 0x2069) || value == 0x2028 ||
	    value == 0x2029 || value == 0x061c || value == 0xfeff;
}

ptrdiff_t
text_utf8_bad(const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t i = 0, size;
	uint32_t value;

	while (i < len) {
		if (at[i] < 0x80) {
			i++;
			continue;
		}
		if ((size = decode(at + i, len - i, &value)) == 0)
			return (ptrdiff_t)i;
		i += size;
	}
	return -1;
}

ptrdiff_t
text_control(const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t i = 0, size;
	uint32_t value;

	while (i < len) {
		if ((size = decode(at + i, len - i, &value)) == 0 ||
		    steers(value))
			return (ptrdiff_t)i;
		i += size;
	}
	return -1;
}

/* ---- escaping ---- */

size_t
text_escape(const char *bytes, size_t len, char escaped[TEXT_ESCAPED_SIZE])
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t size, i;
	uint32_t value = 0;

	size = decode(at, len, &value);
	if (size == 1 && value == '\\')
		memcpy(escaped, "\\\\", 3);
	else if (size > 0 && !steers(value)) {
		memcpy(escaped, bytes, size);
		escaped[size] = '\0';
	} else {
		size = size > 0 ? size : 1;
		for (i = 0; i < size; i++)
			snprintf(escaped + 4 * i, 5, "\\x%02x", at[i]);
	}
	return size;
}

void
text_add_escaped(struct text *text, const char *bytes, size_t len)
{
	char escaped[TEXT_ESCAPED_SIZE];
	size_t i = 0;

	while (i < len) {
		i += text_escape(bytes + i, len - i, escaped);
		text_adds(text, escaped);
	}
}

const char *
text_shown(char *buf, size_t size, const char *bytes, size_t len)
{
	char escaped[TEXT_ESCAPED_SIZE];
	size_t i = 0, at = 0, cut = 0, more;

	while (i < len) {
		i += text_escape(bytes + i, len - i, escaped);
		more = strlen(escaped);
		if (at + more >= size) {
			at = cut;
			memcpy(buf + at, "...", 3);
			at += 3;
			break;
		}
		memcpy(buf + at, escaped, more);
		at += more;
		if (at + 3 < size)
			cut = at;
	}
	buf[at] = '\0';
	return buf;
}

static const char *
json_escape(unsigned char c, char buf[8])
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		snprintf(buf, 8, "\\u%04x", c);
		return buf;
	}
}

void
text_add_json(struct text *text, const char *string, size_t len)
{
	size_t i, start = 0;
	unsigned char c;
	char buf[8];

	text_addc(text, '"');
	for (i = 0; i < len; i++) {
		c = (unsigned char)string[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		text_add(text, string + start, i - start);
		text_adds(text, json_escape(c, buf));
		start = i + 1;
	}
	text_add(text, string + start, len - start);
	text_addc(text, '"');
}
