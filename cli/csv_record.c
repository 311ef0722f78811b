#include "csv_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "import.h"
#include "input.h"

/* Spaces belong to the cell (RFC 4180). */
static int
is_space(unsigned char c)
{
	(void)c;
	return 0;
}

/* A carriage return before the newline is taken away beforehand. */
static int
is_end(unsigned char c)
{
	return c == '\n';
}

static int
keep_offset(struct csv_record *record)
{
	size_t size = record->size > 0 ? record->size * 2 : 16;
	size_t *offsets;

	if (record->count == record->size) {
		offsets = realloc(record->offsets, size * sizeof(*offsets));
		if (offsets == NULL)
			return -1;
		record->offsets = offsets;
		record->size = size;
	}
	record->offsets[record->count++] = record->cells.len;
	return 0;
}

static void
on_cell(void *bytes, size_t len, void *cookie)
{
	struct csv_record *record = cookie;

	if (keep_offset(record)) {
		record->failed = true;
		return;
	}
	text_add(&record->cells, bytes, len);
	text_addc(&record->cells, '\0');
}

static void
on_end(int c, void *cookie)
{
	struct csv_record *record = cookie;

	(void)c;
	record->whole = true;
}

static int
start(struct csv_record *record, struct fault *fault)
{
	record->count = 0;
	record->whole = record->failed = false;
	text_clear(&record->bytes);
	text_clear(&record->cells);
	if (record->open)
		return 0;
	if (csv_init(&record->parser, CSV_STRICT) != 0)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	csv_set_space_func(&record->parser, is_space);
	csv_set_term_func(&record->parser, is_end);
	record->open = true;
	return 0;
}

/* After a fault nothing is left of the record in the parser. */
static void
stop(struct csv_record *record)
{
	if (record->open)
		csv_free(&record->parser);
	record->open = false;
}

static int
refuse(struct csv_record *record, size_t at, enum fault_kind kind,
    const char *what, const char *hint, struct fault *fault)
{
	stop(record);
	fault_set(fault, kind, "%s", what);
	fault_hint(fault, "%s", hint);
	json_place(
	    text_string(&record->bytes), at, &fault->line, &fault->column);
	return -1;
}

/* Give the parser what was added at ${start}, and the newline. */
static int
parse(struct csv_record *record, size_t begin, struct fault *fault)
{
	const char *bytes = record->bytes.data + begin;
	size_t len = record->bytes.len - begin, parsed;

	parsed = csv_parse(
	    &record->parser, bytes, len, on_cell, on_end, record);
	if (parsed == len && csv_error(&record->parser) == CSV_SUCCESS &&
	    csv_parse(&record->parser, "\n", 1, on_cell, on_end, record) == 1 &&
	    !record->failed && !record->cells.failed)
		return 0;
	if (csv_error(&record->parser) == CSV_EPARSE)
		return refuse(record, begin + parsed, FAULT_BAD_ROW,
		    "a quote in the middle of a cell",
		    "put the whole cell in quotes, and write \"\" for a quote",
		    fault);
	stop(record);
	return fault_set(fault, FAULT_INTERNAL, "out of memory");
}

static int
add_line(struct csv_record *record, const char *line, size_t len,
    struct fault *fault)
{
	size_t begin;
	const char *zero;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (record->bytes.len > 0)
		text_addc(&record->bytes, '\n');
	begin = record->bytes.len;
	text_add(&record->bytes, line, len);
	if (record->bytes.failed || text_reserve(&record->bytes, 1))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (record->bytes.len > INPUT_LINE)
		return refuse(record, 0, FAULT_TOO_LONG,
		    "the record is over 1 MiB",
		    "is a quote left open somewhere?", fault);
	zero = memchr(record->bytes.data + begin, '\0', len);
	if (zero != NULL)
		return refuse(record, (size_t)(zero - record->bytes.data),
		    FAULT_BAD_VALUE, "the record has a NUL byte",
		    "remove it: the receiver takes plain text only", fault);
	return parse(record, begin, fault);
}

/* The record goes on over more lines; a line that is too long is part of it. */
static enum csv_found
go_on(struct csv_record *record, struct input *input, struct fault *fault)
{
	const char *line;
	size_t len;
	int taken;

	while (!record->whole) {
		taken = input_line(input, &line, &len, fault);
		if (taken == -1 && fault->kind == FAULT_TOO_LONG) {
			stop(record);
			fault->line = 0;
			return input_skip_line(input, fault) ? CSV_FAILED
							     : CSV_BAD;
		}
		if (taken == -1)
			return CSV_FAILED;
		if (taken == 0) {
			refuse(record, 0, FAULT_BAD_ROW,
			    "a cell's closing quote is missing",
			    "close it; a quote inside is written \"\"", fault);
			return CSV_BAD;
		}
		if (add_line(record, line, len, fault))
			return CSV_BAD;
	}
	return CSV_GOOD;
}

enum csv_found
csv_record_next(
    struct csv_record *record, struct import *import, struct fault *fault)
{
	const char *line;
	size_t len;
	int taken;

	import->line = 0;
	if (start(record, fault))
		return CSV_FAILED;
	do
		taken = import_line(import, &line, &len, fault);
	while (taken == 1 && input_is_blank(line, len));
	if (taken != 1)
		return taken == 0 ? CSV_END : CSV_FAILED;
	import->line = import->input->line;
	if (add_line(record, line, len, fault))
		return CSV_BAD;
	return go_on(record, import->input, fault);
}

int
csv_record_parse(
    struct csv_record *record, const char *line, struct fault *fault)
{
	if (start(record, fault) || add_line(record, line, strlen(line), fault))
		return -1;
	if (record->whole)
		return 0;
	return refuse(record, 0, FAULT_BAD_ROW,
	    "a cell's closing quote is missing", "close it", fault);
}

void
csv_record_free(struct csv_record *record)
{
	stop(record);
	free(record->offsets);
	text_free(&record->bytes);
	text_free(&record->cells);
}

const char *
csv_record_cell(const struct csv_record *record, size_t i)
{
	return record->cells.data + record->offsets[i];
}

size_t
csv_record_place(const struct csv_record *record, size_t i)
{
	const char *bytes = text_string(&record->bytes);
	bool quoted = false;
	size_t at;

	for (at = 0; i > 0 && at < record->bytes.len; at++) {
		if (bytes[at] == '"')
			quoted = !quoted;
		else if (bytes[at] == ',' && !quoted)
			i--;
	}
	return at;
}
