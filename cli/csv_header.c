#include "csv_header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/span.h"
#include "decimal.h"
#include "import.h"

/* ---- cells ---- */

static int
refuse(const struct csv_reader *reader, const char *name, const char *what,
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

/* A text of the row, as it is. */
static int
read_text(struct csv_reader *reader, const struct csv_column *column,
    const char *cell, struct fault *fault)
{
	char *entry = (char *)&reader->import->row.entry;

	(void)fault;
	*(const char **)(entry + column->offset) = cell;
	return 0;
}

/* Blanks around a number say nothing. */
static int
read_value(struct csv_reader *reader, const struct csv_column *column,
    const char *cell, struct fault *fault)
{
	const char *start = cell + strspn(cell, " \t");
	size_t len = strlen(start);

	while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t'))
		len--;
	reader->has_value = true;
	(void)column;
	if (decimal_read(start, len, &reader->import->row.entry.value) == 0)
		return 0;
	decimal_refuse(start, len, fault);
	fault_hint(
	    fault, "write the number alone, with a point, without a unit");
	row_place(&reader->import->row, fault);
	return -1;
}

static int
read_observed_at(struct csv_reader *reader, const struct csv_column *column,
    const char *cell, struct fault *fault)
{
	if (span_read_time(cell, clock_wall_ms(),
		&reader->import->row.entry.observed_at) == 0)
		return 0;
	return refuse(reader, column->name, "a time", cell,
	    "times are written 2026-11-24T10:00:00Z or @UNIX", fault);
}

static int
read_dimension(struct csv_reader *reader, const struct csv_column *column,
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

#define TEXT(member) read_text, offsetof(struct entry, member)
static const struct {
	const char *name;
	csv_cell_read *read;
	size_t offset;
} KNOWN[] = {
	{ "namespace", TEXT(ns) },
	{ "metric", TEXT(metric) },
	{ "value", read_value, 0 },
	{ "region", TEXT(region) },
	{ "account", TEXT(account) },
	{ "key", TEXT(key) },
	{ "observed_at", read_observed_at, 0 },
};

/* What is not known is a dimension. */
static void
name_column(struct csv_column *column, char *name)
{
	size_t i;

	column->name = name;
	column->read = read_dimension;
	for (i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++) {
		if (strcmp(KNOWN[i].name, name) != 0)
			continue;
		column->read = KNOWN[i].read;
		column->offset = KNOWN[i].offset;
	}
}

static const struct csv_column *
find_column(const struct csv_reader *reader, const char *name)
{
	size_t i;

	for (i = 0; i < reader->count; i++)
		if (strcmp(reader->columns[i].name, name) == 0)
			return &reader->columns[i];
	return NULL;
}

/* Say of a fault where in the header it is.  Return -1. */
static int
place_in_header(const struct csv_reader *reader, size_t at, struct fault *fault)
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
check_name(
    const struct csv_reader *reader, const char *name, struct fault *fault)
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
add_column(struct csv_reader *reader, size_t i, struct fault *fault)
{
	char *name = copy_name(csv_record_cell(&reader->record, i));

	if (name == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (check_name(reader, name, fault)) {
		free(name);
		return place_in_header(reader, i, fault);
	}
	name_column(&reader->columns[reader->count++], name);
	return 0;
}

/* What is usual elsewhere: other separators, capitals. */
static void
hint_usual(
    const struct csv_reader *reader, const char *needed, struct fault *fault)
{
	const char *name = reader->columns[0].name;
	size_t i;

	if (reader->count == 1 && strpbrk(name, ";\t|") != NULL)
		fault_hint(fault,
		    "cells have commas between them, and a point "
		    "in numbers");
	for (i = 0; i < reader->count; i++)
		if (strcasecmp(reader->columns[i].name, needed) == 0)
			fault_hint(fault, "names of columns are in lower case");
}

static int
check_columns(const struct csv_reader *reader, struct fault *fault)
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
		hint_usual(reader, NEEDED[i], fault);
		fault_field(fault, NEEDED[i]);
		return -1;
	}
	return 0;
}

static int
take_header(struct csv_reader *reader, struct fault *fault)
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
take_given_header(struct csv_reader *reader, struct fault *fault)
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

int
csv_header_read(struct csv_reader *reader, struct fault *fault)
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

void
csv_header_free(struct csv_reader *reader)
{
	size_t i;

	for (i = 0; i < reader->count; i++)
		free(reader->columns[i].name);
	free(reader->columns);
}
