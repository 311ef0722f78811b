#include "api_body.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "import.h"
#include "input.h"

typedef int body_member(
    struct api_body *body, const struct json_span *value, struct fault *fault);

const char *
api_skip_value(const char *at, const char *end)
{
	int depth = 0;
	bool string = false;

	for (; at < end; at++) {
		if (string) {
			if (*at == '\\')
				at++;
			else if (*at == '"')
				string = false;
		} else if (*at == '"')
			string = true;
		else if (*at == '[' || *at == '{')
			depth++;
		else if ((*at == ']' || *at == '}') && depth-- == 0)
			break;
		else if (*at == ',' && depth == 0)
			break;
	}
	return at;
}

const char *
api_skip_space(const char *at, const char *end)
{
	while (at < end && memchr(" \t\r\n", *at, 4) != NULL)
		at++;
	return at;
}

static void
place(const struct api_body *body, const char *at, struct fault *fault)
{
	json_place(body->whole, (size_t)(at - body->whole), &fault->line,
	    &fault->column);
	strncpy(
	    fault->file, body->import->input->name, sizeof(fault->file) - 1);
}

/* A member that must be a string, copied. */
static int
copy_string(const struct api_body *body, const char *name,
    const struct json_span *value, char **copy, struct fault *fault)
{
	struct cJSON *tree = json_parse(value->start, value->len, fault);

	if (tree == NULL)
		return -1;
	if (!cJSON_IsString(tree)) {
		fault_set(fault, FAULT_BAD_VALUE, "%s is not a string", name);
		fault_hint(fault, "put it in quotes");
		fault_field(fault, name);
		place(body, value->start, fault);
		return -1;
	}
	if ((*copy = strdup(tree->valuestring)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	cJSON_Delete(tree);
	return 0;
}

static int
take_namespace(
    struct api_body *body, const struct json_span *value, struct fault *fault)
{
	return copy_string(body, "Namespace", value, &body->ns, fault);
}

static int
take_region(
    struct api_body *body, const struct json_span *value, struct fault *fault)
{
	return copy_string(body, "Region", value, &body->region, fault);
}

static int
take_data(
    struct api_body *body, const struct json_span *value, struct fault *fault)
{
	if (value->start[0] != '[') {
		fault_set(fault, FAULT_BAD_VALUE, "Data is not an array");
		fault_hint(fault,
		    "write \"Data\":[{\"dimensions\":{...},"
		    "\"metricName\":\"...\",\"value\":1}]");
		fault_field(fault, "Data");
		place(body, value->start, fault);
		return -1;
	}
	body->data = *value;
	return 0;
}

/* What the forwarder makes anew for each request. */
static int
drop(struct api_body *body, const struct json_span *value, struct fault *fault)
{
	(void)body;
	(void)value;
	(void)fault;
	return 0;
}

static const struct {
	const char *name;
	body_member *take;
} MEMBERS[] = {
	{ "Namespace", take_namespace },
	{ "Region", take_region },
	{ "Data", take_data },
	{ "Action", drop },
	{ "SecretId", drop },
	{ "Signature", drop },
	{ "Timestamp", drop },
	{ "Nonce", drop },
};
#define MEMBER_COUNT (sizeof(MEMBERS) / sizeof(*MEMBERS))

/* As in NDJSON, of which one row was spread over several lines. */
static bool
is_of_row(const char *name)
{
	static const char *const NAMES[] = { "namespace", "metric",
		"dimensions", "value" };
	size_t i;

	for (i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++)
		if (strcmp(NAMES[i], name) == 0)
			return true;
	return false;
}

static int
unknown_member(const struct api_body *body, const char *name, const char *at,
    struct fault *fault)
{
	const char *known[MEMBER_COUNT], *near;
	struct text shown = { 0 };
	size_t i;

	for (i = 0; i < MEMBER_COUNT; i++)
		known[i] = MEMBERS[i].name;
	text_add_escaped(&shown, name, strlen(name));
	fault_set(fault, FAULT_UNKNOWN_MEMBER, "unknown member \"%.100s\"",
	    text_string(&shown));
	fault_field(fault, text_string(&shown));
	text_free(&shown);
	place(body, at, fault);
	near = text_nearest(name, known, MEMBER_COUNT);
	if (body->import->strict && is_of_row(name))
		fault_hint(fault,
		    "a row stands on one line (jq -c .); a body has "
		    "Namespace and Data");
	else if (body->import->strict && near != NULL)
		fault_hint(fault, "did you mean \"%s\"?", near);
	else if (body->import->strict)
		fault_hint(fault,
		    "remove it, or use --lenient to pass over "
		    "it");
	else
		import_note(body->import, fault);
	return body->import->strict ? -1 : 0;
}

static int
take_member(struct api_body *body, const char *name, const char *at,
    const struct json_span *value, struct fault *fault)
{
	size_t i;

	for (i = 0; i < MEMBER_COUNT; i++)
		if (strcmp(MEMBERS[i].name, name) == 0)
			break;
	if (i == MEMBER_COUNT)
		return unknown_member(body, name, at, fault);
	if (MEMBERS[i].take == drop)
		text_addf(&body->dropped, "%s%s",
		    body->dropped.len > 0 ? ", " : "", name);
	return MEMBERS[i].take(body, value, fault);
}

/* The name of the member at ${at}, unescaped; the caller frees the tree. */
static const char *
skip_name(const char *at, const char *end, struct cJSON **name)
{
	const char *start = at++;

	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	*name = json_parse(start, (size_t)(at + 1 - start), NULL);
	at = api_skip_space(at + 1, end);
	return api_skip_space(at + 1, end); /* the colon */
}

static int
take_members(struct api_body *body, struct fault *fault)
{
	const char *end = body->bytes + body->len;
	const char *at = api_skip_space(body->bytes, end), *name_at;
	struct json_span value;
	struct cJSON *name;
	int result;

	for (at = api_skip_space(at + 1, end); at < end && *at == '"';
	     at = api_skip_space(at, end)) {
		name_at = at;
		at = skip_name(at, end, &name);
		value.start = at;
		at = api_skip_value(at, end);
		value.len = (size_t)(at - value.start);
		if (name == NULL)
			return fault_set(
			    fault, FAULT_INTERNAL, "out of memory");
		result = take_member(
		    body, name->valuestring, name_at, &value, fault);
		cJSON_Delete(name);
		if (result != 0)
			return -1;
		if (at < end && *at == ',')
			at++;
	}
	return 0;
}

int
api_body_take(struct api_body *body, struct fault *fault)
{
	const char *at = api_skip_space(body->bytes, body->bytes + body->len);

	if (*at == '[') {
		body->data.start = at;
		body->data.len = body->len - (size_t)(at - body->bytes);
		return 0;
	}
	if (*at != '{') {
		fault_set(fault, FAULT_BAD_ROW,
		    "not a request body: neither an object nor an array");
		fault_hint(fault,
		    "it looks like {\"Namespace\":\"cvm\","
		    "\"Data\":[...]}");
		place(body, at, fault);
		return -1;
	}
	if (take_members(body, fault))
		return -1;
	if (body->data.start != NULL)
		return 0;
	fault_set(fault, FAULT_MISSING_MEMBER, "member \"Data\" is missing");
	fault_hint(fault, "one metric a line is -f ndjson");
	fault_field(fault, "Data");
	place(body, at, fault);
	return -1;
}

void
api_body_free(struct api_body *body)
{
	free(body->ns);
	free(body->region);
	text_free(&body->dropped);
}
