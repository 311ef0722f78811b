#include "housekeeping_state.h"

#include "base/fault.h"
#include "base/log.h"
#include "queue/ballast.h"
#include "queue/db.h"
#include "queue/upkeep.h"

#include "room.h"

#define REST_MS 5000 /* idle this long before pages are given back */
#define PAGE_BYTES 4096
#define PAGES_MOST 250       /* that are given back in a step */
#define PAGES_LEFT 256       /* free pages that are not worth a word */
#define BALLAST_MS 2000      /* between looks at the ballast */
#define BALLAST_BUSY_MS 8000 /* and this longer while rows flow */

/* ---- pages ---- */

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
		house_complain(housekeeping, "vacuum");
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
	house_complain(housekeeping, "vacuum");
	return false;
}

int64_t
house_pages(struct housekeeping *housekeeping, int64_t steady_ms)
{
	int64_t rest_ms = is_crowded(housekeeping) ? SETTLE_MS : REST_MS;

	if (!house_is_rested(housekeeping, steady_ms, rest_ms)) {
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

/* ---- the ballast ---- */

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

int64_t
house_ballast(struct housekeeping *housekeeping, int64_t steady_ms)
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
	return !house_is_short(housekeeping) &&
	    place_free(db_place(housekeeping->db)->dir) >=
	    ROOM_AHEAD + housekeeping->reserve + housekeeping->beside;
}

/* A drain may last for days.  But making it takes some 20 ms, for which requests
 * wait: seldom. */
int64_t
house_ballast_though_busy(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms)
{
	(void)wall_ms;
	if (housekeeping->idle_since_ms >= 0 ||
	    steady_ms < housekeeping->ballast_ms + BALLAST_BUSY_MS)
		return INT64_MAX;
	if (is_ballast_safe(housekeeping))
		(void)house_ballast(housekeeping, steady_ms);
	housekeeping->ballast_ms = steady_ms + BALLAST_MS;
	return INT64_MAX;
}
