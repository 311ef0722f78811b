#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "queue/entry.h"

struct cJSON;
struct fault;

/** In which dress a metric comes. */
enum row_form {
	ROW_NDJSON = 1, /* a line of interface.md's ndjson */
	ROW_API = 2     /* an item of Data */
};

/** Told what is let pass when lenient. */
typedef void row_note(void *cookie, const struct fault *fault);

struct row;

/** Set line and column of ${fault}, within the row's bytes, to what its field
 * names. */
typedef void row_locate(const struct row *row, struct fault *fault);

/** One metric as a reader found it; reused from row to row, zeroed at first. */
struct row {
	struct entry entry; /* strings live until the next row is started */
	bool lenient;
	row_note *note; /* not NULL when lenient */
	void *cookie;

	struct entry_dimension *dimensions; /* what entry points to */
	size_t dimension_size;
	struct text quoted; /* numbers in dimensions, as they were written */
	struct cJSON *tree;
	const char *bytes; /* of the row being read */
	size_t len;
	bool has_value, has_dimensions;
	row_locate *locate;
	const void *locator; /* for locate */
};

/** Forget the row before: ${row} becomes the one that ${bytes} hold, without a
 * member yet. */
void row_start(
    struct row *row, const char *bytes, size_t len, row_locate *locate);

/**
 * row_parse(row, form, bytes, len, fault):
 * Read ${bytes} as one JSON object in ${form} into ${row}->entry; members
 * that are not there are left NULL, -1 or empty.  Checks the shape alone, entry_check()
 * does the rest.  Return 0, or -1 with ${fault}, in which line and
 * column are places within ${bytes}.
 */
int row_parse(struct row *row, enum row_form form, const char *bytes,
    size_t len, struct fault *fault);

/** Set ${fault}'s line and column to the member that its field names, in
 * the row parsed last. */
void row_place(const struct row *row, struct fault *fault);

/** Make room for one more dimension and return it, or NULL. */
struct entry_dimension *row_add_dimension(struct row *row);

void row_free(struct row *row);

#endif
