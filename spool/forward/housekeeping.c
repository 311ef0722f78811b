#include "housekeeping.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "queue/ballast.h"
#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/enqueue_key.h"
#include "queue/ledger.h"
#include "queue/purge.h"
#include "queue/series.h"
#include "queue/upkeep.h"

#include "room.h"

#define MIB ((int64_t)1024 * 1024)
#define WAL_MOST (4 * MIB)
#define SETTLE_MS 1000    /* idle this long before the log is copied back */
#define BUSY_POLL_MS 200  /* between looks at the log while rows flow */
#define IDLE_POLL_MS 1000 /* and while none do */
#define RETRY_MS 1000     /* after a checkpoint that could not be made */
#define REST_MS 5000      /* idle this long before pages are given back */
#define STEP_MS 20        /* between the steps of long work */
#define SWEEP_MS 600000   /* between two walks over all series */
#define SWEEP_STEP 200    /* series a step */
#define KEYS_MS 60000     /* between looks for keys that have expired */
#define KEYS_STEP 200     /* of them a step */
#define DEAD_MS 60000     /* between looks at the bounds of the dead */
#define DEAD_STEP 100     /* dead rows a step */
#define BALLAST_MS 2000   /* between looks at the ballast */
#define PAGE_BYTES 4096
#define PAGES_MOST 250 /* that are given back in a step */
#define PAGES_LEFT 256 /* free pages that are not worth a word */
#define COMPLAIN_MS 600000
#define MINUTE_MS 60000
#define HISTORY_KEPT 10080 /* minutes: a week in which something happened */

#define BALLAST_BUSY_MS 8000 /* and this longer while rows flow */

#define CLOCK_SET_MS 3600000    /* that the clock moves by when it is set */
#define CLOCK_NEW_MS 3600000    /* until it is believed after the start */
#define CLOCK_DOUBT_MS 86400000 /* and after it was set */

struct housekeeping {
	struct db *db;
	int64_t reserve, beside; /* bytes of the ballast; to be free then */
	int64_t dead_rows, dead_age_ms; /* bounds of the dead; 0: none */
	int64_t idle_since_ms;          /* -1: not idle */
	int64_t now_ms, complain_ms;    /* of this turn; not before this */

	int64_t wal_most;       /* at which it is long */
	int64_t wal_bytes;      /* in use at our latest commit, see upkeep.h */
	int64_t wal_size;       /* of the file, when it was copied back last */
	int64_t wal_written_ns; /* the file's time then */
	int64_t checkpoint_ms;  /* not before this */

	int64_t keys_ms; /* not before this */
	int64_t series_cursor;
	int64_t sweep_ms, vacuum_ms, ballast_ms; /* not before these */
	int64_t trickle_ms, pending, batch_rows; /* see is_trickle() */
	int64_t dead_ms;
	int64_t clock_offset_ms, clock_ms; /* wall less steady; believed from */
	bool no_room;                      /* for the ballast; said already */

	int64_t minute;           /* under way */
	struct ledger_row ledger; /* as it was written down last */
};

/* Say that a chore failed, but not each time: it is tried again when it is due
 * again. */
static void
complain(struct housekeeping *housekeeping, const char *what)
{
	char text[300];

	if (housekeeping->now_ms < housekeeping->complain_ms)
		return;
	housekeeping->complain_ms = housekeeping->now_ms + COMPLAIN_MS;
	log_event(LOG_WARN, "housekeeping_failed", "what=%s error=%s", what,
	    log_reason(text, sizeof(text), db_fault(housekeeping->db)));
}

/* ---- the log ---- */

/* When the WAL was written last; a checkpoint does not write it. */
static int64_t
wal_written_ns(const struct housekeeping *housekeeping)
{
	struct stat status;

	if (stat(db_place(housekeeping->db)->wal, &status) == -1)
		return 0;
	return (int64_t)status.st_mtim.tv_sec * 1000000000 +
	    status.st_mtim.tv_nsec;
}

/* Whether the log is long: as of our latest commit, or because others made
 * the file grow since it was copied back. */
static bool
is_long(struct housekeeping *housekeeping)
{
	int64_t size = db_wal_bytes(housekeeping->db);

	if (size < housekeeping->wal_size)
		housekeeping->wal_size = size;
	return housekeeping->wal_bytes >= housekeeping->wal_most ||
	    (size >= housekeeping->wal_most && size > housekeeping->wal_size);
}

/* The disk has so little left that room for copying the log back is a matter
 * of care. */
static bool
is_short(struct housekeeping *housekeeping)
{
	return bound_disk_lacks(housekeeping->db, ROOM_AHEAD) > 0;
}

/* What may be left is for that only. */
static bool
is_tight(struct housekeeping *housekeeping)
{
	return bound_disk_lacks(housekeeping->db, ROOM_STEP) > 0;
}

