#include "json.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "json_scan.h"
#include "number.h"
#include "text.h"

#define FEW_MEMBERS 16 /* as many are compared in pairs */
#define EXCERPT 12     /* bytes shown of what is wrong */

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

/* How many of the ${left} bytes at ${at} to show: up to the end of the line,
 * and whole characters. */
static size_t
excerpt(const char *at, size_t left)
{
	size_t len = 1;

	while (len < left && at[len] != '\n' && at[len] != '\r' &&
	    (len < EXCERPT || ((unsigned char)at[len] & 0xc0) == 0x80))
		len++;
	return len;
}

/* Say what is wrong, and what stands there. */
static int
report(const struct json_scan *scan, struct fault *fault)
{
	char shown[128];
	size_t left = (size_t)(scan->end - scan->at);

	if (fault == NULL)
		return -1;
	if (left == 0)
		fault_set(fault, scan->kind, "%s", scan->wrong);
	else
		fault_set(fault, scan->kind, "%s, at \"%s\"", scan->wrong,
		    text_shown(shown, sizeof(shown), scan->at,
			excerpt(scan->at, left)));
	json_place(scan->start, (size_t)(scan->at - scan->start), &fault->line,
	    &fault->column);
	return -1;
}

/* ---- duplicate members ---- */

/* What a search for a name that stands twice in an object found. */
struct search {
	const char *twice; /* owned by the tree */
	bool failed;       /* out of memory */
};

static int
by_name(const void *left, const void *right)
{
	const cJSON *const *a = left, *const *b = right;

	return strcmp((*a)->string, (*b)->string);
}

static void
search_pairs(const cJSON *object, struct search *search)
{
	const cJSON *member, *other;

	for (member = object->child; member != NULL; member = member->next)
		for (other = object->child; other != member;
		     other = other->next)
			if (strcmp(other->string, member->string) == 0)
				search->twice = member->string;
}

/* A hostile object shall not cost the square of its members. */
static void
search_sorted(const cJSON *object, size_t count, struct search *search)
{
	const cJSON *member, **all;
	size_t i = 0;

	if ((all = malloc(count * sizeof(*all))) == NULL) {
		search->failed = true;
		return;
	}
	for (member = object->child; member != NULL; member = member->next)
		all[i++] = member;
	qsort(all, count, sizeof(*all), by_name);
	for (i = 1; i < count && search->twice == NULL; i++)
		if (by_name(&all[i - 1], &all[i]) == 0)
			search->twice = all[i]->string;
	free(all);
}

/* Depth is bounded by the scanner. */
static void
search_all(const cJSON *value, struct search *search)
{
	const cJSON *member;
	size_t count = 0;

	for (member = value->child; member != NULL; member = member->next)
		count++;
	if (cJSON_IsObject(value) && count <= FEW_MEMBERS)
		search_pairs(value, search);
	else if (cJSON_IsObject(value))
		search_sorted(value, count, search);
	for (member = value->child;
	     member != NULL && search->twice == NULL && !search->failed;
	     member = member->next)
		if (member->child != NULL)
			search_all(member, search);
}

/* Where ${name} was met at each level. */
struct twice {
	const char *name;
	const char *met_in[JSON_DEPTH]; /* the object's bracket, or NULL */
};

static int
stop_at_second(struct json_scan *scan, struct json_span name)
{
	struct twice *twice = scan->cookie;
	const char **met_in = &twice->met_in[scan->depth - 1];
	const char *object = scan->opened[scan->depth - 1];

	if (!json_name_is(name, twice->name, strlen(twice->name)))
		return 0;
	if (*met_in == object) {
		scan->at = name.start;
		return -1;
	}
	*met_in = object;
	return 0;
}

static void
report_duplicate(
    const char *bytes, size_t len, const char *name, struct fault *fault)
{
	struct twice twice = { .name = name };
	struct json_scan scan;
	char shown[100];

	if (fault == NULL)
		return;
	text_shown(shown, sizeof(shown), name, strlen(name));
	fault_set(fault, FAULT_DUPLICATE_MEMBER,
	    "the member \"%s\" appears twice", shown);
	fault_field(fault, name);
	json_scan_start(&scan, bytes, len);
	scan.on_name = stop_at_second;
	scan.cookie = &twice;
	(void)json_scan_value(&scan);
	json_place(
	    bytes, (size_t)(scan.at - bytes), &fault->line, &fault->column);
}

/* ---- the tree ---- */

/* Put the shortest text of a number that cJSON would cut, and white space, in
 * the place of the number; ${cookie} is the text, in a copy. */
static void
shorten(struct json_scan *scan, struct json_span number)
{
	char *copy = scan->cookie, text[NUMBER_TEXT_SIZE];
	size_t len;
	double value;

	if (number.len <= JSON_NUMBER_MOST ||
	    number_read(number.start, number.len, &value))
		return;
	copy += number.start - scan->start;
	len = number_print(text, value);
	memset(copy, ' ', number.len);
	memcpy(copy, text, len);
}

static cJSON *
parse_shortened(const char *bytes, size_t len)
{
	struct json_scan scan;
	cJSON *tree;
	char *copy;

	if ((copy = malloc(len)) == NULL)
		return NULL;
	memcpy(copy, bytes, len);
	json_scan_start(&scan, bytes, len);
	scan.on_number = shorten;
	scan.cookie = copy;
	(void)json_scan_value(&scan);
	tree = cJSON_ParseWithLength(copy, len);
	free(copy);
	return tree;
}

struct cJSON *
json_parse(const char *bytes, size_t len, struct fault *fault)
{
	struct search search = { 0 };
	struct json_scan scan;
	cJSON *tree;

	json_scan_start(&scan, bytes, len);
	if (json_scan_all(&scan)) {
		report(&scan, fault);
		return NULL;
	}
	tree = scan.long_number ? parse_shortened(bytes, len)
				: cJSON_ParseWithLength(bytes, len);
	if (tree != NULL)
		search_all(tree, &search);
	if (tree == NULL || search.failed)
		fault_set(fault, FAULT_INTERNAL, "out of memory");
	else if (search.twice != NULL)
		report_duplicate(bytes, len, search.twice, fault);
	else
		return tree;
	cJSON_Delete(tree);
	return NULL;
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
