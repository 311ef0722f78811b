#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "number.h"
#include "text.h"

/*
 * A strict scanner in front of cJSON, which takes more than RFC 8259 does
 * (contract.md H25).  It allocates nothing and remembers only which kind of
 * bracket each open level has.
 */
struct scan {
	const char *start, *end, *at;
	const char *wrong; /* what is wrong at ${at}, NULL: nothing */
	enum fault_kind kind;
	int depth;
};

static int scan_value(struct scan *scan);

static int
fail(struct scan *scan, const char *at, enum fault_kind kind, const char *wrong)
{
	scan->at = at;
	scan->kind = kind;
	scan->wrong = wrong;
	return -1;
}

static void
skip_space(struct scan *scan)
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
scan_unicode(struct scan *scan)
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
scan_escape(struct scan *scan)
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
static int
scan_string(struct scan *scan)
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
scan_number(struct scan *scan)
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
	if (number_read(start, len, &value) == 0)
		return 0;
	if (number_is(start, len))
		return fail(scan, start, FAULT_BAD_VALUE,
		    "a number beyond the range of a double");
	return fail(scan, start, FAULT_BAD_JSON, "a malformed number");
}

static int
scan_word(struct scan *scan)
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
scan_name(struct scan *scan)
{
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != '"')
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "a member name in double quotes is missing");
	if (scan_string(scan))
		return -1;
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != ':')
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "a colon after the member name is missing");
	scan->at++;
	return 0;
}

