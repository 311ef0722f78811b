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
struct stage;

/** Rows of one call; an atomic put takes no more. */
#define IMPORT_ROWS 1000000

/**
 * The road of a bulk put: each row is given its defaults, checked, rendered and
 * staged.  Nothing reaches the queue before all input was read.
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
	struct stage *stage; /* NULL: check only */

	int64_t rows; /* out: good rows so far */

	struct row row;
	struct entry_wire wire;
	const struct input *input; /* being read */
	const char *whole;         /* the body the row is part of, or NULL */
	int64_t notes;
	int64_t told_at; /* of the progress line, steady */
};

/** Make ${import} ready, after its first members were set. */
void import_start(struct import *import);
void import_free(struct import *import);

/**
 * import_row(import, form, bytes, len, ns, region, fault):
 * Take one row.  ${ns} and ${region} are those of the body around it, or NULL.
 * Return 0, or -1 with ${fault}, place included.
 */
int import_row(struct import *import, enum row_form form, const char *bytes,
    size_t len, const char *ns, const char *region, struct fault *fault);

/** Pass over something with a note, of which only the first few are told. */
void import_note(struct import *import, const struct fault *note);

/** Say how many notes were not told. */
void import_end(struct import *import);

#endif
