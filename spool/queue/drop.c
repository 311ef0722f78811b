#include "drop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "bound.h"
#include "db.h"
#include "lane.h"
#include "ledger.h"
#include "metric.h"

/* Rows dropped before it is looked again whether there is room. */
#define STEP 1000

/* The oldest ids found so far, the newest of them on top. */
struct heap {
	int64_t below; /* others do not count */
	int64_t *ids;
	int count, size;
};

static void
swap(int64_t *one, int64_t *other)
{
	int64_t spare = *one;

	*one = *other;
	*other = spare;
}

static void
sink(struct heap *heap, int at)
{
	int child;

	for (; (child = 2 * at + 1) < heap->count; at = child) {
		if (child + 1 < heap->count &&
		    heap->ids[child + 1] > heap->ids[child])
			child++;
		if (heap->ids[at] >= heap->ids[child])
			return;
		swap(&heap->ids[at], &heap->ids[child]);
	}
}

/* Keep ${id} if it is among the oldest. */
static void
offer(struct heap *heap, int64_t id)
{
	int at;

	if (heap->count == heap->size) {
		if (id >= heap->ids[0])
			return;
		heap->ids[0] = id;
		sink(heap, 0);
		return;
	}
	at = heap->count++;
	heap->ids[at] = id;
	for (; at > 0 && heap->ids[(at - 1) / 2] < heap->ids[at];
	     at = (at - 1) / 2)
		swap(&heap->ids[(at - 1) / 2], &heap->ids[at]);
}

typedef int lane_step(struct db *db, const struct lane_row *lane, void *cookie);

static int
each_lane(struct db *db, lane_step *step, void *cookie)
{
	struct lane_row *lane = malloc(sizeof(*lane));
	struct fault fault = { 0 };
	int64_t after = 0;
	int listed;

	if (lane == NULL) {
		fault_errno(&fault, ENOMEM, "cannot make room in the queue");
		return db_fail(db, &fault);
	}
	while ((listed = lane_list(db, after, lane, 1)) == 1) {
		after = lane->id;
		if (lane->pending > 0 && step(db, lane, cookie)) {
			listed = -1;
			break;
		}
	}
	free(lane);
	return listed;
}

/* Offer the lane's first ids; no more of them can be among the oldest. */
static int
find_in_lane(struct db *db, const struct lane_row *lane, void *cookie)
{
	struct heap *heap = cookie;
	int64_t below = heap->count == heap->size ? heap->ids[0] : heap->below;
	int64_t *ids = malloc((size_t)heap->size * sizeof(*ids));
	struct fault fault = { 0 };
	int count, i;

	if (ids == NULL) {
		fault_errno(&fault, ENOMEM, "cannot make room in the queue");
		return db_fail(db, &fault);
	}
	count = metric_first_ids(db, lane->id, below, ids, heap->size);
	for (i = 0; i < count; i++)
		offer(heap, ids[i]);
	free(ids);
	return count == -1 ? -1 : 0;
}

struct dropping {
	int64_t through_id, dropped;
};

static int
drop_in_lane(struct db *db, const struct lane_row *lane, void *cookie)
{
	struct dropping *dropping = cookie;
	int64_t removed;

	removed = metric_remove_range(db, lane->id, 0, dropping->through_id);
	if (removed == -1 || lane_count(db, lane->id, -removed))
		return -1;
	dropping->dropped += removed;
	return 0;
}

int64_t
drop_oldest(struct db *db, int64_t below, int count)
{
	struct heap heap = { .below = below,
		.size = count < DROP_ROWS ? count : DROP_ROWS };
	struct dropping dropping = { 0 };
	struct fault fault = { 0 };
	int failed;

	heap.ids = malloc((size_t)heap.size * sizeof(*heap.ids));
	if (heap.ids == NULL) {
		fault_errno(&fault, ENOMEM, "cannot make room in the queue");
		return db_fail(db, &fault);
	}
	failed = each_lane(db, find_in_lane, &heap);
	dropping.through_id = heap.count > 0 ? heap.ids[0] : -1;
	free(heap.ids);
	if (failed || dropping.through_id == -1)
		return failed ? -1 : 0;
	if (each_lane(db, drop_in_lane, &dropping) ||
	    ledger_move(db, LEDGER_PENDING, LEDGER_DROPPED, dropping.dropped))
		return -1;
	return dropping.dropped;
}

int
drop_for_room(struct db *db, const struct config *config, int64_t below)
{
	int64_t dropped = 1;
	int pressed = 1;

	while (dropped > 0 && (pressed = bound_presses(db, config)) == 1)
		if ((dropped = drop_oldest(db, below, STEP)) == -1)
			return -1;
	return pressed == -1 ? -1 : 0;
}
