#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/deadletter.h"
#include "queue/status.h"

struct text;

/* Rows as list, show and dead list print them. */

/** The members of a pending row, bracket left open; ${state} NULL is its lane's. */
void lines_pending(struct text *text, const struct pending_row *row,
    const char *state, int64_t now_ms);
/** Those of a dead row, bracket left open; no state where that is NULL. */
void lines_dead(
    struct text *text, const struct deadletter_row *row, const char *state);

/** "ip=10.0.0.1 disk=a" from canonical JSON, escaped for people. */
void lines_dimensions(struct text *text, const char *json);

/* For tables: the cell's text, which lives until the next call but one. */
const char *lines_escaped(const char *untrusted);
const char *lines_int(int64_t value);
const char *lines_code(int64_t code, int64_t http_status);
const char *lines_span(int64_t ms);
const char *lines_dimensions_cell(const char *json);

#endif
