#include "read_csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/span.h"
#include "csv_record.h"
#include "decimal.h"
#include "import.h"
#include "input.h"

struct column;
struct reader;

typedef int cell_read(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault);

struct column {
	char *name;
	cell_read *read;
};

struct reader {
	struct import *import;
	struct csv_record record;
	struct column *columns;
	size_t count;
	bool has_value; /* the row has */
};

/* ---- cells ---- */

static int
refuse(const struct reader *reader, const char *name, const char *what,
    const char *cell, const char *hint, struct fault *fault)
{
	char shown[64];

	fault_set(fault, FAULT_BAD_VALUE, "%s is not %s (\"%s\")", name, what,
	    text_shown(shown, sizeof(shown), cell, strlen(cell)));
	fault_hint(fault, "%s", hint);
	fault_field(fault, name);
	row_place(&reader->import->row, fault);
	return -1;
}

static int
read_namespace(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	(void)column;
	(void)fault;
	reader->import->row.entry.ns = cell;
	return 0;
}

static int
read_metric(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	(void)column;
	(void)fault;
	reader->import->row.entry.metric = cell;
	return 0;
}

/* Blanks around a number say nothing. */
static int
read_value(struct reader *reader, const struct column *column, const char *cell,
    struct fault *fault)
{
	const char *start = cell + strspn(cell, " \t");
	size_t len = strlen(start);

	while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t'))
		len--;
	reader->has_value = true;
	if (decimal_read(start, len, &reader->import->row.entry.value) == 0)
		return 0;
	return refuse(reader, column->name, "a number", cell,
	    "write the number alone, with a point, without a unit", fault);
}

static int
read_region(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	(void)column;
	(void)fault;
	reader->import->row.entry.region = cell;
	return 0;
}

static int
read_account(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	(void)column;
	(void)fault;
	reader->import->row.entry.account = cell;
	return 0;
}

static int
read_key(struct reader *reader, const struct column *column, const char *cell,
    struct fault *fault)
{
	(void)column;
	(void)fault;
	reader->import->row.entry.key = cell;
	return 0;
}

static int
read_observed_at(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	if (span_read_time(cell, clock_wall_ms(),
		&reader->import->row.entry.observed_at) == 0)
		return 0;
	return refuse(reader, column->name, "a time", cell,
	    "times are written 2026-11-24T10:00:00Z or @UNIX", fault);
}

static int
read_dimension(struct reader *reader, const struct column *column,
    const char *cell, struct fault *fault)
{
	struct entry_dimension *dimension = row_add_dimension(
	    &reader->import->row);

	if (dimension == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	dimension->key = column->name;
	dimension->value = cell;
	return 0;
}

/* ---- the header ---- */

static const struct {
	const char *name;
	cell_read *read;
} KNOWN[] = {
	{ "namespace", read_namespace },
	{ "metric", read_metric },
	{ "value", read_value },
	{ "region", read_region },
	{ "account", read_account },
	{ "key", read_key },
	{ "observed_at", read_observed_at },
};

static cell_read *
find_read(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++)
		if (strcmp(KNOWN[i].name, name) == 0)
			return KNOWN[i].read;
	return read_dimension;
}

static const struct column *
find_column(const struct reader *reader, const char *name)
{
	size_t i;

	for (i = 0; i < reader->count; i++)
		if (strcmp(reader->columns[i].name, name) == 0)
			return &reader->columns[i];
	return NULL;
}

/* Say of a fault where in the header it is.  Return -1. */
static int
place_in_header(const struct reader *reader, size_t at, struct fault *fault)
{
	fault_hint(fault,
	    "a header is like namespace,metric,value,ip,disk; "
	    "--csv-columns gives one to a file without");
	json_place(text_string(&reader->record.bytes),
	    csv_record_place(&reader->record, at), &fault->line,
	    &fault->column);
	return -1;
}

/* Blanks around a name are no part of it. */
static char *
copy_name(const char *cell)
{
	size_t len;

	cell += strspn(cell, " \t");
	len = strlen(cell);
	while (len > 0 && (cell[len - 1] == ' ' || cell[len - 1] == '\t'))
		len--;
	return strndup(cell, len);
}

static int
check_name(const struct reader *reader, const char *name, struct fault *fault)
{
	char shown[64];

	if (name[0] == '\0')
		return fault_set(fault, FAULT_BAD_ROW, "a column has no name");
	if (find_column(reader, name) == NULL)
		return 0;
	return fault_set(fault, FAULT_DUPLICATE_MEMBER,
	    "column \"%s\" is there twice",
	    text_shown(shown, sizeof(shown), name, strlen(name)));
}

