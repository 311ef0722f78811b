#ifndef PROTOCOL_BATCH_H
#define PROTOCOL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/*
 * A batch is the rows of one lane that may travel in one request.  It owns
 * their wire text, back to back, so any part of it is rendered by
 * concatenation.  Rows stand in the order they were added; ids ascend.
 */
struct batch_row {
	int64_t id;
	int64_t series_id;
	size_t start, len; /* its item within batch->items */
	int64_t accepted_at;
	int64_t attempts; /* before this batch */
};

struct batch_limits {
	bool get;         /* sizes are of the percent-encoded target */
	size_t max_rows;  /* at least 1 */
	size_t max_bytes; /* of the whole body or target */
	size_t envelope;  /* from request_envelope() */
};

struct batch {
	struct batch_limits limits;
	struct batch_row *rows;
	size_t count, size;
	bool full;         /* a row was refused for its bytes */
	struct text items; /* "{...}{...}": one item a row, no commas */
	size_t bytes;      /* of the request that carries the whole batch; for
			      GET the most it can be, see request_envelope() */
};

/** A new, empty batch, or NULL.  batch_free(NULL) does nothing. */
struct batch *batch_new(const struct batch_limits *limits);
void batch_free(struct batch *batch);

enum batch_added {
	BATCH_ADDED,
	BATCH_FULL,     /* it would pass a limit; the rows stay */
	BATCH_OVERSIZE, /* not even alone in a request: it can never be sent */
	BATCH_NO_MEMORY
};

/**
 * batch_add(batch, row, prefix, prefix_len, value, value_len):
 * Append the item ${prefix}${value}"}" with the id, series, time and attempts of ${row}
 * (start and len are set here).
 */
enum batch_added batch_add(struct batch *batch, const struct batch_row *row,
    const char *prefix, size_t prefix_len, const char *value, size_t value_len);

/**
 * batch_pick(batch, indices, count):
 * A new batch of the rows at ${indices} (ascending) of ${batch}, under the
 * same limits.  Return it, or NULL.
 */
struct batch *batch_pick(
    const struct batch *batch, const size_t *indices, size_t count);

/** Bytes that ${len} bytes take when percent-encoded (RFC 3986: letters, digits and -._~ stay). */
size_t batch_encoded(const char *bytes, size_t len);

#endif
