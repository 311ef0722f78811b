#ifndef CLI_CSV_RECORD_H
#define CLI_CSV_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <csv.h>

#include "base/text.h"

struct fault;
struct import;

/** What csv_record_next() found. */
enum csv_found {
	CSV_FAILED = -1, /* nothing more can be read */
	CSV_END,
	CSV_GOOD,
	CSV_BAD /* a record with a fault; the next may be good */
};

/** One record of CSV, which may take several lines; reused from record to
 * record, zeroed at first. */
struct csv_record {
	size_t count;      /* cells */
	struct text bytes; /* as they were read */

	struct text cells; /* each with its NUL */
	size_t *offsets, size;
	struct csv_parser parser;
	bool open, whole, failed; /* the parser is; the record is; memory */
};

/** Take the next record of ${import}'s input.  For CSV_FAILED and CSV_BAD
 * there is a ${fault}. */
enum csv_found csv_record_next(
    struct csv_record *record, struct import *import, struct fault *fault);
/** Take ${line}, which is one record.  0, or -1 with ${fault}. */
int csv_record_parse(
    struct csv_record *record, const char *line, struct fault *fault);
void csv_record_free(struct csv_record *record);

/** Cell ${i}, until the next record. */
const char *csv_record_cell(const struct csv_record *record, size_t i);
/** Where it begins in the bytes. */
size_t csv_record_place(const struct csv_record *record, size_t i);

#endif