static int
add_column(struct reader *reader, size_t i, struct fault *fault)
{
	char *name = copy_name(csv_record_cell(&reader->record, i));

	if (name == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (check_name(reader, name, fault)) {
		free(name);
		return place_in_header(reader, i, fault);
	}
	reader->columns[i].name = name;
	reader->columns[i].read = find_read(name);
	reader->count++;
	return 0;
}

static int
check_columns(const struct reader *reader, struct fault *fault)
{
	static const char *const NEEDED[] = { "metric", "value", "namespace" };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (find_column(reader, NEEDED[i]) != NULL ||
		    (i == 2 && reader->import->ns != NULL))
			continue;
		fault_set(fault, FAULT_MISSING_MEMBER,
		    "the header has no column \"%s\"", NEEDED[i]);
		place_in_header(reader, 0, fault);
		if (i == 2)
			fault_hint(fault, "add it, or give -n NAMESPACE");
		fault_field(fault, NEEDED[i]);
		return -1;
	}
	return 0;
}

static int
take_header(struct reader *reader, struct fault *fault)
{
	size_t i;

	reader->columns = calloc(
	    reader->record.count, sizeof(*reader->columns));
	if (reader->columns == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	for (i = 0; i < reader->record.count; i++)
		if (add_column(reader, i, fault))
			return -1;
	return check_columns(reader, fault);
}

/* That of the command line. */
static int
take_given_header(struct reader *reader, struct fault *fault)
{
	if (csv_record_parse(
		&reader->record, reader->import->csv_columns, fault) == 0 &&
	    take_header(reader, fault) == 0)
		return 0;
	if (fault_exit(fault->kind) == 65)
		fault->kind = FAULT_USAGE;
	fault->line = fault->column = 0;
	fault_field(fault, "csv-columns");
	return -1;
}

/* 1: there is one; 0: the input is empty; -1. */
static int
read_header(struct reader *reader, struct fault *fault)
{
	struct import *import = reader->import;
	enum csv_found found;

	if (import->csv_columns != NULL)
		return take_given_header(reader, fault) == 0 ? 1 : -1;
	found = csv_record_next(&reader->record, import, fault);
	if (found == CSV_GOOD && take_header(reader, fault) == 0)
		return 1;
	if (found == CSV_BAD || found == CSV_GOOD)
		import_place(import, fault);
	return found == CSV_END ? 0 : -1;
}

/* ---- records ---- */

/* The cell that the field of ${fault} came from, or the first. */
static void
locate(const struct row *row, struct fault *fault)
{
	const struct reader *reader = row->locator;
	const char *field = fault->field;
	size_t i;

	if (strncmp(field, "dimensions.", 11) == 0)
		field += 11;
	for (i = 0; i < reader->count; i++)
		if (strcmp(reader->columns[i].name, field) == 0)
			break;
	json_place(row->bytes,
	    csv_record_place(&reader->record, i < reader->count ? i : 0),
	    &fault->line, &fault->column);
}

static int
refuse_count(const struct reader *reader, struct fault *fault)
{
	fault_set(fault, FAULT_BAD_ROW, "%zu cells under a header of %zu",
	    reader->record.count, reader->count);
	fault_hint(fault, "a cell with a comma in it stands in quotes");
	fault->line = fault->column = 1;
	return -1;
}

static int
read_cells(struct reader *reader, struct fault *fault)
{
	const char *cell;
	size_t i;

	reader->has_value = false;
	for (i = 0; i < reader->count; i++) {
		cell = csv_record_cell(&reader->record, i);
		if (cell[0] != '\0' &&
		    reader->columns[i].read(
			reader, &reader->columns[i], cell, fault))
			return -1;
	}
	if (reader->has_value)
		return 0;
	fault_set(fault, FAULT_MISSING_MEMBER, "the value is missing");
	fault_hint(fault, "leave out rows without a value");
	fault_field(fault, "value");
	row_place(&reader->import->row, fault);
	return -1;
}

static int
read_record(struct reader *reader, struct fault *fault)
{
	struct import *import = reader->import;
	struct text *bytes = &reader->record.bytes;

	row_start(&import->row, text_string(bytes), bytes->len, locate);
	import->row.locator = reader;
	if (reader->record.count != reader->count)
		return refuse_count(reader, fault);
	if (read_cells(reader, fault) || import_check(import, fault) ||
	    import_keep(import, fault))
		return -1;
	return 0;
}

static int
read_records(struct reader *reader, struct fault *fault)
{
	struct text *bytes = &reader->record.bytes;
	enum csv_found found;
	int result;

	while ((found = csv_record_next(
		    &reader->record, reader->import, fault)) > CSV_END) {
		result = found == CSV_BAD ? -1 : read_record(reader, fault);
		if (import_record(reader->import, result, text_string(bytes),
			bytes->len, fault))
			return -1;
	}
	return found == CSV_END ? 0 : -1;
}

int
read_csv(struct import *import, struct input *input, struct fault *fault)
{
	struct reader reader = { .import = import };
	int result;
	size_t i;

	import->input = input;
	result = read_header(&reader, fault);
	if (result == 1)
		result = read_records(&reader, fault);
	import->line = 0;
	csv_record_free(&reader.record);
	for (i = 0; i < reader.count; i++)
		free(reader.columns[i].name);
	free(reader.columns);
	return result;
}
