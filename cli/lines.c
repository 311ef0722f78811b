#include "lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/span.h"
#include "base/text.h"
#include "jsonline.h"

void
lines_pending(struct text *text, const struct pending_row *row,
    const char *state, int64_t now_ms)
{
	int64_t age_ms = now_ms - row->accepted_at;

	jsonline_open(text, NULL, '{');
	jsonline_int(text, "id", row->id);
	jsonline_text(text, "namespace", row->ns);
	jsonline_text(text, "region", row->region);
	jsonline_text(text, "account", row->account);
	jsonline_text(text, "metric", row->metric);
	jsonline_raw(text, "dimensions", row->dimensions);
	jsonline_raw(text, "value", row->value);
	jsonline_text(
	    text, "state", state != NULL ? state : lane_state_name(row->state));
	jsonline_int(text, "attempts", row->attempts);
	jsonline_time(text, "accepted_at", row->accepted_at);
	jsonline_time(text, "observed_at", row->observed_at);
	jsonline_time(text, "expires_at", row->expires_at);
	jsonline_int(text, "age_seconds", age_ms > 0 ? age_ms / 1000 : 0);
	jsonline_optional(text, "origin_id", row->origin_id, -1);
}

void
lines_dead(
    struct text *text, const struct deadletter_row *row, const char *state)
{
	jsonline_open(text, NULL, '{');
	jsonline_int(text, "id", row->id);
	jsonline_text(text, "namespace", row->ns);
	jsonline_text(text, "region", row->region);
	jsonline_text(text, "account", row->account);
	jsonline_text(text, "metric", row->metric);
	jsonline_raw(text, "dimensions", row->dimensions);
	jsonline_raw(text, "value", row->value);
	if (state != NULL)
		jsonline_text(text, "state", state);
	jsonline_optional(text, "code", row->code, -1);
	jsonline_text(text, "cause", row->cause);
	jsonline_text(text, "message", row->message);
	jsonline_int(text, "attempts", row->attempts);
	jsonline_time(text, "accepted_at", row->accepted_at);
	jsonline_time(text, "died_at", row->died_at);
	jsonline_int(text, "replays", row->replays);
	jsonline_optional(text, "origin_id", row->origin_id, -1);
}

static void
add_pairs(struct text *text, const struct cJSON *object)
{
	const struct cJSON *pair;

	for (pair = object->child; pair != NULL; pair = pair->next) {
		if (pair != object->child)
			text_addc(text, ' ');
		text_add_escaped(text, pair->string, strlen(pair->string));
		text_addc(text, '=');
		if (cJSON_IsString(pair))
			text_add_escaped(
			    text, pair->valuestring, strlen(pair->valuestring));
		else
			text_addc(text, '?');
	}
}

void
lines_dimensions(struct text *text, const char *json)
{
	struct cJSON *tree = json_parse(json, strlen(json), NULL);

	if (cJSON_IsObject(tree))
		add_pairs(text, tree);
	else
		text_add_escaped(text, json, strlen(json));
	cJSON_Delete(tree);
}

/* Cells are copied at once, so two buffers in turn are more than enough. */
static struct text *
next_cell(void)
{
	static struct text cells[2];
	static unsigned turn;
	struct text *cell = &cells[turn++ % 2];

	text_clear(cell);
	return cell;
}

const char *
lines_escaped(const char *untrusted)
{
	struct text *cell = next_cell();

	text_add_escaped(cell, untrusted, strlen(untrusted));
	return text_string(cell);
}

const char *
lines_int(int64_t value)
{
	struct text *cell = next_cell();

	text_addf(cell, "%" PRId64, value);
	return text_string(cell);
}

const char *
lines_code(int64_t code, int64_t http_status)
{
	struct text *cell = next_cell();

	if (code >= 0)
		text_addf(cell, "%" PRId64, code);
	else if (http_status > 0)
		text_addf(cell, "http %" PRId64, http_status);
	else
		text_adds(cell, "none");
	return text_string(cell);
}

const char *
lines_span(int64_t ms)
{
	struct text *cell = next_cell();
	char span[SPAN_TEXT_SIZE];

	text_adds(cell, span_print_ms(span, ms > 0 ? ms : 0));
	return text_string(cell);
}

const char *
lines_dimensions_cell(const char *json)
{
	struct text *cell = next_cell();

	lines_dimensions(cell, json);
	return text_string(cell);
}
