#ifndef CLI_SHEET_H
#define CLI_SHEET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct cli;
struct fault;
struct table;
struct table_column;

/** The option --limit of a command that lists rows, for its member. */
#define SHEET_LIMIT(slot) \
	{ \
		.name = "limit", .argument = "N", .take = option_whole, slot, \
		.help = "at most so many, 0 all (100; --json: all)" \
	}

/** Rows on their way out: a table for people, a line each in JSON. */
struct sheet {
	const struct cli *cli;
	struct table *table;         /* NULL in JSON */
	struct text line;            /* of JSON, under way */
	int64_t now_ms, shown, most; /* most: -1 all */
	bool more;                   /* the limit cut it off */
};

/** Begin it; ${limit} is what --limit says, -1 when it was not given. */
void sheet_begin(struct sheet *sheet, const struct cli *cli,
    const struct table_column *columns, int64_t limit);
/** Whether one more row may be shown; it counts as shown. */
bool sheet_takes_row(struct sheet *sheet);
/** The row's cells, or its JSON without the last brace, are all there. */
void sheet_end_row(struct sheet *sheet);
/** Print what is left, and tell what was not shown.  0, or -1 with a fault. */
int sheet_print(struct sheet *sheet, struct fault *fault);
void sheet_free(struct sheet *sheet);

#endif
