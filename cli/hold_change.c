#include "hold_change.h"

#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "queue/bell.h"
#include "queue/db.h"
#include "queue/entry.h"
#include "queue/lock.h"

/* How long a running forwarder is given to take a wish up. */
#define PATIENCE_MS 5000
#define LOOK_MS 20

typedef bool lane_test(
    const struct hold_change *change, const struct lane_row *row);

/* Leave those of the lanes that are meant. */
static void
keep(struct hold_change *change, lane_test *meant)
{
	struct lanes *lanes = &change->lanes;
	size_t i, kept = 0;

	for (i = 0; i < lanes->count; i++)
		if (meant(change, &lanes->rows[i]))
			lanes->rows[kept++] = lanes->rows[i];
	lanes->count = kept;
}

static bool
is_called(const struct hold_change *change, const struct lane_row *row)
{
	return lanes_match(&change->pattern, row);
}

/* Those of the lanes called so that the wish concerns. */
static bool
is_concerned(const struct hold_change *change, const struct lane_row *row)
{
	if (change->wish.ask == LANE_ASK_RELEASE)
		return row->state == LANE_HELD || row->asked == LANE_ASK_HOLD;
	if (change->wish.ask == LANE_ASK_PROBE)
		return row->state != LANE_READY && row->pending > 0;
	return true;
}

/* A lane without rows may be held before the first one comes. */
static int
make_lane(struct hold_change *change, struct fault *fault)
{
	const struct lane_pattern *pattern = &change->pattern;
	const struct entry entry = { .ns = pattern->ns,
		.region = pattern->region[0] != '\0' ? pattern->region : NULL,
		.account = pattern->account,
		.metric = "any",
		.observed_at = -1,
		.max_age_ms = -1 };
	const struct config_checks *checks = &change->config->checks;
	int64_t id;

	if (entry_check(&entry, checks, checks->strict, fault))
		return -1;
	if (lane_intern(change->db, pattern->ns, pattern->region,
		pattern->account, &id) == 0)
		return lanes_read(&change->lanes, change->db, fault);
	*fault = *db_fault(change->db);
	return -1;
}

static int
refuse_unknown(const struct hold_change *change, struct fault *fault)
{
	fault_set(fault, FAULT_NOT_FOUND, "there is no such lane");
	if (change->wish.ask == LANE_ASK_HOLD)
		fault_hint(fault,
		    "to hold a lane before its first row, name all three"
		    " parts: NAMESPACE/REGION/ACCOUNT");
	else
		fault_hint(fault, "monspool hold list");
	return -1;
}

static int
select_lanes(struct hold_change *change, struct fault *fault)
{
	if (lanes_read(&change->lanes, change->db, fault))
		return -1;
	keep(change, is_called);
	if (change->lanes.count == 0 && change->wish.ask == LANE_ASK_HOLD &&
	    lanes_exact(&change->pattern) && !change->dry_run) {
		if (make_lane(change, fault))
			return -1;
		keep(change, is_called);
	}
	if (change->lanes.count == 0 && change->pattern.parts > 0)
		return refuse_unknown(change, fault);
	keep(change, is_concerned);
	return 0;
}

/* Leave the wish for the forwarder.  Where none runs it is applied as well:
 * one that starts now has either read the lane before, and then the bell and
 * the wish reach it, or finds the lane as it is to be. */
static int
ask(struct hold_change *change, struct lane_row *row, int64_t now_ms)
{
	if (wish_store(change->db, row->id, &change->wish))
		return -1;
	if (change->running)
		return 0;
	wish_apply(&change->wish, row, now_ms);
	return lane_store(change->db, row);
}

static int
ask_all(struct hold_change *change, struct fault *fault)
{
	int64_t now_ms = clock_wall_ms();
	struct lock_holder holder;
	size_t i;

	/* All lanes or none. */
	if (db_begin(change->db))
		goto fail;
	change->running = lock_held(db_place(change->db)->lock, &holder);
	if (select_lanes(change, fault))
		goto rollback;
	for (i = 0; i < change->lanes.count; i++)
		if (ask(change, &change->lanes.rows[i], now_ms)) {
			*fault = *db_fault(change->db);
			goto rollback;
		}
	if (db_commit(change->db))
		goto fail;
	bell_ring_path(db_place(change->db)->bell);
	return 0;

rollback:
	db_rollback(change->db);
	return -1;
fail:
	*fault = *db_fault(change->db);
	return -1;
}

/* Read the lanes anew.  How many still wait to be seen to, or -1. */
static int
count_unseen(struct hold_change *change)
{
	struct lane_row *row;
	int unseen = 0;
	size_t i;

	for (i = 0; i < change->lanes.count; i++) {
		row = &change->lanes.rows[i];
		if (lane_load(change->db, row->id, row) != 1)
			return -1;
		unseen += row->asked != LANE_ASK_NOTHING;
	}
	return unseen;
}

/* A running forwarder takes the wish up at once; what is told after that is
 * true. */
static int
await(struct hold_change *change, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	const char *lock = db_place(change->db)->lock;
	int64_t until_ms = clock_steady_ms() + PATIENCE_MS;
	struct lock_holder holder;
	int unseen;

	while ((unseen = count_unseen(change)) > 0 && change->running &&
	    clock_steady_ms() < until_ms && lock_held(lock, &holder))
		nanosleep(&pause, NULL);
	if (unseen == -1) {
		*fault = *db_fault(change->db);
		return -1;
	}
	change->unseen = unseen > 0 && change->running;
	return 0;
}

int
hold_change_make(struct hold_change *change, struct fault *fault)
{
	if (!change->dry_run)
		return ask_all(change, fault) || await(change, fault) ? -1 : 0;
	return select_lanes(change, fault);
}
