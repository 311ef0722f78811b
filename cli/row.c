#include "row.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/span.h"
#include "arena.h"
#include "row_dimensions.h"

typedef int member_read(
    struct row *row, const struct cJSON *member, struct fault *fault);

/* A member that is known in some forms. */
struct member {
	const char *name;
	unsigned forms;
	member_read *read;
};

static int
read_string(const struct row *row, const struct cJSON *member,
    const char **string, struct fault *fault)
{
	if (!cJSON_IsString(member))
		return row_refuse(
		    row, member->string, member->string, "a string", fault);
	*string = member->valuestring;
	return 0;
}

static int
read_namespace(struct row *row, const struct cJSON *member, struct fault *fault)
{
	return read_string(row, member, &row->entry.ns, fault);
}

static int
read_metric(struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (row->entry.metric != NULL) {
		fault_set(fault, FAULT_DUPLICATE_MEMBER,
		    "metric and metricName are both given");
		fault_hint(fault, "give one of them");
		fault_field(fault, member->string);
		return -1;
	}
	return read_string(row, member, &row->entry.metric, fault);
}

static int
read_value(struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (!cJSON_IsNumber(member)) {
		row_refuse(row, "value", member->string, "a number", fault);
		fault_hint(fault,
		    "write the number alone, without quotes or "
		    "unit");
		return -1;
	}
	row->entry.value = member->valuedouble;
	row->has_value = true;
	return 0;
}

static int
read_region(struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (cJSON_IsNull(member))
		return 0;
	return read_string(row, member, &row->entry.region, fault);
}

static int
read_account(struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (cJSON_IsNull(member))
		return 0;
	return read_string(row, member, &row->entry.account, fault);
}

static int
read_key(struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (cJSON_IsNull(member))
		return 0;
	return read_string(row, member, &row->entry.key, fault);
}

static int
read_observed_at(
    struct row *row, const struct cJSON *member, struct fault *fault)
{
	if (cJSON_IsNull(member))
		return 0;
	if (cJSON_IsString(member) &&
	    span_read_time(member->valuestring, clock_wall_ms(),
		&row->entry.observed_at) == 0)
		return 0;
	row_refuse(row, "observed_at", member->string, "a time", fault);
	fault_hint(fault, "times are written \"2026-11-24T10:00:00Z\"");
	return -1;
}

static int
read_max_age(struct row *row, const struct cJSON *member, struct fault *fault)
{
	struct json_span span;
	char digits[24];

	if (cJSON_IsNull(member))
		return 0;
	if (cJSON_IsString(member) &&
	    span_read_ms(member->valuestring, &row->entry.max_age_ms) == 0)
		return 0;
	if (cJSON_IsNumber(member) &&
	    json_find(row->bytes, row->len, "max_age", &span) == 0 &&
	    span.len < sizeof(digits)) {
		memcpy(digits, span.start, span.len);
		digits[span.len] = '\0';
		if (span_read_ms(digits, &row->entry.max_age_ms) == 0)
			return 0;
	}
	row_refuse(row, "max_age", member->string, "a duration", fault);
	fault_hint(fault, "durations are whole seconds, or \"10m\", \"1h30m\"");
	return -1;
}

static int
read_nothing(struct row *row, const struct cJSON *member, struct fault *fault)
{
	(void)row;
	(void)member;
	(void)fault;
	return 0;
}

/* Those that every row has come first.  What only an export carries is
 * known, and says nothing to put. */
static const struct member MEMBERS[] = {
	{ "namespace", ROW_NDJSON, read_namespace },
	{ "metric", ROW_NDJSON, read_metric },
	{ "metricName", ROW_NDJSON | ROW_API, read_metric },
	{ "dimensions", ROW_NDJSON | ROW_API, row_read_dimensions },
	{ "value", ROW_NDJSON | ROW_API, read_value },
	{ "region", ROW_NDJSON, read_region },
	{ "account", ROW_NDJSON, read_account },
	{ "key", ROW_NDJSON, read_key },
	{ "observed_at", ROW_NDJSON, read_observed_at },
	{ "max_age", ROW_NDJSON, read_max_age },
	{ "id", ROW_NDJSON, read_nothing },
	{ "code", ROW_NDJSON, read_nothing },
	{ "cause", ROW_NDJSON, read_nothing },
	{ "message", ROW_NDJSON, read_nothing },
	{ "attempts", ROW_NDJSON, read_nothing },
	{ "accepted_at", ROW_NDJSON, read_nothing },
	{ "died_at", ROW_NDJSON, read_nothing },
	{ "replays", ROW_NDJSON, read_nothing },
	{ "origin_id", ROW_NDJSON, read_nothing },
};
#define MEMBER_COUNT (sizeof(MEMBERS) / sizeof(*MEMBERS))

static int
unknown_member(const struct row *row, enum row_form form, const char *name,
    struct fault *fault)
{
	const char *known[MEMBER_COUNT] = { NULL };
	const char *near;
	struct text shown = { 0 };
	size_t i;

