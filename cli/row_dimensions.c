#include "row_dimensions.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "row.h"

static int
no_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_INTERNAL, "out of memory");
}

int
row_refuse(const struct row *row, const char *field, const char *path,
    const char *what, struct fault *fault)
{
	struct text shown = { 0 };
	struct json_span span = { "", 0 };

	(void)json_find(row->bytes, row->len, path, &span);
	text_add_escaped(&shown, span.start, span.len < 60 ? span.len : 60);
	fault_set(fault, FAULT_BAD_VALUE, "%.40s is not %s (%.100s%s)", field,
	    what, text_string(&shown), span.len < 60 ? "" : "...");
	fault_field(fault, field);
	text_free(&shown);
	return -1;
}

struct entry_dimension *
row_add_dimension(struct row *row)
{
	struct entry_dimension *dimensions;
	size_t size;

	if (row->entry.dimension_count == row->dimension_size) {
		size = row->dimension_size > 0 ? row->dimension_size * 2 : 16;
		dimensions = realloc(
		    row->dimensions, size * sizeof(*dimensions));
		if (dimensions == NULL)
			return NULL;
		row->dimensions = dimensions;
		row->dimension_size = size;
	}
	row->entry.dimensions = row->dimensions;
	return &row->dimensions[row->entry.dimension_count++];
}

void
row_dimension_path(struct text *path, const char *key)
{
	text_adds(path, "dimensions/");
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/')
			text_adds(path, *key == '~' ? "~0" : "~1");
		else
			text_addc(path, *key);
	}
}

/* "dimensions.KEY" as a field, cut to fit. */
static void
dimension_field(char *field, size_t size, const char *key)
{
	struct text text = { 0 };

	text_adds(&text, "dimensions.");
	text_add_escaped(&text, key, strlen(key));
	strncpy(field, text_string(&text), size - 1);
	field[size - 1] = '\0';
	text_free(&text);
}

/* A number in place of a string: strict refuses it, lenient quotes the digits as they
 * were written.  The address of the copy is set by settle_quoted(). */
static int
quote_number(
    struct row *row, const char *field, const char *path, struct fault *fault)
{
	struct json_span span;
	struct fault note = { 0 };

	row_refuse(row, field, path, "a string", fault);
	fault_hint(fault, "put it in quotes, or use --lenient");
	if (!row->lenient || json_find(row->bytes, row->len, path, &span))
		return -1;
	note = *fault;
	note.hint[0] = '\0';
	row_place(row, &note);
	row->note(row->cookie, &note);
	text_add(&row->quoted, span.start, span.len);
	text_addc(&row->quoted, '\0');
	return row->quoted.failed ? no_memory(fault) : 0;
}

/* A dimension whose value is not a string. */
static int
read_odd_dimension(
    struct row *row, const struct cJSON *pair, struct fault *fault)
{
	char field[sizeof(fault->field)];
	struct text path = { 0 };
	int result;

	dimension_field(field, sizeof(field), pair->string);
	row_dimension_path(&path, pair->string);
	if (cJSON_IsNumber(pair))
		result = quote_number(row, field, text_string(&path), fault);
	else {
		result = row_refuse(
		    row, field, text_string(&path), "a string", fault);
		fault_hint(fault, "dimension values are strings");
	}
	text_free(&path);
	return result;
}

/* Values that were quoted are NULL until now, since the text they lie in may move. */
static void
settle_quoted(struct row *row)
{
	const char *at = text_string(&row->quoted);
	size_t i;

	for (i = 0; i < row->entry.dimension_count; i++) {
		if (row->dimensions[i].value != NULL)
			continue;
		row->dimensions[i].value = at;
		at += strlen(at) + 1;
	}
}

int
row_read_dimensions(
    struct row *row, const struct cJSON *member, struct fault *fault)
{
	const struct cJSON *pair;
	struct entry_dimension *dimension;

	if (!cJSON_IsObject(member)) {
		row_refuse(
		    row, "dimensions", member->string, "an object", fault);
		fault_hint(fault, "write \"dimensions\":{\"KEY\":\"VALUE\"}");
		return -1;
	}
	row->has_dimensions = true;
	for (pair = member->child; pair != NULL; pair = pair->next) {
		if ((dimension = row_add_dimension(row)) == NULL)
			return no_memory(fault);
		dimension->key = pair->string;
		dimension->value = pair->valuestring;
		if (!cJSON_IsString(pair)) {
			dimension->value = NULL;
			if (read_odd_dimension(row, pair, fault))
				return -1;
		}
	}
	settle_quoted(row);
	return 0;
}
