#include "bound.h"

#include <limits.h>
#include <stdio.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "ballast.h"
#include "checkpoint.h"
#include "connection.h"
#include "db.h"

#define PAGE_BYTES 4096
#define MIB ((int64_t)1024 * 1024)
#define ROOM (64 * PAGE_BYTES) /* for a transaction's log, on a disk not full */
#define WIDE (256 * MIB)       /* free on the disk: nobody needs to count */

/* Shares that are no part of the whole any more where that is large. */
#define LOG_MOST (64 * MIB) /* a million rows, put at once */
#define MARGIN_MOST (64 * MIB)
#define DATABASE_LEAST (64 * PAGE_BYTES) /* the schema and a few rows */
#define PAGES_MOST INT64_C(0xfffffffe)
#define CACHE_KIB INT64_C(2000) /* SQLite's own default */

#define ATTEMPT_BYTES 128 /* of one that is remembered */
/* What a death adds to the log, with what goes for it. */
#define DEATH_BYTES 1024

/* What an empty queue takes, and room for what is inserted until it is asked
 * again: rows, and the pages that they split. */
#define EMPTY_BYTES (64 * PAGE_BYTES)
#define SPARE_BYTES (16 * PAGE_BYTES)

/* ---- the shares ---- */

static int64_t
least(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

static int64_t
largest(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

void
bound_share(int64_t max_size, int64_t disk, struct bound *bound)
{
	int64_t log, most = max_size > 0 ? max_size : PAGES_MOST * PAGE_BYTES;

	bound->log = max_size > 0 ? least(LOG_MOST, most / 4) : INT64_MAX;
	log = disk > 0 ? least(bound->log, disk / 8) : bound->log;
	bound->log_short = log / 4;
	bound->log_long = least(CONNECTION_WAL_KEPT, log / 2);
	bound->log_kept = least(CONNECTION_WAL_KEPT, log / 4);
	bound->database = max_size > 0 ? most - bound->log : most;
	bound->rows = bound->database - least(MARGIN_MOST, most / 8);
	if (max_size <= 0)
		bound->rows = most;
	bound->rows = largest(bound->rows, DATABASE_LEAST);
	bound->database = largest(bound->database, DATABASE_LEAST);
}

/* What SQLite keeps back of a transaction's log is not seen growing: no more
 * than the share of a small queue allows. */
static int64_t
cache_bytes(const struct bound *bound)
{
	return least(CACHE_KIB * 1024, bound->log_short);
}

int
bound_apply(struct db *db, int64_t max_size, bool draining)
{
	struct bound bound;
	char sql[160];

	bound_share(max_size, db_disk(db), &bound);
	snprintf(sql, sizeof(sql),
	    "PRAGMA max_page_count=%lld; PRAGMA journal_size_limit=%lld;"
	    " PRAGMA cache_size=-%lld",
	    draining ? (long long)PAGES_MOST
		     : (long long)(bound.database / PAGE_BYTES),
	    (long long)bound.log_kept, (long long)(cache_bytes(&bound) / 1024));
	return db_run(db, sql);
}

void
bound_shorten_log(struct db *db, const struct config *config)
{
	struct bound bound;

	bound_share(config->queue.max_size, db_disk(db), &bound);
	checkpoint_before_insert(
	    db, least(config->queue.wal_max, bound.log_short), bound.log_long);
}

/* ---- how much of them is used ---- */

static int
ask(struct db *db, const char *sql, int64_t *answer)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL || db_step(db, stmt) != DB_ROW)
		return -1;
	*answer = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

static const char PAGES[] = "PRAGMA page_count";
static const char FREE_PAGES[] = "PRAGMA freelist_count";

/* Of the database: all of it, and what is in use. */
static int
measure(struct db *db, int64_t *bytes, int64_t *used)
{
	int64_t pages, unused;

	if (ask(db, PAGES, &pages) || ask(db, FREE_PAGES, &unused))
		return -1;
	*bytes = pages * PAGE_BYTES;
	*used = (pages - unused) * PAGE_BYTES;
	return 0;
}

int
bound_presses(struct db *db, const struct config *config)
{
	struct bound bound;
	int64_t bytes, used;

	bound_share(config->queue.max_size, -1, &bound);
	if (measure(db, &bytes, &used))
		return -1;
	return used + SPARE_BYTES >= bound.rows;
}

int64_t
bound_attempts(const struct config *config)
{
	struct bound bound;

	bound_share(config->queue.max_size, -1, &bound);
	if (config->queue.max_size <= 0)
		return config->queue.attempts_kept;
	return least(config->queue.attempts_kept,
	    (bound.database - bound.rows) / 2 / ATTEMPT_BYTES);
}

int
bound_deaths(const struct config *config)
{
	struct bound bound;
	int64_t deaths;

	bound_share(config->queue.max_size, -1, &bound);
	deaths = largest(bound.log_short / DEATH_BYTES, 1);
	return deaths < INT_MAX ? (int)deaths : INT_MAX;
}

bool
bound_log_is_long(struct db *db, const struct config *config)
{
	struct bound bound;

	bound_share(config->queue.max_size, -1, &bound);
	return db_wal_bytes(db) > bound.log_short;
}

int
bound_overflows(struct db *db, const struct config *config)
{
	struct bound bound;
	int64_t bytes, used;

	if (config->queue.max_size <= 0)
		return 0;
	bound_share(config->queue.max_size, -1, &bound);
	if (measure(db, &bytes, &used))
		return -1;
	return used > bound.rows + (bound.database - bound.rows) / 2;
}

int64_t
bound_dead(const struct config *config)
{
	struct bound bound;

	bound_share(config->queue.max_size, -1, &bound);
	return config->queue.max_size > 0 ? bound.rows / 2 : 0;
}

int
bound_dead_fit(struct db *db, const struct config *config)
{
	int64_t bytes, used;

	if (measure(db, &bytes, &used))
		return -1;
	return used <= bound_dead(config);
}

static int
refuse_rows(int64_t used, const struct bound *bound, struct fault *fault)
{
	char has[SPAN_TEXT_SIZE], may[SPAN_TEXT_SIZE];

	fault_set(fault, FAULT_QUEUE_FULL, "the queue is full (%s of %s)",
	    span_print_bytes(has, used), span_print_bytes(may, bound->rows));
	fault_hint(fault,
	    "see what waits with: monspool status; [queue] max_size in the"
	    " configuration is the bound of rows, log and notes together");
	return -1;
}

static int
refuse_log(int64_t log, const struct bound *bound, struct fault *fault)
{
	char has[SPAN_TEXT_SIZE], may[SPAN_TEXT_SIZE];

	fault_set(fault, FAULT_QUEUE_FULL,
	    "the queue is full: its log would be %s long, and may be %s",
	    span_print_bytes(has, log), span_print_bytes(may, bound->log));
	fault_hint(fault,
	    "put less at once (--per-line does), end programs that read the"
	    " queue for long, or raise [queue] max_size");
	return -1;
}

/* Beyond its share the log may use what the database never grew into. */
static int
check(const struct bound *bound, int64_t max_size, int64_t database,
    int64_t used, int64_t log, struct fault *fault)
{
	if (used >= bound->rows)
		return refuse_rows(used, bound, fault);
	if (log > bound->log && largest(database, used) + log > max_size)
		return refuse_log(log, bound, fault);
	return 0;
}

static int
tell(struct db *db, struct fault *fault)
{
	if (fault != NULL)
		*fault = *db_fault(db);
	return -1;
}

int
bound_check(struct db *db, const struct config *config, int64_t more,
    struct fault *fault)
{
	struct bound bound;
	int64_t bytes, used;

	if (config->queue.max_size <= 0)
		return 0;
	bound_share(config->queue.max_size, -1, &bound);
	if (measure(db, &bytes, &used))
		return tell(db, fault);
	return check(&bound, config->queue.max_size, bytes, used + more / 2,
	    db_wal_bytes(db) + cache_bytes(&bound) + more / 2, fault);
}

int
bound_check_size(const struct config *config, int64_t more, struct fault *fault)
{
	struct bound bound;

	bound_share(config->queue.max_size, -1, &bound);
	return check(&bound, config->queue.max_size, bound.database,
	    more / 2 + EMPTY_BYTES + SPARE_BYTES, more / 2 + bound.log_short,
	    fault);
}

int64_t
bound_ballast_room(struct db *db, const struct config *config)
{
	struct bound bound;

	bound_share(config->queue.max_size, db_disk(db), &bound);
	return ballast_size(db_disk(db), config->queue.reserve) +
	    bound.log_long + ROOM;
}

/* Pages that only the log has, behind the end of the database's file: there
 * must be room for them, or the log can never begin anew (contract.md H7). */
static int64_t
growth(struct db *db)
{
	int64_t pages, grown;

	if (ask(db, PAGES, &pages))
		return 0; /* who writes will hear of it */
	grown = pages * PAGE_BYTES - place_size(db_place(db)->file);
	return largest(grown, 0);
}

int64_t
bound_disk_lacks(struct db *db, int64_t more)
{
	int64_t disk = place_free(db_place(db)->dir), grown;

	if (disk < 0 || disk > WIDE + db_wal_bytes(db))
		return 0;
	grown = growth(db);
	return grown == 0 ? 0 : largest(grown + more - disk, 0);
}

int
bound_check_disk(struct db *db, const struct config *config, int64_t more,
    struct fault *fault)
{
	const struct place *place = db_place(db);
	int64_t reserve = ballast_size(db_disk(db), config->queue.reserve);
	int64_t disk = place_free(place->dir);
	char has[SPAN_TEXT_SIZE], needs[SPAN_TEXT_SIZE];

	/* a ballast that was given up is the forwarder's room */
	more += ROOM + growth(db);
	if (reserve > 0 && !ballast_ready(place->ballast, reserve))
		more += largest(reserve - place_size(place->ballast), 0);
	if (disk < 0 || more <= disk)
		return 0;
	fault_set(fault, FAULT_DISK_FULL,
	    "%s are free on the disk of the queue, this needs %s",
	    span_print_bytes(has, disk), span_print_bytes(needs, more));
	fault_hint(fault, "free some space: df -h %.160s", place->dir);
	return -1;
}
