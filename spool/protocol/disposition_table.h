#ifndef PROTOCOL_DISPOSITION_TABLE_H
#define PROTOCOL_DISPOSITION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "disposition.h"

/*
 * The inside of the table, for the disposition_*.c files alone.
 *
 * The built-in one (protocol.md sections 8 and 9): the codes of API 2.0 and
 * of a gateway before it, in ascending order ...
 */
extern const struct disposition DISPOSITION_CODES[];
extern const size_t DISPOSITION_CODE_COUNT;

/* ... and what has no verdict of the API: "unknown-code", "malformed", HTTP
 * statuses alone or by class ("http-4xx"), failed transfers. */
extern const struct disposition DISPOSITION_FAILURES[];
extern const size_t DISPOSITION_FAILURE_COUNT;

#define STATUS_LEAST 100
#define STATUS_MOST 599
#define STATUSES (STATUS_MOST - STATUS_LEAST + 1)
#define STATUS_OK 200

struct dispositions {
	/* One row for each status, so that one alone can be overridden. */
	struct disposition http[STATUSES];
	char http_names[STATUSES][20];
	bool overridden[STATUSES];
	/* Codes that no document knows have rows where [codes] names them. */
	char own_names[CONFIG_CODES][8];
	size_t own_count, count;
	struct disposition rows[]; /* the built-in ones, codes first; own */
};

/** The row of rows[] called ${name}, or NULL. */
const struct disposition *disposition_row(
    const struct dispositions *table, const char *name);

/** The index in http[] of the status that people write "http-404" or
 * "http_404", or -1; 200 has none, its body decides. */
int disposition_status(const char *name);

/** Apply one line of [codes].  Return 0, or -1 with ${fault}. */
int disposition_override(struct dispositions *table,
    const struct config_code *code, struct fault *fault);

#endif
