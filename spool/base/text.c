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

/* ---- patterns and likeness ---- */

static const char *
next_character(const char *string)
{
	string++;
	while (((unsigned char)*string & 0xc0) == 0x80)
		string++;
	return string;
}

bool
text_glob(const char *glob, const char *string)
{
	const char *star = NULL, *resume = NULL;

	while (*string != '\0') {
		if (*glob == '*') {
			star = glob++;
			resume = string;
		} else if (*glob == '?') {
			glob++;
			string = next_character(string);
		} else if (*glob == *string) {
			glob++;
			string++;
		} else if (star != NULL) {
			glob = star + 1;
			string = resume = next_character(resume);
		} else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

#define WORD_MOST 64

static size_t
least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MOST + 1], i, j;
	size_t *older = rows[0], *old = rows[1], *now = rows[2], *spare;

	for (j = 0; j <= b_len; j++)
		old[j] = j;
	for (i = 1; i <= a_len; i++) {
		now[0] = i;
		for (j = 1; j <= b_len; j++) {
			now[j] = old[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = least_of(now[j], old[j] + 1);
			now[j] = least_of(now[j], now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least_of(now[j], older[j - 2] + 1);
		}
		spare = older;
		older = old;
		old = now;
		now = spare;
	}
	return old[b_len];
}

const char *
text_nearest(const char *word, const char *const *words, size_t count)
{
	size_t len = strlen(word), other, edits, best, i;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_MOST)
		return NULL;
	best = len == 1 ? 0 : 1 + len / 4; /* or any letter would do */
	for (i = 0; i < count; i++) {
		if (words[i] == NULL)
			continue;
		other = strlen(words[i]);
		if (other > WORD_MOST)
			continue;
		edits = distance(word, len, words[i], other);
		if (edits > best || (nearest != NULL && edits == best))
			continue;
		best = edits;
		nearest = words[i];
	}
	return nearest;
}

/* ---- sums ---- */

static uint64_t
mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	hash ^= hash >> 32;
	return hash;
}

uint64_t
text_hash(const void *bytes, size_t len, uint64_t seed)
{
	const unsigned char *at = bytes;
	uint64_t hash = mix(seed + 0x9e3779b97f4a7c15U * (len + 1)), word;
	size_t i;

	/* Bytes are gathered little end first on every machine. */
	while (len >= 8) {
		for (word = 0, i = 8; i-- > 0;)
			word = word << 8 | at[i];
		hash = (hash ^ mix(word)) * 0x9fb21c651e98df25U;
		at += 8;
		len -= 8;
	}
	for (word = 0, i = len; i-- > 0;)
		word = word << 8 | at[i];
	return mix((hash ^ mix(word + len)) * 0x9fb21c651e98df25U);
}

uint32_t
text_crc32(const void *bytes, size_t len)
{
	/* Four bits at a time. */
	static const uint32_t SHIFTED[] = { 0, 0x1db71064U, 0x3b6e20c8U,
		0x26d930acU, 0x76dc4190U, 0x6b6b51f4U, 0x4db26158U, 0x5005713cU,
		0xedb88320U, 0xf00f9344U, 0xd6d6a3e8U, 0xcb61b38cU, 0x9b64c2b0U,
		0x86d3d2d4U, 0xa00ae278U, 0xbdbdf21cU };
	const unsigned char *at = bytes;
	uint32_t crc = 0xffffffffU;

	while (len-- > 0) {
		crc ^= *at++;
		crc = crc >> 4 ^ SHIFTED[crc & 15];
		crc = crc >> 4 ^ SHIFTED[crc & 15];
	}
	return ~crc;
}
