#include "purge.h"

#include "base/config.h"
#include "bound.h"
#include "db.h"
#include "deadletter.h"
#include "ledger.h"
#include "listing.h"
#include "operation.h"
#include "origin.h"

static const char OLDEST[] = "SELECT id FROM dead_letter"
			     " ORDER BY died_at, id LIMIT :most";

/* What died before there was a monspool, or before it came, did so by a clock
 * that was wrong: for all that is known it is young. */
#define FIRST_MS INT64_C(1735689600000) /* 2025 */
static const char BEFORE[] =
    "SELECT id FROM dead_letter WHERE died_at < :before"
    " AND died_at >= :first AND died_at >= accepted_at"
    " ORDER BY died_at, id LIMIT :most";

int64_t
purge_rows(struct db *db, const int64_t *ids, size_t count)
{
	int64_t gone = 0, removed;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((removed = deadletter_remove(db, ids[i])) == -1)
			return -1;
		if (removed == 1 && origin_forget_dead(db, ids[i]))
			return -1;
		gone += removed;
	}
	return ledger_move(db, LEDGER_DEAD, LEDGER_PURGED, gone) ? -1 : gone;
}

static int
choose(struct db *db, const char *sql, int64_t before, int64_t most,
    struct listing_ids *ids)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	if (sql == BEFORE) {
		db_bind_int(db, stmt, ":before", before);
		db_bind_int(db, stmt, ":first", FIRST_MS);
	}
	db_bind_int(db, stmt, ":most", most);
	return listing_add_ids(db, stmt, ids);
}

/* How many are over the bound. */
static int
count_excess(struct db *db, int64_t max_rows, int64_t *excess)
{
	struct ledger_row ledger;

	*excess = 0;
	if (max_rows <= 0)
		return 0;
	if (ledger_read(db, &ledger))
		return -1;
	*excess = ledger.dead - max_rows;
	return 0;
}

static int
choose_all(struct db *db, int64_t max_rows, int64_t died_before, int64_t most,
    struct listing_ids *ids)
{
	int64_t excess;

	if (count_excess(db, max_rows, &excess))
		return -1;
	if (excess > 0)
		return choose(
		    db, OLDEST, -1, excess < most ? excess : most, ids);
	if (died_before < 0)
		return 0;
	return choose(db, BEFORE, died_before, most, ids);
}

/* In one bracket; a look at nothing costs no commit. */
static int64_t
purge(struct db *db, const struct listing_ids *ids)
{
	int64_t gone;

	if (ids->count == 0)
		return 0;
	if (db_begin(db))
		return -1;
	if ((gone = purge_rows(db, ids->ids, ids->count)) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db) ? -1 : gone;
}

int64_t
purge_bounds(struct db *db, int64_t max_rows, int64_t died_before, int64_t most)
{
	struct listing_ids ids = { 0 };
	int64_t gone = -1;

	if (choose_all(db, max_rows, died_before, most, &ids) == 0)
		gone = purge(db, &ids);
	listing_free_ids(&ids);
	return gone;
}

/* ---- by room ---- */

#define STEP 100
/* Of the share of the dead one part in so many stays whatever comes. */
#define KEPT 4

/* What a dead letter takes, as far as the latest tell: texts, numbers, and its
 * part of two indexes. */
static const char MEAN_BYTES[] =
    "SELECT ifnull(avg(length(value) + length(scope) + length(message)"
    "  + length(evidence) + ifnull(length(contrast), 0)), 0) + 100"
    " FROM (SELECT value, scope, message, evidence, contrast"
    "  FROM dead_letter ORDER BY id DESC LIMIT 50)";

static int
mean_bytes(struct db *db, int64_t *bytes)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, MEAN_BYTES)) == NULL ||
	    db_step(db, stmt) != DB_ROW)
		return -1;
	*bytes = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

/* The longest dead but for so many. */
static int64_t
purge_down_to(struct db *db, int64_t left, int64_t most)
{
	return purge_bounds(db, left < 1 ? 1 : left, -1, most);
}

/* What a bracket may let go; the rest goes with the next deaths. */
static int64_t
purged_at_once(const struct config *config)
{
	int64_t most = bound_deaths(config);

	return most < OPERATION_ROWS ? most : OPERATION_ROWS;
}

bool
purge_may(const struct config *config)
{
	return config->dead.max_rows > 0 || config->dead.max_age_ms > 0;
}

int64_t
purge_for_room(struct db *db, const struct config *config)
{
	int64_t share = bound_dead(config), bytes, gone, left, more = 1;
	struct ledger_row ledger;
	int full = 0, fit;

	if (share == 0 || !purge_may(config))
		return 0;
	/* the latest may be larger than most: they tell nothing of a whole that
	 * fits */
	if ((fit = bound_dead_fit(db, config)) != 0)
		return fit == 1 ? 0 : -1;
	if (mean_bytes(db, &bytes) ||
	    (gone = purge_down_to(db, share / bytes, purged_at_once(config))) ==
		-1)
		return -1;
	while (more > 0 && (full = bound_overflows(db, config)) == 1) {
		if (ledger_read(db, &ledger))
			return -1;
		/* Where it is pending rows that are over the bound, no purge
		 * helps: a part of the dead stays. */
		left = ledger.dead - STEP;
		if (left < share / KEPT / bytes)
			left = share / KEPT / bytes;
		if ((more = purge_down_to(db, left, STEP)) == -1)
			return -1;
		gone += more;
	}
	return full == -1 ? -1 : gone;
}
