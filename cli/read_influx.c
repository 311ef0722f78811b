#include "read_influx.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "decimal.h"
#include "import.h"
#include "influx_map.h"
#include "input.h"
#include "scan.h"

#define NS_A_MS 1000000
/* Before the year 2000: nobody counts nanoseconds there. */
#define EARLIEST_MS INT64_C(946684800000)

static const char EXAMPLE[] = "a line is MEASUREMENT,TAG=VALUE FIELD=NUMBER "
			      "[NANOSECONDS]";

/* A field, one row. */
struct field {
	const char *name, *place;
	double value;
};

/* Lines while they are read. */
struct reader {
	struct import *import;
	struct scan scan;
	const char *map, *measurement;
	struct text metric;
	struct field *fields;
	size_t count, size;
	bool noted; /* that times look like seconds */
};

/* ---- one field ---- */

static bool
is_digits(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len > 0;
}

/* "5i" is an integer and "5u" one without a sign. */
static int
read_number(const char *text, double *value)
{
	size_t len = strlen(text);
	char last = len > 0 ? text[len - 1] : '\0';
	size_t sign = last == 'i' && text[0] == '-' ? 1 : 0;

	if (last != 'i' && last != 'u')
		return decimal_read(text, len, value);
	len--;
	if (len <= sign || !is_digits(text + sign, len - sign))
		return -1;
	return decimal_read(text, len, value);
}