/* The inside of an object or array, up to ${close}. */
static int
scan_members(struct scan *scan, char close)
{
	for (;;) {
		if ((close == '}' && scan_name(scan)) || scan_value(scan))
			return -1;
		skip_space(scan);
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
scan_nested(struct scan *scan)
{
	char close = *scan->at == '{' ? '}' : ']';
	int failed;

	if (scan->depth == JSON_DEPTH)
		return fail(
		    scan, scan->at, FAULT_BAD_JSON, "nested too deeply");
	scan->depth++;
	scan->at++;
	skip_space(scan);
	if (scan->at < scan->end && *scan->at == close) {
		scan->at++;
		failed = 0;
	} else
		failed = scan_members(scan, close);
	scan->depth--;
	return failed;
}

static int
scan_value(struct scan *scan)
{
	skip_space(scan);
	if (scan->at >= scan->end)
		return fail(
		    scan, scan->at, FAULT_BAD_JSON, "a value is missing");
	if (*scan->at == '"')
		return scan_string(scan);
	if (*scan->at == '{' || *scan->at == '[')
		return scan_nested(scan);
	if (*scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9'))
		return scan_number(scan);
	return scan_word(scan);
}

static int
scan_all(struct scan *scan)
{
	ptrdiff_t bad = text_utf8_bad(
	    scan->start, (size_t)(scan->end - scan->start));

	if (bad >= 0)
		return fail(scan, scan->start + bad, FAULT_BAD_UTF8,
		    "a byte that is not valid UTF-8");
	if (scan_value(scan))
		return -1;
	skip_space(scan);
	if (scan->at < scan->end)
		return fail(scan, scan->at, FAULT_BAD_JSON,
		    "something after the value");
	return 0;
}

void
json_place(const char *bytes, size_t at, long *line, long *column)
{
	size_t i;

	*line = 1;
	*column = 1;
	for (i = 0; i < at; i++)
		if (bytes[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			++*column;
}

/* Say what is wrong, and what stands there. */
static int
report(const struct scan *scan, struct fault *fault)
{
	struct text found = { 0 };
	size_t left = (size_t)(scan->end - scan->at);

	if (fault == NULL)
		return -1;
	text_add_escaped(&found, scan->at, left < 12 ? left : 12);
	if (left == 0)
		fault_set(fault, scan->kind, "%s", scan->wrong);
	else
		fault_set(fault, scan->kind, "%s, at \"%s\"", scan->wrong,
		    text_string(&found));
	json_place(scan->start, (size_t)(scan->at - scan->start), &fault->line,
	    &fault->column);
	text_free(&found);
	return -1;
}

/* ---- duplicate members ---- */

static int
by_name(const void *left, const void *right)
{
	const cJSON *const *a = left, *const *b = right;

	return strcmp((*a)->string, (*b)->string);
}

/* The name that stands twice in ${object}, or NULL; many members are sorted,
 * so that a hostile object costs no square. */
static const char *
duplicate_in(const cJSON *object)
{
	const cJSON *member, *other, **all;
	const char *twice = NULL;
	size_t count = 0, i;

	cJSON_ArrayForEach(member, object) count++;
	if (count <= 16) {
		cJSON_ArrayForEach(member,
		    object) for (other = object->child; other != member;
				 other = other->next) if (strcmp(other->string,
							      member->string) ==
		    0) return member->string;
		return NULL;
	}
	if ((all = malloc(count * sizeof(*all))) == NULL)
		return object->child->string;
	i = 0;
	cJSON_ArrayForEach(member, object) all[i++] = member;
	qsort(all, count, sizeof(*all), by_name);
	for (i = 1; i < count && twice == NULL; i++)
		if (strcmp(all[i - 1]->string, all[i]->string) == 0)
			twice = all[i]->string;
	free(all);
	return twice;
}

/* Depth is bounded by the scanner. */
static const char *
find_duplicate(const cJSON *value)
{
	const cJSON *member;
	const char *twice = NULL;

	if (cJSON_IsObject(value))
		twice = duplicate_in(value);
	if (twice == NULL && (cJSON_IsObject(value) || cJSON_IsArray(value)))
		cJSON_ArrayForEach(member, value)
		{
			if ((twice = find_duplicate(member)) != NULL)
				break;
		}
	return twice;
}

static void
report_duplicate(const char *name, struct fault *fault)
{
	struct text shown = { 0 };

	text_add_escaped(&shown, name, strlen(name));
	fault_set(fault, FAULT_DUPLICATE_MEMBER,
	    "the member \"%.100s\" appears twice", text_string(&shown));
	fault_field(fault, text_string(&shown));
	if (fault != NULL)
		fault->line = fault->column = 1;
	text_free(&shown);
}

struct cJSON *
json_parse(const char *bytes, size_t len, struct fault *fault)
{
	struct scan scan = { .start = bytes, .end = bytes + len, .at = bytes };
	const char *twice;
	cJSON *tree;

	if (scan_all(&scan)) {
		report(&scan, fault);
		return NULL;
	}
	if ((tree = cJSON_ParseWithLength(bytes, len)) == NULL) {
		fault_set(fault, FAULT_INTERNAL, "out of memory");
		return NULL;
	}
	if ((twice = find_duplicate(tree)) != NULL) {
		report_duplicate(twice, fault);
		cJSON_Delete(tree);
		return NULL;
	}
	return tree;
}

int
json_check(const char *bytes, size_t len, struct fault *fault)
{
	cJSON *tree = json_parse(bytes, len, fault);

	if (tree == NULL)
		return -1;
	cJSON_Delete(tree);
	return 0;
}

/* ---- places ---- */

/* Whether the string at ${raw}, quotes included, means ${name}. */
static bool
means(const char *raw, size_t len, const char *name, size_t name_len)
{
	cJSON *string;
	bool same;

	if (memchr(raw, '\\', len) == NULL)
		return len - 2 == name_len &&
		    memcmp(raw + 1, name, name_len) == 0;
	if ((string = cJSON_ParseWithLength(raw, len)) == NULL)
		return false;
	same = strlen(string->valuestring) == name_len &&
	    memcmp(string->valuestring, name, name_len) == 0;
	cJSON_Delete(string);
	return same;
}

/* At { or [: move to the value of the member or index ${name}. */
static int
descend(struct scan *scan, const char *name, size_t name_len)
{
	bool object = *scan->at == '{';
	const char *start;
	size_t index = 0, wanted = SIZE_MAX;

	if (!object && name_len > 0 && name_len < 10)
		wanted = strtoul(name, NULL, 10);
	scan->at++;
	skip_space(scan);
	while (scan->at < scan->end && *scan->at != '}' && *scan->at != ']') {
		start = scan->at;
		if (object) {
			if (scan_string(scan))
				return -1;
			wanted = means(start, (size_t)(scan->at - start), name,
				     name_len)
			    ? index
			    : SIZE_MAX;
			skip_space(scan);
			scan->at++; /* the colon */
			skip_space(scan);
		}
		if (wanted == index++)
			return 0;
		if (scan_value(scan))
			return -1;
		skip_space(scan);
		if (scan->at < scan->end && *scan->at == ',')
			scan->at++;
		skip_space(scan);
	}
	return -1;
}

/* The first name of ${path}, unescaped, into ${name}. */
static size_t
take_name(const char **path, char *name, size_t size)
{
	size_t len = 0;
	const char *at = *path;

	for (; *at != '\0' && *at != '/'; at++) {
		char c = *at;

		if (c == '~' && (at[1] == '0' || at[1] == '1'))
			c = *++at == '0' ? '~' : '/';
		if (len + 1 < size)
			name[len++] = c;
	}
	name[len] = '\0';
	*path = *at == '/' ? at + 1 : at;
	return len;
}

int
json_find(
    const char *bytes, size_t len, const char *path, struct json_span *span)
{
	struct scan scan = { .start = bytes, .end = bytes + len, .at = bytes };
	char name[512];
	size_t name_len;

	skip_space(&scan);
	while (*path != '\0') {
		name_len = take_name(&path, name, sizeof(name));
		if (scan.at >= scan.end ||
		    (*scan.at != '{' && *scan.at != '[') ||
		    descend(&scan, name, name_len))
			return -1;
	}
	span->start = scan.at;
	if (scan_value(&scan))
		return -1;
	span->len = (size_t)(scan.at - span->start);
	return 0;
}
