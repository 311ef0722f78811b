#include "isolate.h"

#include <stdint.h>
#include <stdlib.h>

#include "protocol/batch.h"

/* Units ${first} to ${first} + ${count} - 1. */
struct part {
	size_t first, count;
};

/*
 * order[] lists the rows unit by unit; unit u is order[starts[u]] up to
 * order[starts[u + 1]] - 1.  parts[] is a stack: the next one is on top.
 */
struct isolation {
	struct batch *batch;
	size_t *order, *starts;
	size_t units;
	struct part *parts;
	size_t depth, room;
	struct part taken;
};

struct place_of_row {
	int64_t series_id;
	size_t index;
};

static int
by_series(const void *left, const void *right)
{
	const struct place_of_row *a = left, *b = right;

	if (a->series_id != b->series_id)
		return a->series_id < b->series_id ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int
by_index(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;

	return a < b ? -1 : a > b;
}

/* Fill order[] and starts[]. */
static int
arrange(struct isolation *isolation, enum isolate_by by)
{
	const struct batch *batch = isolation->batch;
	struct place_of_row *places;
	size_t i;

	if ((places = malloc(batch->count * sizeof(*places))) == NULL)
		return -1;
	for (i = 0; i < batch->count; i++) {
		places[i].index = i;
		places[i].series_id = batch->rows[i].series_id;
	}
	if (by == ISOLATE_SERIES)
		qsort(places, batch->count, sizeof(*places), by_series);
	for (i = 0; i < batch->count; i++) {
		if (i == 0 || by == ISOLATE_ROWS ||
		    places[i].series_id != places[i - 1].series_id)
			isolation->starts[isolation->units++] = i;
		isolation->order[i] = places[i].index;
	}
	isolation->starts[isolation->units] = batch->count;
	free(places);
	return 0;
}

struct isolation *
isolation_new(struct batch *batch, enum isolate_by by)
{
	struct isolation *isolation;

	if ((isolation = calloc(1, sizeof(*isolation))) == NULL) {
		batch_free(batch);
		return NULL;
	}
	isolation->batch = batch;
	isolation->order = calloc(batch->count + 1, sizeof(size_t));
	isolation->starts = calloc(batch->count + 1, sizeof(size_t));
	if (isolation->order == NULL || isolation->starts == NULL ||
	    arrange(isolation, by)) {
		isolation_free(isolation);
		return NULL;
	}
	isolation->taken.count = isolation->units;
	return isolation;
}

void
isolation_free(struct isolation *isolation)
{
	if (isolation == NULL)
		return;
	batch_free(isolation->batch);
	free(isolation->order);
	free(isolation->starts);
	free(isolation->parts);
	free(isolation);
}

static int
push(struct isolation *isolation, size_t first, size_t count)
{
	struct part *more;
	size_t room;

	if (isolation->depth == isolation->room) {
		room = isolation->room * 2 + 8;
		more = realloc(isolation->parts, room * sizeof(*more));
		if (more == NULL)
			return -1;
		isolation->parts = more;
		isolation->room = room;
	}
	isolation->parts[isolation->depth].first = first;
	isolation->parts[isolation->depth++].count = count;
	return 0;
}

struct batch *
isolation_take(struct isolation *isolation, bool *failed)
{
	struct batch *batch = NULL;
	struct part part;
	size_t *rows, start, count;

	*failed = false;
	if (isolation->depth == 0)
		return NULL;
	part = isolation->parts[isolation->depth - 1];
	start = isolation->starts[part.first];
	count = isolation->starts[part.first + part.count] - start;
	if ((rows = malloc(count * sizeof(*rows))) != NULL) {
		for (size_t i = 0; i < count; i++)
			rows[i] = isolation->order[start + i];
		qsort(rows, count, sizeof(*rows), by_index);
		batch = batch_pick(isolation->batch, rows, count);
		free(rows);
	}
	if (batch == NULL) {
		*failed = true;
		return NULL;
	}
	isolation->depth--;
	isolation->taken = part;
	return batch;
}

size_t
isolation_units(const struct isolation *isolation)
{
	return isolation->taken.count;
}

bool
isolation_split(struct isolation *isolation)
{
	struct part whole = isolation->taken;
	size_t half = whole.count / 2;

	if (whole.count < 2)
		return false;
	if (push(isolation, whole.first + half, whole.count - half))
		return false;
	if (push(isolation, whole.first, half)) {
		isolation->depth--;
		return false;
	}
	return true;
}

void
isolation_return(struct isolation *isolation)
{
	/* There is room: the part was popped from here. */
	isolation->parts[isolation->depth++] = isolation->taken;
}

bool
isolation_empty(const struct isolation *isolation)
{
	return isolation->depth == 0;
}

size_t
isolate_count(const struct batch *batch, enum isolate_by by)
{
	size_t units = 0, i, j;

	if (by == ISOLATE_ROWS)
		return batch->count;
	for (i = 0; i < batch->count; i++) {
		for (j = 0; j < i; j++)
			if (batch->rows[j].series_id ==
			    batch->rows[i].series_id)
				break;
		units += j == i;
	}
	return units;
}