	for (i = 0; i < MEMBER_COUNT; i++)
		if (MEMBERS[i].forms & form && MEMBERS[i].read != read_nothing)
			known[i] = MEMBERS[i].name;
	text_add_escaped(&shown, name, strlen(name));
	fault_set(fault, FAULT_UNKNOWN_MEMBER, "unknown member \"%.100s\"",
	    text_string(&shown));
	fault_field(fault, text_string(&shown));
	text_free(&shown);
	near = text_nearest(name, known, MEMBER_COUNT);
	if (near != NULL)
		fault_hint(fault, "did you mean \"%s\"?", near);
	else
		fault_hint(fault,
		    "remove it, or use --lenient to pass over "
		    "it");
	if (!row->lenient)
		return -1;
	fault->hint[0] = '\0';
	row_place(row, fault);
	row->note(row->cookie, fault);
	return 0;
}

static int
read_member(struct row *row, enum row_form form, const struct cJSON *member,
    struct fault *fault)
{
	size_t i;

	for (i = 0; i < MEMBER_COUNT; i++)
		if (MEMBERS[i].forms & form &&
		    strcmp(MEMBERS[i].name, member->string) == 0)
			return MEMBERS[i].read(row, member, fault);
	return unknown_member(row, form, member->string, fault);
}

static int
missing(const char *name, struct fault *fault)
{
	fault_set(
	    fault, FAULT_MISSING_MEMBER, "member \"%s\" is missing", name);
	fault_hint(fault,
	    "a row looks like {\"namespace\":\"cvm\","
	    "\"metric\":\"diskusage\",\"dimensions\":{\"ip\":"
	    "\"10.0.0.1\"},\"value\":30}");
	fault_field(fault, name);
	return -1;
}

static int
read_members(struct row *row, enum row_form form, struct fault *fault)
{
	const struct cJSON *member;

	if (!cJSON_IsObject(row->tree)) {
		fault_set(fault, FAULT_BAD_ROW, "a row is a JSON object");
		fault_hint(fault,
		    "one object a line: {\"namespace\":\"cvm\","
		    "...}");
		return -1;
	}
	for (member = row->tree->child; member != NULL; member = member->next)
		if (read_member(row, form, member, fault))
			return -1;
	if (row->entry.metric == NULL)
		return missing(
		    form == ROW_API ? "metricName" : "metric", fault);
	if (!row->has_dimensions)
		return missing("dimensions", fault);
	if (!row->has_value)
		return missing("value", fault);
	return 0;
}

void
row_start(struct row *row, const char *bytes, size_t len, row_locate *locate)
{
	if (row->tree != NULL)
		cJSON_Delete(row->tree);
	row->tree = NULL;
	arena_reset();
	text_clear(&row->quoted);
	row->entry = (struct entry){ .observed_at = -1, .max_age_ms = -1 };
	row->has_value = row->has_dimensions = false;
	row->bytes = bytes;
	row->len = len;
	row->locate = locate;
}

/* Where ${field} stands: under its own name, or that of the other form. */
static int
find_field(const struct row *row, const char *field, struct json_span *span)
{
	struct text path = { 0 };
	int found;

	if (strncmp(field, "dimensions.", 11) == 0) {
		row_dimension_path(&path, field + 11);
		found = json_find(
		    row->bytes, row->len, text_string(&path), span);
		text_free(&path);
		if (found != 0)
			found = json_find(
			    row->bytes, row->len, "dimensions", span);
		return found;
	}
	if (strcmp(field, "metric") == 0 &&
	    json_find(row->bytes, row->len, "metricName", span) == 0)
		return 0;
	return json_find(row->bytes, row->len, field, span);
}

static void
locate_member(const struct row *row, struct fault *fault)
{
	struct json_span span = { row->bytes, 0 };

	if (fault->field[0] != '\0')
		(void)find_field(row, fault->field, &span);
	json_place(row->bytes, (size_t)(span.start - row->bytes), &fault->line,
	    &fault->column);
}

int
row_parse(struct row *row, enum row_form form, const char *bytes, size_t len,
    struct fault *fault)
{
	row_start(row, bytes, len, locate_member);
	row->tree = json_parse(bytes, len, fault);
	if (row->tree == NULL && arena_exhausted()) {
		fault_set(fault, FAULT_TOO_LARGE, "too many values in one row");
		fault_hint(fault, "a row is one object with one value");
		return -1;
	}
	if (row->tree == NULL)
		return -1;
	if (read_members(row, form, fault)) {
		row_place(row, fault);
		return -1;
	}
	return 0;
}

void
row_place(const struct row *row, struct fault *fault)
{
	row->locate(row, fault);
}

void
row_free(struct row *row)
{
	if (row->tree != NULL)
		cJSON_Delete(row->tree);
	free(row->dimensions);
	text_free(&row->quoted);
	*row = (struct row){ 0 };
}
