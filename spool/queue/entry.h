#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct config_checks;
struct fault;

struct entry_dimension {
	const char *key, *value; /* NUL-terminated */
};

/** A metric as a writer gives it.  Strings are borrowed, NUL-terminated. */
struct entry {
	const char *ns, *metric;
	const char *region, *account; /* NULL is "" and "default" */
	const struct entry_dimension *dimensions;
	size_t dimension_count;
	double value;
	int64_t observed_at; /* -1: not told */
	int64_t max_age_ms;  /* -1: not told */
	const char *key;     /* NULL: none */
};

/** What the queue stores of it.  Reused from entry to entry; zero it first. */
struct entry_wire {
	struct text dimensions; /* canonical JSON, keys in byte order */
	struct text wire; /* {"dimensions":{...},"metricName":"...","value": */
	char value[32];
	size_t value_len;
};

/**
 * entry_check(entry, checks, strict, fault):
 * Check as put does (protocol.md section 5, interface.md put and [checks]):
 * always UTF-8, no control characters, non-empty names, finite value, no
 * duplicate dimension, and what can be stored (namespace and region below
 * LANE_TEXT bytes); when ${strict} the sets and limits of ${checks}.
 * The row's wire text against max_row_bytes is checked by entry_render().
 * Return 0, or -1 with ${fault}: kind, field ("namespace", "metric",
 * "dimensions.KEY", "value", ...), message with the escaped offender, hint.
 */
int entry_check(const struct entry *entry, const struct config_checks *checks,
    bool strict, struct fault *fault);

/** The part of entry_check() that is the row's own, not its series': value,
 * times and key.  0 or -1. */
int entry_check_row(const struct entry *entry, struct fault *fault);

/** Render ${entry}, which passed entry_check().  0, or -1 with ${fault}
 * (too large for max_row_bytes: FAULT_TOO_LARGE; memory). */
int entry_render(const struct entry *entry, const struct config_checks *checks,
    struct entry_wire *wire, struct fault *fault);

void entry_wire_free(struct entry_wire *wire);

#endif