static bool
is_rested(
    const struct housekeeping *housekeeping, int64_t steady_ms, int64_t rest_ms)
{
	return housekeeping->idle_since_ms >= 0 &&
	    steady_ms - housekeeping->idle_since_ms >= rest_ms;
}

static void
checkpoint(struct housekeeping *housekeeping, int64_t steady_ms)
{
	int64_t written_ns = wal_written_ns(housekeeping);
	int64_t size = db_wal_bytes(housekeeping->db);
	enum checkpoint_result result;

	result = checkpoint_guarded(housekeeping->db, false);
	if (result == CHECKPOINT_FAILED)
		complain(housekeeping, "checkpoint");
	if (result != CHECKPOINT_DONE) {
		housekeeping->checkpoint_ms = steady_ms + RETRY_MS;
		return;
	}
	housekeeping->wal_bytes = 0;
	housekeeping->wal_size = size;
	housekeeping->wal_written_ns = written_ns;
}

static void
look_after_log(struct housekeeping *housekeeping, int64_t steady_ms)
{
	if (steady_ms < housekeeping->checkpoint_ms)
		return;
	if (is_long(housekeeping) || is_short(housekeeping) ||
	    (is_rested(housekeeping, steady_ms, SETTLE_MS) &&
		wal_written_ns(housekeeping) != housekeeping->wal_written_ns))
		checkpoint(housekeeping, steady_ms);
}

/* ---- history ---- */

static bool
is_same(const struct ledger_row *left, const struct ledger_row *right)
{
	return left->accepted == right->accepted &&
	    left->delivered == right->delivered && left->dead == right->dead &&
	    left->pending == right->pending;
}

/* A minute is over. */
static void
remember(struct housekeeping *housekeeping, int64_t wall_ms)
{
	int64_t minute = wall_ms / MINUTE_MS, over = housekeeping->minute;
	struct ledger_row ledger;

	if (minute == over)
		return;
	housekeeping->minute = minute;
	if (ledger_read(housekeeping->db, &ledger)) {
		complain(housekeeping, "history");
		return;
	}
	if (is_same(&ledger, &housekeeping->ledger))
		return;
	if (upkeep_remember(housekeeping->db, over, &ledger, HISTORY_KEPT))
		complain(housekeeping, "history");
	else
		housekeeping->ledger = ledger;
}

/* ---- keys ---- */

/* Not left to idle hours: who uses keys may never have any. */
static int64_t
forget_keys(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	int64_t removed;

	if (steady_ms < housekeeping->keys_ms)
		return housekeeping->keys_ms;
	removed = enqueue_key_collect(housekeeping->db, wall_ms, KEYS_STEP);
	if (removed == -1)
		complain(housekeeping, "keys");
	housekeeping->keys_ms = steady_ms +
	    (removed == KEYS_STEP ? STEP_MS : KEYS_MS);
	return housekeeping->keys_ms;
}

/* ---- dead letters ---- */

/* Whether the clock can tell how long ago somebody died.  It may jump by years
 * and back, and what went in between would be gone for good: one that was set is
 * believed after a day.  A process that starts knows nothing of the time before
 * it; the machine may have started without the time, with a network still to
 * tell it: that is given an hour. */
static bool
is_clock_believed(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	int64_t offset_ms = wall_ms - steady_ms;
	bool first = housekeeping->clock_ms < 0;

	if (first ||
	    llabs(offset_ms - housekeeping->clock_offset_ms) > CLOCK_SET_MS) {
		housekeeping->clock_offset_ms = offset_ms;
		housekeeping->clock_ms = steady_ms +
		    (first ? CLOCK_NEW_MS : CLOCK_DOUBT_MS);
	}
	return steady_ms >= housekeeping->clock_ms;
}

/* Over their bounds the oldest go.  Return when to look again. */
static int64_t
purge_dead(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	int64_t before = -1, gone;

	if (steady_ms < housekeeping->dead_ms)
		return housekeeping->dead_ms;
	if (is_clock_believed(housekeeping, steady_ms, wall_ms) &&
	    housekeeping->dead_age_ms > 0)
		before = wall_ms - housekeeping->dead_age_ms;
	gone = purge_bounds(
	    housekeeping->db, housekeeping->dead_rows, before, DEAD_STEP);
	if (gone == -1)
		complain(housekeeping, "dead");
	if (gone > 0)
		log_event(
		    LOG_WARN, "dead_purged", "rows=%lld", (long long)gone);
	housekeeping->dead_ms = steady_ms +
	    (gone == DEAD_STEP ? STEP_MS : DEAD_MS);
	return housekeeping->dead_ms;
}

/* ---- idle work: each returns when it wants to go on ---- */

