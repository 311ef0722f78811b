#include "housekeeping_state.h"

#include <stdlib.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "queue/ballast.h"
#include "queue/bound.h"
#include "queue/db.h"
#include "queue/enqueue_key.h"
#include "queue/series.h"
#include "queue/upkeep.h"

#define MIB ((int64_t)1024 * 1024)
#define WAL_MOST (4 * MIB)
#define BUSY_POLL_MS 200  /* between looks at the log while rows flow */
#define IDLE_POLL_MS 1000 /* and while none do */
#define SWEEP_MS 600000   /* between two walks over all series */
#define SWEEP_STEP 200    /* series a step */
#define KEYS_MS 60000     /* between looks for keys that have expired */
#define KEYS_STEP 200     /* of them a step */
#define COMPLAIN_MS 600000
#define MINUTE_MS 60000
#define HISTORY_KEPT 10080 /* minutes: a week in which something happened */

/* It is tried again when it is due again. */
void
house_complain(struct housekeeping *housekeeping, const char *what)
{
	char text[300];

	if (housekeeping->now_ms < housekeeping->complain_ms)
		return;
	housekeeping->complain_ms = housekeeping->now_ms + COMPLAIN_MS;
	log_event(LOG_WARN, "housekeeping_failed", "what=%s error=%s", what,
	    log_reason(text, sizeof(text), db_fault(housekeeping->db)));
}

bool
house_is_rested(
    const struct housekeeping *housekeeping, int64_t steady_ms, int64_t rest_ms)
{
	return housekeeping->idle_since_ms >= 0 &&
	    steady_ms - housekeeping->idle_since_ms >= rest_ms;
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
		house_complain(housekeeping, "history");
		return;
	}
	if (is_same(&ledger, &housekeeping->ledger))
		return;
	if (upkeep_remember(housekeeping->db, over, &ledger, HISTORY_KEPT))
		house_complain(housekeeping, "history");
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
		house_complain(housekeeping, "keys");
	housekeeping->keys_ms = steady_ms +
	    (removed == KEYS_STEP ? STEP_MS : KEYS_MS);
	return housekeeping->keys_ms;
}

/* ---- series, in idle time ---- */

static int64_t
sweep_series(struct housekeeping *housekeeping, int64_t steady_ms)
{
	if (steady_ms < housekeeping->sweep_ms)
		return housekeeping->sweep_ms;
	housekeeping->sweep_ms = steady_ms + STEP_MS;
	if (series_collect(housekeeping->db, &housekeeping->series_cursor,
		SWEEP_STEP) == -1) {
		house_complain(housekeeping, "series");
		housekeeping->series_cursor = 0;
	}
	if (housekeeping->series_cursor == 0)
		housekeeping->sweep_ms = steady_ms + SWEEP_MS;
	return housekeeping->sweep_ms;
}

static int64_t (*const IDLE_WORK[])(struct housekeeping *, int64_t) = {
	house_ballast,
	sweep_series,
	house_pages,
};

/* Done though rows flow. */
static int64_t (*const WORK[])(struct housekeeping *, int64_t, int64_t) = {
	forget_keys,
	house_dead,
	house_ballast_though_busy,
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
	house_log(housekeeping, steady_ms);
	if (house_is_tight(housekeeping)) {
		housekeeping->minute = wall_ms / MINUTE_MS; /* forgone */
		return next_ms;
	}
	remember(housekeeping, wall_ms);
	for (i = 0; i < sizeof(WORK) / sizeof(WORK[0]); i++) {
		want_ms = WORK[i](housekeeping, steady_ms, wall_ms);
		if (want_ms < next_ms)
			next_ms = want_ms;
	}
	if (!idle ||
	    house_log_is_long(housekeeping)) /* it is copied back first */
		return next_ms;
	for (i = 0; i < sizeof(IDLE_WORK) / sizeof(IDLE_WORK[0]); i++) {
		want_ms = IDLE_WORK[i](housekeeping, steady_ms);
		if (want_ms < next_ms)
			next_ms = want_ms;
	}
	return next_ms;
}
