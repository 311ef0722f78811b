#include "read_api.h"

#include <stdbool.h>
#include <string.h>

#include "base/fault.h"
#include "api_body.h"
#include "import.h"
#include "input.h"

/* Bodies are kept in memory as a whole, since Namespace may come last. */
#define BODY_MOST ((size_t)8 * 1024 * 1024)

/* Each item of Data is a row. */
static int
take_items(struct api_body *body, struct fault *fault)
{
	const char *end = body->data.start + body->data.len;
	const char *at = api_skip_space(body->data.start + 1, end), *start;

	while (at < end && *at != ']') {
		start = at;
		at = api_skip_value(at, end);
		if (import_row(body->import, ROW_API, start,
			(size_t)(at - start), body->ns, body->region, fault))
			return -1;
		if (at < end && *at == ',')
			at = api_skip_space(at + 1, end);
	}
	return 0;
}

/* Whether there was something. */
static bool
note_dropped(struct api_body *body)
{
	struct fault note = { 0 };

	if (body->dropped.len == 0)
		return false;
	fault_set(&note, FAULT_NONE,
	    "dropped %s: the forwarder signs each request itself",
	    text_string(&body->dropped));
	strncpy(note.file, body->import->input->name, sizeof(note.file) - 1);
	import_note(body->import, &note);
	return true;
}

/* Behind the brackets that open at ${at}, or ${end}; nothing is checked yet. */
static const char *
skip_body(const char *at, const char *end)
{
	bool string = false;
	int depth = 0;

	for (; at < end; at++) {
		if (string && *at == '\\')
			at++;
		else if (*at == '"')
			string = !string;
		else if (!string && (*at == '[' || *at == '{'))
			depth++;
		else if (!string && (*at == ']' || *at == '}') && --depth <= 0)
			return at + 1;
	}
	return end;
}

/* The place in the body becomes that in the input. */
static void
refuse_json(const struct api_body *body, struct fault *fault)
{
	long line, column;

	json_place(
	    body->whole, (size_t)(body->bytes - body->whole), &line, &column);
	if (fault->line == 1)
		fault->column += column - 1;
	fault->line += line - 1;
	strncpy(
	    fault->file, body->import->input->name, sizeof(fault->file) - 1);
	if (fault->kind == FAULT_BAD_JSON)
		fault_hint(fault,
		    "it looks like {\"Namespace\":\"cvm\",\"Data\":[...]}; "
		    "one metric a line is -f ndjson");
}

static int
read_body(struct api_body *body, struct fault *fault)
{
	if (json_check(body->bytes, body->len, fault)) {
		refuse_json(body, fault);
		return -1;
	}
	return api_body_take(body, fault) || take_items(body, fault) ? -1 : 0;
}

/* One body after the other, as a log of requests has them. */
static int
read_bodies(
    struct import *import, const char *at, const char *end, struct fault *fault)
{
	const char *whole = at;
	bool noted = false;
	int result = 0;

	do {
		struct api_body body = {
			.import = import, .whole = whole, .bytes = at
		};

		at = skip_body(at, end);
		body.len = (size_t)(at - body.bytes);
		result = read_body(&body, fault);
		if (result == 0 && !noted)
			noted = note_dropped(&body);
		api_body_free(&body);
		at = api_skip_space(at, end);
	} while (result == 0 && at < end);
	return result;
}

int
read_api(struct import *import, struct input *input, struct fault *fault)
{
	const char *bytes;
	size_t len;
	int result;

	import->input = input;
	if (input_all(input, BODY_MOST, &bytes, &len, fault))
		return -1;
	import->whole = bytes;
	result = read_bodies(import, bytes, bytes + len, fault);
	import->whole = NULL;
	return result;
}
