#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/** A table for people, on standard output. */
struct table;

struct table_column {
	const char *name; /* NULL ends the columns */
	bool right;       /* numbers */
};

/** NULL when memory is short; every other call takes that NULL. */
struct table *table_new(const struct table_column *columns, bool colored);
/** One cell after the other; after the last column the next row begins.  The text is
 * escaped already and copied. */
void table_cell(struct table *table, const char *text);
size_t table_rows(const struct table *table);
/** Print it and start anew; nothing when there is no row.  0, or -1 when memory is short. */
int table_print(struct table *table);
void table_free(struct table *table);

#endif
