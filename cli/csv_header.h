#ifndef CLI_CSV_HEADER_H
#define CLI_CSV_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "csv_record.h"

struct csv_column;
struct csv_reader;
struct fault;
struct import;

/** Put a cell that is not empty into the row.  0, or -1 with ${fault}. */
typedef int csv_cell_read(struct csv_reader *reader,
    const struct csv_column *column, const char *cell, struct fault *fault);

struct csv_column {
	char *name;
	csv_cell_read *read;
	size_t offset; /* of the text in struct entry, for some */
};

/** CSV while it is read; zeroed at first but for the import. */
struct csv_reader {
	struct import *import;
	struct csv_record record;
	struct csv_column *columns;
	size_t count;
	bool has_value; /* the row has */
};

/** Read the header: the first record, or --csv-columns.  1; 0 when the input is
 * empty; -1 with ${fault}. */
int csv_header_read(struct csv_reader *reader, struct fault *fault);
void csv_header_free(struct csv_reader *reader);

#endif