static int64_t
sweep_series(struct housekeeping *housekeeping, int64_t steady_ms)
{
	if (steady_ms < housekeeping->sweep_ms)
		return housekeeping->sweep_ms;
	housekeeping->sweep_ms = steady_ms + STEP_MS;
	if (series_collect(housekeeping->db, &housekeeping->series_cursor,
		SWEEP_STEP) == -1) {
		complain(housekeeping, "series");
		housekeeping->series_cursor = 0;
	}
	if (housekeeping->series_cursor == 0)
		housekeeping->sweep_ms = steady_ms + SWEEP_MS;
	return housekeeping->sweep_ms;
}

/* Over a quarter is free, and it is more than is worth having at hand. */
static bool
is_hollow(int64_t pages, int64_t unused)
{
	return unused > PAGES_LEFT && unused * 4 > pages;
}

/* The disk is short of them: writers may be refused for it. */
static bool
is_crowded(const struct housekeeping *housekeeping)
{
	int64_t disk = place_free(db_place(housekeeping->db)->dir);

	return housekeeping->no_room || (disk >= 0 && disk < ROOM_AHEAD);
}

/* Whether rows go as they come: since the look before, some REST_MS ago, no more
 * than a batch was worked off.  A backlog is to drain undisturbed. */
static bool
is_trickle(struct housekeeping *housekeeping, int64_t steady_ms)
{
	int64_t before = housekeeping->pending;
	struct ledger_row ledger;

	if (steady_ms < housekeeping->trickle_ms)
		return false;
	housekeeping->trickle_ms = steady_ms + REST_MS;
	if (ledger_read(housekeeping->db, &ledger)) {
		complain(housekeeping, "vacuum");
		return false;
	}
	housekeeping->pending = ledger.pending;
	return before >= 0 &&
	    before - ledger.pending <= housekeeping->batch_rows;
}

/* Each page that is given back may move another, by way of the log. */
static int
pages_a_step(const struct housekeeping *housekeeping)
{
	int64_t pages = housekeeping->wal_most / 2 / PAGE_BYTES;

	return pages < PAGES_MOST ? (int)pages : PAGES_MOST;
}

/* Whether there may be more to give. */
static bool
give_some_back(struct housekeeping *housekeeping)
{
	int64_t pages, unused;

	if (upkeep_pages(housekeeping->db, &pages, &unused) == 0) {
		if (!is_hollow(pages, unused))
			return false;
		if (upkeep_vacuum(
			housekeeping->db, pages_a_step(housekeeping)) == 0)
			return true;
	}
	complain(housekeeping, "vacuum");
	return false;
}

static int64_t
give_pages_back(struct housekeeping *housekeeping, int64_t steady_ms)
{
	int64_t rest_ms = is_crowded(housekeeping) ? SETTLE_MS : REST_MS;

	if (!is_rested(housekeeping, steady_ms, rest_ms)) {
		if (is_trickle(housekeeping, steady_ms))
			(void)give_some_back(housekeeping);
		return housekeeping->idle_since_ms + rest_ms;
	}
	if (steady_ms < housekeeping->vacuum_ms)
		return housekeeping->vacuum_ms;
	housekeeping->vacuum_ms = steady_ms +
	    (give_some_back(housekeeping) ? STEP_MS : REST_MS);
	return housekeeping->vacuum_ms;
}

static void
make_ballast(struct housekeeping *housekeeping)
{
	const char *path = db_place(housekeeping->db)->ballast;
	struct fault fault = { 0 };
	char text[300];

	if (ballast_make(path, housekeeping->reserve, housekeeping->beside,
		&fault) == 0) {
		housekeeping->no_room = false;
		log_event(LOG_INFO, "ballast_made", "bytes=%lld",
		    (long long)housekeeping->reserve);
	} else if (!housekeeping->no_room) {
		housekeeping->no_room = true;
		log_event(LOG_WARN, "ballast_missing", "error=%s",
		    log_reason(text, sizeof(text), &fault));
	}
}

static int64_t
look_after_ballast(struct housekeeping *housekeeping, int64_t steady_ms)
{
	const char *path = db_place(housekeeping->db)->ballast;

	if (steady_ms < housekeeping->ballast_ms)
		return housekeeping->ballast_ms;
	housekeeping->ballast_ms = steady_ms + BALLAST_MS;
	if (housekeeping->reserve > 0 &&
	    !ballast_ready(path, housekeeping->reserve)) {
		make_ballast(housekeeping);
		return housekeeping->ballast_ms;
	}
	housekeeping->no_room = false;
	if (housekeeping->reserve <= 0)
		(void)ballast_release(path, INT64_MAX);
	return housekeeping->ballast_ms;
}

/* There is far more room than it takes: it would not soon be wanted back, nor what
 * is left of it be given up in vain. */
