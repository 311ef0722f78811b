#ifndef FORWARD_HOUSEKEEPING_STATE_H
#define FORWARD_HOUSEKEEPING_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/ledger.h"

#include "housekeeping.h"

/*
 * What the chores share.  housekeeping.c owns it and has them done; the log is
 * house_log.c's, the bounds of the dead are house_dead.c's, pages and ballast,
 * which is what the disk has left, are house_disk.c's.
 */

#define SETTLE_MS 1000 /* idle this long before the log is copied back */
#define STEP_MS 20     /* between the steps of long work */

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

/** Say that the chore ${what} failed, but not each time. */
void house_complain(struct housekeeping *housekeeping, const char *what);
/** Whether nothing was sent for ${rest_ms}. */
bool house_is_rested(const struct housekeeping *housekeeping, int64_t steady_ms,
    int64_t rest_ms);

/* ---- house_log.c ---- */

/** Whether the log is long: as of our latest commit, or because others made
 * the file grow since it was copied back. */
bool house_log_is_long(struct housekeeping *housekeeping);
/** Whether the disk has so little left that room for copying the log back is a
 * matter of care; and whether what is left may be for that only. */
bool house_is_short(struct housekeeping *housekeeping);
bool house_is_tight(struct housekeeping *housekeeping);
/** Copy it back where it is due. */
void house_log(struct housekeeping *housekeeping, int64_t steady_ms);

/* ---- chores: each returns when it wants to go on ---- */

int64_t house_dead(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms);
int64_t house_pages(struct housekeeping *housekeeping, int64_t steady_ms);
int64_t house_ballast(struct housekeeping *housekeeping, int64_t steady_ms);
int64_t house_ballast_though_busy(
    struct housekeeping *housekeeping, int64_t steady_ms, int64_t wall_ms);

#endif
