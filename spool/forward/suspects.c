#include "suspects.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 64

/* Where ${series_id} is, or would be. */
static size_t
position(const struct suspects *suspects, int64_t series_id)
{
	size_t low = 0, high = suspects->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (suspects->rows[middle].series_id < series_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
suspects_load(struct suspects *suspects, struct db *db)
{
	struct suspect_row *page;
	int64_t after = 0;
	int count, i;

	suspects->count = 0;
	if ((page = malloc(PAGE * sizeof(*page))) == NULL)
		return -1;
	while ((count = suspect_list(db, after, page, PAGE)) > 0) {
		for (i = 0; i < count; i++)
			if (suspects_put(suspects, &page[i])) {
				free(page);
				return -1;
			}
		after = page[count - 1].series_id;
	}
	free(page);
	return count;
}

void
suspects_free(struct suspects *suspects)
{
	free(suspects->rows);
	*suspects = (struct suspects){ 0 };
}

const struct suspect_row *
suspects_find(const struct suspects *suspects, int64_t series_id)
{
	size_t at;

	if (suspects->count == 0)
		return NULL;
	at = position(suspects, series_id);
	if (at < suspects->count && suspects->rows[at].series_id == series_id)
		return &suspects->rows[at];
	return NULL;
}

int
suspects_put(struct suspects *suspects, const struct suspect_row *row)
{
	size_t at = position(suspects, row->series_id), size;
	struct suspect_row *rows;

	if (at < suspects->count &&
	    suspects->rows[at].series_id == row->series_id) {
		suspects->rows[at] = *row;
		return 0;
	}
	if (suspects->count == suspects->size) {
		size = suspects->size * 2 + 16;
		rows = realloc(suspects->rows, size * sizeof(*rows));
		if (rows == NULL)
			return -1;
		suspects->rows = rows;
		suspects->size = size;
	}
	memmove(&suspects->rows[at + 1], &suspects->rows[at],
	    (suspects->count - at) * sizeof(*row));
	suspects->rows[at] = *row;
	suspects->count++;
	return 0;
}

void
suspects_remove(struct suspects *suspects, int64_t series_id)
{
	size_t at = position(suspects, series_id);

	if (at >= suspects->count || suspects->rows[at].series_id != series_id)
		return;
	suspects->count--;
	memmove(&suspects->rows[at], &suspects->rows[at + 1],
	    (suspects->count - at) * sizeof(*suspects->rows));
}
