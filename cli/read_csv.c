#include "read_csv.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "csv_header.h"
#include "import.h"

/* The cell that the field of ${fault} came from, or the first. */
static void
locate(const struct row *row, struct fault *fault)
{
	const struct csv_reader *reader = row->locator;
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
refuse_count(const struct csv_reader *reader, struct fault *fault)
{
	fault_set(fault, FAULT_BAD_ROW, "%zu cells under a header of %zu",
	    reader->record.count, reader->count);
	fault_hint(fault, "a cell with a comma in it stands in quotes");
	fault->line = fault->column = 1;
	return -1;
}

static int
read_cells(struct csv_reader *reader, struct fault *fault)
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
read_record(struct csv_reader *reader, struct fault *fault)
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
read_records(struct csv_reader *reader, struct fault *fault)
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
	struct csv_reader reader = { .import = import };
	int result;

	import->input = input;
	result = csv_header_read(&reader, fault);
	if (result == 1)
		result = read_records(&reader, fault);
	import->line = 0;
	csv_record_free(&reader.record);
	csv_header_free(&reader);
	return result;
}
