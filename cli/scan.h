#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "row.h"

struct fault;

/** One line of the line protocol or of Prometheus' exposition while it is taken
 * apart; reused from line to line, zeroed at first. */
struct scan {
	const char *line, *at, *end;
	struct text strings; /* what was taken, each with its NUL */
	size_t *places;      /* offsets of the row's dimensions in the line */
	size_t place_count, place_size;
	const char *value, *time; /* where they stand, for faults */
};

/** Begin with ${line}, the bytes of ${row}.  0, or -1 with ${fault} (a NUL in
 * it, memory). */
int scan_start(struct scan *scan, struct row *row, const char *line, size_t len,
    struct fault *fault);
void scan_free(struct scan *scan);

/** Whether the next byte is ${c}; then pass over it. */
bool scan_skip(struct scan *scan, char c);
void scan_skip_blanks(struct scan *scan);
bool scan_at_end(const struct scan *scan);
/** Take what stands before the first of ${stops} that no backslash makes part of
 * it; it does so before ${escapable} only.  The string lives until the next
 * line. */
const char *scan_take(
    struct scan *scan, const char *stops, const char *escapable);

/** Add a dimension that stands at ${place} to ${row}.  0, or -1 with
 * ${fault}. */
int scan_add_dimension(struct scan *scan, struct row *row, const char *place,
    const char *key, const char *value, struct fault *fault);

/** Set line and column of ${fault} to those of ${place}. */
void scan_set_place(
    const struct scan *scan, const char *place, struct fault *fault);
/** Refuse the line for its shape: ${what} is wrong at ${place}.  Return -1. */
int scan_refuse(const struct scan *scan, const char *place, const char *what,
    const char *hint, struct fault *fault);
/** "value is not a number ("...")".  Return -1. */
int scan_refuse_value(const struct scan *scan, const char *value,
    const char *hint, struct fault *fault);

#endif
