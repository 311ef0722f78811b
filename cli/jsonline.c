#include "jsonline.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/span.h"
#include "base/text.h"

/* The comma, and the name. */
static void
begin(struct text *text, const char *name)
{
	char last = text->len > 0 ? text->data[text->len - 1] : '{';

	if (last != '{' && last != '[')
		text_addc(text, ',');
	if (name == NULL)
		return;
	text_add_json(text, name, strlen(name));
	text_addc(text, ':');
}

void
jsonline_open(struct text *text, const char *name, char bracket)
{
	if (name != NULL || text->len > 0)
		begin(text, name);
	text_addc(text, bracket);
}

void
jsonline_close(struct text *text, char bracket)
{
	text_addc(text, bracket);
}

/* Broken UTF-8 (a damaged row) would break the whole line: it is escaped. */
void
jsonline_bytes(
    struct text *text, const char *name, const char *bytes, size_t len)
{
	struct text clean = { 0 };

	begin(text, name);
	if (text_utf8_bad(bytes, len) == -1)
		text_add_json(text, bytes, len);
	else {
		text_add_escaped(&clean, bytes, len);
		text_add_json(text, text_string(&clean), clean.len);
	}
	text_free(&clean);
}

void
jsonline_text(struct text *text, const char *name, const char *value)
{
	if (value != NULL) {
		jsonline_bytes(text, name, value, strlen(value));
		return;
	}
	begin(text, name);
	text_adds(text, "null");
}

void
jsonline_int(struct text *text, const char *name, int64_t value)
{
	begin(text, name);
	text_addf(text, "%" PRId64, value);
}

void
jsonline_optional(
    struct text *text, const char *name, int64_t value, int64_t none)
{
	if (value == none)
		jsonline_text(text, name, NULL);
	else
		jsonline_int(text, name, value);
}

void
jsonline_bool(struct text *text, const char *name, bool value)
{
	begin(text, name);
	text_adds(text, value ? "true" : "false");
}

void
jsonline_time(struct text *text, const char *name, int64_t at_ms)
{
	char at[SPAN_TEXT_SIZE];

	jsonline_text(
	    text, name, at_ms < 0 ? NULL : span_print_time(at, at_ms));
}

void
jsonline_raw(struct text *text, const char *name, const char *json)
{
	if (json_check(json, strlen(json), NULL)) {
		jsonline_text(text, name, json);
		return;
	}
	begin(text, name);
	text_adds(text, json);
}
