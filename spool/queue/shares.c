#include "shares.h"

#include <stdlib.h>

#include "lane.h"

struct lane_share {
	int64_t lane_id, rows;
};

static int
make_room(struct shares *shares)
{
	size_t size = shares->size == 0 ? 8 : 2 * shares->size;
	struct lane_share *list;

	if (shares->count < shares->size)
		return 0;
	if ((list = realloc(shares->list, size * sizeof(*list))) == NULL)
		return -1;
	shares->list = list;
	shares->size = size;
	return 0;
}

/* Where the lane stands, or would stand; rows of one lane come in runs. */
static size_t
find(const struct shares *shares, int64_t lane_id)
{
	size_t i = shares->last;

	if (i < shares->count && shares->list[i].lane_id == lane_id)
		return i;
	for (i = 0; i < shares->count; i++)
		if (shares->list[i].lane_id == lane_id)
			break;
	return i;
}

int
shares_add(struct shares *shares, int64_t lane_id)
{
	size_t i = find(shares, lane_id);

	if (i == shares->count) {
		if (make_room(shares))
			return -1;
		shares->list[i] = (struct lane_share){ .lane_id = lane_id };
		shares->count++;
	}
	shares->list[i].rows++;
	shares->last = i;
	return 0;
}

int
shares_count(const struct shares *shares, struct db *db)
{
	size_t i;

	for (i = 0; i < shares->count; i++)
		if (lane_count(
			db, shares->list[i].lane_id, shares->list[i].rows))
			return -1;
	return 0;
}

void
shares_clear(struct shares *shares)
{
	shares->count = 0;
}

void
shares_free(struct shares *shares)
{
	free(shares->list);
	*shares = (struct shares){ 0 };
}
