#include "batch.h"

#include <stdlib.h>
#include <string.h>

/* What stays as it is in a percent-encoded text (RFC 3986, 2.3). */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	    c == '~';
}

/* Bytes that ${len} bytes take in the request. */
static size_t
cost(const struct batch *batch, const char *bytes, size_t len)
{
	return batch->limits.get ? batch_encoded(bytes, len) : len;
}

/* Whether ${more} bytes fit behind ${used} others. */
static bool
fits(const struct batch *batch, size_t used, size_t more)
{
	return used <= batch->limits.max_bytes &&
	    more <= batch->limits.max_bytes - used;
}

static int
grow_rows(struct batch *batch)
{
	size_t size = batch->size > 0 ? 2 * batch->size : 16;
	struct batch_row *rows;

	if (batch->count < batch->size)
		return 0;
	if ((rows = realloc(batch->rows, size * sizeof(*rows))) == NULL)
		return -1;
	batch->rows = rows;
	batch->size = size;
	return 0;
}

struct batch *
batch_new(const struct batch_limits *limits)
{
	struct batch *batch;

	if ((batch = calloc(1, sizeof(*batch))) == NULL)
		return NULL;
	batch->limits = *limits;
	batch->bytes = limits->envelope;
	return batch;
}

void
batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	text_free(&batch->items);
	free(batch->rows);
	free(batch);
}

enum batch_added
batch_add(struct batch *batch, const struct batch_row *row, const char *prefix,
    size_t prefix_len, const char *value, size_t value_len)
{
	size_t item = cost(batch, prefix, prefix_len) +
	    cost(batch, value, value_len) + cost(batch, "}", 1);
	size_t comma = batch->count > 0 ? cost(batch, ",", 1) : 0;
	size_t len = prefix_len + value_len + 1;
	struct batch_row *added;

	if (batch->count < batch->limits.max_rows)
		batch->full = !fits(batch, batch->bytes, comma + item);
	if (!fits(batch, batch->limits.envelope, item))
		return BATCH_OVERSIZE;
	if (batch->count >= batch->limits.max_rows || batch->full)
		return BATCH_FULL;
	if (grow_rows(batch) || text_reserve(&batch->items, len))
		return BATCH_NO_MEMORY;
	added = &batch->rows[batch->count++];
	*added = *row;
	added->start = batch->items.len;
	added->len = len;
	text_add(&batch->items, prefix, prefix_len);
	text_add(&batch->items, value, value_len);
	text_addc(&batch->items, '}');
	batch->bytes += comma + item;
	return BATCH_ADDED;
}

struct batch *
batch_pick(const struct batch *batch, const size_t *indices, size_t count)
{
	const struct batch_row *row;
	struct batch *picked;
	size_t i;

	if ((picked = batch_new(&batch->limits)) == NULL)
		return NULL;
	for (i = 0; i < count; i++) {
		row = &batch->rows[indices[i]];
		/* The item less its brace, which batch_add() puts back. */
		if (batch_add(picked, row, batch->items.data + row->start,
			row->len - 1, "", 0) != BATCH_ADDED)
			goto discard;
	}
	return picked;

discard:
	batch_free(picked);
	return NULL;
}

size_t
batch_encoded(const char *bytes, size_t len)
{
	size_t encoded = 0;
	size_t i;

	for (i = 0; i < len; i++)
		encoded += is_unreserved(bytes[i]) ? 1 : 3;
	return encoded;
}
