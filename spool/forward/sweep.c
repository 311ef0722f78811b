#include "sweep.h"

#include <stdlib.h>

#include "queue/metric.h"

#include "core_state.h"
#include "lane.h"

#define PAGE 1000

/* The newest late row of a series so far. */
struct sweep_seen {
	int64_t series_id; /* 0: the slot is free */
	int64_t id;
};

struct step {
	struct lane *lane;
	struct settlement *met;
	int64_t wall_ms;
	bool ended; /* a row that is not late was met */
	bool failed;
};

void
sweep_clear(struct sweep *sweep)
{
	free(sweep->seen);
	*sweep = (struct sweep){ 0 };
}

static struct sweep_seen *
slot_of(struct sweep_seen *seen, size_t size, int64_t series_id)
{
	size_t at = (size_t)((uint64_t)series_id * 0x9e3779b97f4a7c15U);

	for (at &= size - 1;
	     seen[at].series_id != 0 && seen[at].series_id != series_id;
	     at = (at + 1) & (size - 1))
		;
	return &seen[at];
}

static int
make_room(struct sweep *sweep)
{
	size_t size = sweep->size > 0 ? sweep->size * 2 : 1024, i;
	struct sweep_seen *seen;

	if (sweep->count * 4 < sweep->size * 3)
		return 0;
	if ((seen = calloc(size, sizeof(*seen))) == NULL)
		return -1;
	for (i = 0; i < sweep->size; i++)
		if (sweep->seen[i].series_id != 0)
			*slot_of(seen, size,
			    sweep->seen[i].series_id) = sweep->seen[i];
	free(sweep->seen);
	sweep->seen = seen;
	sweep->size = size;
	return 0;
}

static int
drop(struct step *step, const struct sweep_seen *older)
{
	if (step->met == NULL &&
	    (step->met = settlement_new(step->lane)) == NULL)
		return -1;
	return settlement_meet(
	    step->met, older->id, older->series_id, MET_DROPPED);
}

static int
on_row(void *cookie, const struct metric_row *row)
{
	struct step *step = cookie;
	struct sweep *sweep = &step->lane->sweep;
	struct sweep_seen *slot;

	if (!lane_row_is_late(step->lane, row->accepted_at, step->wall_ms)) {
		step->ended = true;
		return 1;
	}
	if (row->replayed) {
		sweep->after_id = row->id;
		return 0;
	}
	if (make_room(sweep)) {
		step->failed = true;
		return 1;
	}
	slot = slot_of(sweep->seen, sweep->size, row->series_id);
	if (slot->series_id != 0)
		step->failed = drop(step, slot) != 0;
	else
		sweep->count++;
	slot->series_id = row->series_id;
	slot->id = sweep->after_id = row->id;
	return step->failed;
}

int
sweep_step(struct lane *lane)
{
	struct step step = { .lane = lane,
		.wall_ms = core_wall_ms(lane->core) };
	struct sweep *sweep = &lane->sweep;
	int visited;

	if (!sweep->active) {
		sweep_clear(sweep);
		sweep->active = true;
	}
	visited = metric_page(
	    lane->core->db, lane->row.id, sweep->after_id, PAGE, on_row, &step);
	if (visited == -1 || step.failed) {
		settlement_free(step.met);
		sweep_clear(sweep);
		return -1;
	}
	if (step.ended || visited < PAGE) {
		int64_t swept_id = sweep->after_id;

		sweep_clear(sweep);
		sweep->swept_id = swept_id;
	}
	if (step.met != NULL)
		lane_settle_met(lane, step.met);
	return 0;
}
