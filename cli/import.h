#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "queue/entry.h"
#include "options.h"
#include "output.h"
#include "row.h"

struct fault;
struct input;
struct rejects;
struct stage;

/** Rows of one call; an atomic put takes no more. */
#define IMPORT_ROWS 1000000

/** Told after each record; ${taken}: it was good.  0, or -1 with ${fault}. */
typedef int import_done(void *cookie, bool taken, struct fault *fault);

/**
 * The road of a bulk put: each row is given its defaults, checked, rendered and
 * staged.  A record is what one line holds, be it a row or several: it is taken
 * whole or not at all.
 */
struct import {
	const struct output *output;
	const struct config_checks *checks;
	bool strict;
	const char *ns, *region,
	    *account;                    /* for rows that carry none; or NULL */
	int64_t observed_at, max_age_ms; /* the same; or -1 */
	const struct entry_dimension *defaults; /* for rows that lack the key */
	size_t default_count;
	const char *csv_columns; /* in place of a header; or NULL */
	const char *map;         /* "metric=..." for influx; or NULL */
	const char *key_prefix;  /* of rows that carry no key; or NULL */
	int64_t most;            /* rows; 0: any number */
	struct stage *stage;     /* NULL: check only */
	struct rejects *rejects; /* of bad records; NULL: the first ends all */
	import_done *done;       /* or NULL */
	void *cookie;            /* for done */

	int64_t rows; /* out: good rows so far */

	struct row row;
	struct entry_wire wire;
	struct input *input; /* being read */
	const char *whole;   /* the body the row is part of, or NULL */
	long line;           /* of the record; 0: the one taken last */
	int64_t number;      /* of the row, bad records counted as one */
	struct text key;
	int64_t notes;
	int64_t told_at; /* of the progress line, steady */
};

/** Make ${import} ready, after its first members were set. */
void import_start(struct import *import);
void import_free(struct import *import);

/** The next line of the input, as input_line() gives it; one that is too long
 * is a bad record. */
int import_line(
    struct import *import, const char **line, size_t *len, struct fault *fault);

/** Complete, check and render the row that a reader has put into
 * ${import}->row.  0, or -1 with ${fault}. */
int import_check(struct import *import, struct fault *fault);
/** Render the row again, which passed import_check() before another did.  0, or
 * -1 with ${fault}. */
int import_render(struct import *import, struct fault *fault);
/** Keep the row that was rendered last.  0, or -1 with ${fault}. */
int import_keep(struct import *import, struct fault *fault);
/**
 * import_record(import, result, bytes, len, fault):
 * The record ${bytes} was dealt with: ${result} is 0, or -1 with ${fault},
 * which then gets its place in the file.  0 to go on, or -1 with ${fault}.
 */
int import_record(struct import *import, int result, const char *bytes,
    size_t len, struct fault *fault);

/** Put the place of the record in front of that within it, which ${fault} has. */
void import_place(const struct import *import, struct fault *fault);

/** All of this for a record of one row in JSON.  ${ns} and ${region} are those
 * of the body around it, or NULL.  0 to go on, or -1 with ${fault}. */
int import_row(struct import *import, enum row_form form, const char *bytes,
    size_t len, const char *ns, const char *region, struct fault *fault);

/** Pass over something with a note, of which only the first few are told. */
void import_note(struct import *import, const struct fault *note);

/** Say how many notes were not told. */
void import_end(struct import *import);

#endif