static bool
is_ballast_safe(struct housekeeping *housekeeping)
{
	return !is_short(housekeeping) &&
	    place_free(db_place(housekeeping->db)->dir) >=
	    ROOM_AHEAD + housekeeping->reserve + housekeeping->beside;
}

/* A drain may last for days.  But making it takes some 20 ms, for which requests
 * wait: seldom. */
static int64_t
look_after_ballast_though_busy(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	(void)wall_ms;
	if (housekeeping->idle_since_ms >= 0 ||
	    steady_ms < housekeeping->ballast_ms + BALLAST_BUSY_MS)
		return INT64_MAX;
	if (is_ballast_safe(housekeeping))
		(void)look_after_ballast(housekeeping, steady_ms);
	housekeeping->ballast_ms = steady_ms + BALLAST_MS;
	return INT64_MAX;
}

static int64_t (*const IDLE_WORK[])(struct housekeeping *, int64_t) = {
	look_after_ballast,
	sweep_series,
	give_pages_back,
};

/* Done though rows flow. */
static int64_t (*const WORK[])(struct housekeeping *, int64_t, int64_t) = {
	forget_keys,
	purge_dead,
	look_after_ballast_though_busy,
};

/* ---- life ---- */

struct housekeeping *
housekeeping_new(struct db *db, const struct config *config, int64_t now_ms)
{
	struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));

	if (housekeeping == NULL)
		return NULL;
	housekeeping->idle_since_ms = -1;
	housekeeping->ledger.accepted = -1; /* like none */
	housekeeping->minute = housekeeping->clock_ms = -1;
	housekeeping->pending = -1;
	housekeeping->checkpoint_ms = housekeeping->sweep_ms =
	    housekeeping->vacuum_ms = housekeeping->ballast_ms =
		housekeeping->complain_ms = housekeeping->keys_ms = now_ms;
	housekeeping_use_db(housekeeping, db);
	housekeeping_configure(housekeeping, config);
	return housekeeping;
}

void
housekeeping_free(struct housekeeping *housekeeping)
{
	if (housekeeping == NULL)
		return;
	housekeeping_use_db(housekeeping, NULL);
	free(housekeeping);
}

void
housekeeping_configure(
    struct housekeeping *housekeeping, const struct config *config)
{
	const struct place *place = db_place(housekeeping->db);
	struct bound bound;

	housekeeping->reserve = ballast_size(
	    place_disk(place->dir), config->queue.reserve);
	housekeeping->beside = bound_ballast_room(housekeeping->db, config) -
	    housekeeping->reserve;
	housekeeping->ballast_ms = 0;
	housekeeping->dead_rows = config->dead.max_rows;
	housekeeping->dead_age_ms = config->dead.max_age_ms;
	housekeeping->dead_ms = 0;
	housekeeping->batch_rows = config->batch.max_rows;
	bound_share(config->queue.max_size, place_disk(place->dir), &bound);
	housekeeping->wal_most = bound.log_short < WAL_MOST ? bound.log_short
							    : WAL_MOST;
}

void
housekeeping_use_db(struct housekeeping *housekeeping, struct db *db)
{
	if (housekeeping->db != NULL)
		upkeep_watch(housekeeping->db, NULL);
	housekeeping->db = db;
	if (db != NULL)
		upkeep_watch(db, &housekeeping->wal_bytes);
}

int64_t
housekeeping_turn(struct housekeeping *housekeeping, bool idle,
    int64_t steady_ms, int64_t wall_ms)
{
	int64_t next_ms = steady_ms + (idle ? IDLE_POLL_MS : BUSY_POLL_MS);
	int64_t want_ms;
	size_t i;

	housekeeping->now_ms = steady_ms;
	if (!idle)
		housekeeping->idle_since_ms = -1;
	else if (housekeeping->idle_since_ms < 0)
		housekeeping->idle_since_ms = steady_ms;
	if (housekeeping->minute < 0)
		housekeeping->minute = wall_ms / MINUTE_MS;
	look_after_log(housekeeping, steady_ms);
	if (is_tight(housekeeping)) {
		housekeeping->minute = wall_ms / MINUTE_MS; /* forgone */
		return next_ms;
	}
	remember(housekeeping, wall_ms);
	for (i = 0; i < sizeof(WORK) / sizeof(WORK[0]); i++) {
		want_ms = WORK[i](housekeeping, steady_ms, wall_ms);
		if (want_ms < next_ms)
			next_ms = want_ms;
	}
	if (!idle || is_long(housekeeping)) /* it is copied back first */
		return next_ms;
	for (i = 0; i < sizeof(IDLE_WORK) / sizeof(IDLE_WORK[0]); i++) {
		want_ms = IDLE_WORK[i](housekeeping, steady_ms);
		if (want_ms < next_ms)
			next_ms = want_ms;
	}
	return next_ms;
}