static int
read_boolean(const char *text, double *value)
{
	static const struct {
		const char *word;
		double value;
	} WORDS[] = {
		{ "t", 1 },
		{ "T", 1 },
		{ "true", 1 },
		{ "True", 1 },
		{ "TRUE", 1 },
		{ "f", 0 },
		{ "F", 0 },
		{ "false", 0 },
		{ "False", 0 },
		{ "FALSE", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		if (strcmp(WORDS[i].word, text) != 0)
			continue;
		*value = WORDS[i].value;
		return 0;
	}
	return -1;
}

static int
refuse_text(
    const struct scan *scan, const struct field *field, struct fault *fault)
{
	char shown[64];

	fault_set(fault, FAULT_BAD_VALUE, "field \"%s\" is text, not a number",
	    text_shown(shown, sizeof(shown), field->name, strlen(field->name)));
	fault_hint(
	    fault, "only numbers and booleans can be sent: leave it out");
	fault_field(fault, "value");
	scan_set_place(scan, field->place, fault);
	return -1;
}

static struct field *
add_field(struct reader *reader)
{
	size_t size = reader->size > 0 ? reader->size * 2 : 16;
	struct field *fields;

	if (reader->count == reader->size) {
		fields = realloc(reader->fields, size * sizeof(*fields));
		if (fields == NULL)
			return NULL;
		reader->fields = fields;
		reader->size = size;
	}
	return &reader->fields[reader->count++];
}

static int
read_field(struct reader *reader, struct fault *fault)
{
	struct scan *scan = &reader->scan;
	const char *place = scan->at, *value;
	struct field *field;

	if ((field = add_field(reader)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	field->name = scan_take(scan, "=, ", "=, ");
	if (field->name[0] == '\0' || !scan_skip(scan, '='))
		return scan_refuse(
		    scan, place, "a field is NAME=NUMBER", EXAMPLE, fault);
	field->place = scan->value = scan->at;
	if (scan_skip(scan, '"'))
		return refuse_text(scan, field, fault);
	value = scan_take(scan, ", \t\r", "");
	if (read_number(value, &field->value) == 0 ||
	    read_boolean(value, &field->value) == 0)
		return 0;
	return scan_refuse_value(scan, value,
	    "numbers are written 1.5, 5i or 5u, booleans true or false", fault);
}

/* ---- the parts of a line ---- */

static int
read_tags(struct scan *scan, struct row *row, struct fault *fault)
{
	const char *place, *key, *value;

	while (scan_skip(scan, ',')) {
		place = scan->at;
		key = scan_take(scan, "=, ", "=, ");
		if (key[0] == '\0' || !scan_skip(scan, '='))
			return scan_refuse(
			    scan, place, "a tag is NAME=VALUE", EXAMPLE, fault);
		value = scan_take(scan, "=, ", "=, ");
		if (value[0] == '\0' ||
		    (!scan_at_end(scan) && *scan->at == '='))
			return scan_refuse(scan, place,
			    value[0] == '\0' ? "a tag has no value"
					     : "a tag has two '='",
			    EXAMPLE, fault);
		if (scan_add_dimension(scan, row, place, key, value, fault))
			return -1;
	}
	return 0;
}

static int
read_fields(struct reader *reader, struct fault *fault)
{
	struct scan *scan = &reader->scan;

	reader->count = 0;
	if (!scan_skip(scan, ' '))
		return scan_refuse(
		    scan, scan->at, "the line has no fields", EXAMPLE, fault);
	scan_skip_blanks(scan);
	do
		if (read_field(reader, fault))
			return -1;
	while (scan_skip(scan, ','));
	return 0;
}

/* Seconds or milliseconds taken for nanoseconds are easily overlooked. */
static void
note_early(struct reader *reader)
{
	struct import *import = reader->import;
	struct fault note = { 0 };

	if (reader->noted || import->row.entry.observed_at >= EARLIEST_MS)
		return;
	reader->noted = true;
	fault_set(&note, FAULT_NONE,
	    "times are taken as nanoseconds, and lie before the year 2000");
	scan_set_place(&reader->scan, reader->scan.time, &note);
	import_note(import, &note);
}

static int
read_time(struct reader *reader, struct fault *fault)
{
	struct scan *scan = &reader->scan;
	const char *time;
	int64_t ns;

	scan_skip_blanks(scan);
	if (scan_at_end(scan))
		return 0;
	scan->time = scan->at;
	time = scan_take(scan, " \t\r", "");
	scan_skip_blanks(scan);
	if (number_read_whole(time, 0, INT64_MAX, &ns) || !scan_at_end(scan))
		return scan_refuse(scan, scan->time,
		    "behind the fields there may be a time in nanoseconds",
		    EXAMPLE, fault);
	reader->import->row.entry.observed_at = ns / NS_A_MS;
	note_early(reader);
	return 0;
}

static int
read_parts(struct reader *reader, struct fault *fault)
{
	struct scan *scan = &reader->scan;
	struct row *row = &reader->import->row;

	scan_skip_blanks(scan);
	reader->measurement = scan_take(scan, ", ", ", ");
	if (reader->measurement[0] == '\0')
		return scan_refuse(scan, scan->at, "the measurement is missing",
		    EXAMPLE, fault);
	return read_tags(scan, row, fault) || read_fields(reader, fault) ||
		read_time(reader, fault)
	    ? -1
	    : 0;
}

/* ---- lines ---- */

static void
set_field(struct reader *reader, const struct field *field)
{
	struct entry *entry = &reader->import->row.entry;

	influx_map_apply(
	    reader->map, reader->measurement, field->name, &reader->metric);
	entry->metric = text_string(&reader->metric);
	entry->value = field->value;
	entry->key = NULL; /* a prefix gives each row its own */
	reader->scan.value = field->place;
}

/* All fields are checked before any is kept: a line is taken whole. */
static int
take_fields(struct reader *reader, struct fault *fault)
{
	struct import *import = reader->import;
	size_t i;

	for (i = 0; i < reader->count; i++) {
		set_field(reader, &reader->fields[i]);
		if (import_check(import, fault))
			return -1;
	}
	for (i = 0; i < reader->count; i++) {
		if (reader->count > 1) {
			set_field(reader, &reader->fields[i]);
			if (import_render(import, fault))
				return -1;
		}
		if (import_keep(import, fault))
			return -1;
	}
	return 0;
}

static int
read_line(
    struct reader *reader, const char *line, size_t len, struct fault *fault)
{
	if (scan_start(&reader->scan, &reader->import->row, line, len, fault) ||
	    read_parts(reader, fault))
		return -1;
	return take_fields(reader, fault);
}

static int
read_lines(struct reader *reader, struct fault *fault)
{
	struct import *import = reader->import;
	const char *line;
	size_t len;
	int taken, result;

	while ((taken = import_line(import, &line, &len, fault)) == 1) {
		if (input_is_blank(line, len) || *line == '#')
			continue;
		result = read_line(reader, line, len, fault);
		if (import_record(import, result, line, len, fault))
			return -1;
	}
	return taken;
}

int
read_influx(struct import *import, struct input *input, struct fault *fault)
{
	struct reader reader = { .import = import,
		.map = import->map != NULL ? import->map : INFLUX_MAP };
	int result;

	import->input = input;
	result = read_lines(&reader, fault);
	scan_free(&reader.scan);
	text_free(&reader.metric);
	free(reader.fields);
	return result;
}
