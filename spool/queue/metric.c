#include "metric.h"

#include <sqlite3.h>

#include "base/fault.h"
#include "base/number.h"
#include "db.h"
#include "origin.h"
#include "series.h"

#define INSERT_COLUMNS \
	"INSERT INTO metric (lane_id, id, series_id, value, accepted_at," \
	" observed_at, expires_at) VALUES "
#define PLACES "(?, ?, ?, ?, ?, ?, ?)"
#define ROWS_A_STATEMENT 8
#define PLACES_A_ROW 7

static const char INSERT_ONE[] = INSERT_COLUMNS PLACES;

static const char INSERT_EIGHT[] = INSERT_COLUMNS PLACES
    "," PLACES "," PLACES "," PLACES "," PLACES "," PLACES "," PLACES
    "," PLACES;

/* The fewer columns a page has the better: what is rarely there comes last,
 * behind one that tells whether it is. */
#define PAGE_COLUMNS \
	"SELECT metric.id, metric.series_id, metric.value," \
	"  metric.accepted_at, metric.attempts, series.wire, series.hash," \
	"  coalesce(metric.observed_at, metric.expires_at)," \
	"  metric.observed_at, metric.expires_at"
#define PAGE_SERIES \
	" FROM metric LEFT JOIN series ON series.id = metric.series_id" \
	"  AND series.lane_id = metric.lane_id"
#define PAGE_ROWS \
	" WHERE metric.lane_id = :lane_id AND metric.id > :after" \
	" ORDER BY metric.id LIMIT :limit"

static const char PAGE[] = PAGE_COLUMNS PAGE_SERIES PAGE_ROWS;

/* Where none was replayed, looking for each row's origin is spared. */
static const char PAGE_REPLAYED[] = PAGE_COLUMNS
    ", origin.id IS NOT NULL, origin.alone" PAGE_SERIES
    " LEFT JOIN origin ON origin.id = metric.id" PAGE_ROWS;

static const char REMOVE[] =
    "DELETE FROM metric WHERE lane_id = :lane_id AND id = :id";

static const char REMOVE_RANGE[] =
    "DELETE FROM metric"
    " WHERE lane_id = :lane_id AND id BETWEEN :first AND :last";

static const char REVIVE[] =
    "INSERT INTO metric (lane_id, id, series_id, value, accepted_at,"
    "  attempts, observed_at, expires_at)"
    " SELECT series.lane_id, :new_id, dead_letter.series_id,"
    "  dead_letter.value, dead_letter.accepted_at, dead_letter.attempts,"
    "  dead_letter.observed_at, dead_letter.expires_at"
    " FROM dead_letter JOIN series ON series.id = dead_letter.series_id"
    " WHERE dead_letter.id = :id";

static const char ATTEMPTED[] =
    "UPDATE metric SET attempts = attempts + 1"
    " WHERE lane_id = :lane_id AND id BETWEEN :first AND :last";

static const char FIRST_ACCEPTED[] =
    "SELECT accepted_at FROM metric WHERE lane_id = :lane_id"
    " ORDER BY id LIMIT 1";

static const char LAST_ACCEPTED[] =
    "SELECT accepted_at FROM metric WHERE lane_id = :lane_id"
    " ORDER BY id DESC LIMIT 1";

/* The last millisecond of the year 9999: later is no time but damage. */
#define TIME_MOST INT64_C(253402300799999)

/* Series that a page has verified already; a row's place is its id's. */
#define VERIFIED 64

static int
bind_time(struct sqlite3_stmt *stmt, int at, int64_t time)
{
	if (time == -1)
		return sqlite3_bind_null(stmt, at);
	return sqlite3_bind_int64(stmt, at, time);
}

/* By position: this one statement is worth it (names cost 14 % of it). */
static int
bind_row(struct sqlite3_stmt *stmt, int at, const struct metric_new *row)
{
	return sqlite3_bind_int64(stmt, at, row->lane_id) |
	    sqlite3_bind_int64(stmt, at + 1, row->id) |
	    sqlite3_bind_int64(stmt, at + 2, row->series_id) |
	    sqlite3_bind_text(
		stmt, at + 3, row->value, (int)row->value_len, SQLITE_STATIC) |
	    sqlite3_bind_int64(stmt, at + 4, row->accepted_at) |
	    bind_time(stmt, at + 5, row->observed_at) |
	    bind_time(stmt, at + 6, row->expires_at);
}

static int
insert(struct db *db, const char *sql, const struct metric_new *rows, int count)
{
	struct sqlite3_stmt *stmt;
	int i, failed = 0;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	for (i = 0; i < count; i++)
		failed |= bind_row(stmt, 1 + i * PLACES_A_ROW, &rows[i]);
	if (failed != SQLITE_OK)
		return db_fail_code(db, SQLITE_NOMEM, "write to");
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
metric_insert(struct db *db, const struct metric_new *rows, size_t count)
{
	for (; count >= ROWS_A_STATEMENT; count -= ROWS_A_STATEMENT) {
		if (insert(db, INSERT_EIGHT, rows, ROWS_A_STATEMENT))
			return -1;
		rows += ROWS_A_STATEMENT;
	}
	for (; count > 0; count--, rows++)
		if (insert(db, INSERT_ONE, rows, 1))
			return -1;
	return 0;
}

static bool
time_sane(int64_t time)
{
	return time >= 0 && time <= TIME_MOST;
}

/* H10, what lies in the row itself. */
static bool
row_sane(const struct metric_row *row)
{
	double value;

	return row->id > 0 && row->attempts >= 0 &&
	    time_sane(row->accepted_at) &&
	    (row->observed_at == -1 || time_sane(row->observed_at)) &&
	    (row->expires_at == -1 || time_sane(row->expires_at)) &&
	    number_read(row->value, row->value_len, &value) == 0;
}

/* H10, the text under which it would be sent; empty: it has no series, or
 * one of another lane. */
static enum door_verdict
judge_series(
    struct db *db, struct sqlite3_stmt *stmt, const struct metric_row *row)
{
	int64_t hash = db_column_int(stmt, 6);

	if (row->wire_len == 0)
		return DOOR_DAMAGED;
	if (hash == DOOR_HASH)
		return series_judge(db, row->series_id);
	return hash == series_hash(row->lane_id, row->wire, row->wire_len)
	    ? DOOR_SOUND
	    : DOOR_DAMAGED;
}

/* A series is judged once a page. */
static int
check_row(struct db *db, struct sqlite3_stmt *stmt, int64_t verified[VERIFIED],
    struct metric_row *row)
{
	int64_t *known = &verified[(uint64_t)row->series_id % VERIFIED];
	enum door_verdict verdict = DOOR_SOUND;

	if (row->series_id != *known)
		verdict = judge_series(db, stmt, row);
	if (verdict == DOOR_FAILED)
		return -1;
	if (verdict == DOOR_SOUND)
		*known = row->series_id;
	row->unfit = verdict == DOOR_UNFIT;
	if (verdict != DOOR_SOUND || !row_sane(row))
		row->wire = NULL;
	return 0;
}

static void
read_times(struct sqlite3_stmt *stmt, struct metric_row *row)
{
	row->observed_at = row->expires_at = -1;
	if (db_column_is_null(stmt, 7))
		return;
	row->observed_at = db_column_optional(stmt, 8, -1);
	row->expires_at = db_column_optional(stmt, 9, -1);
}

static void
read_row(struct sqlite3_stmt *stmt, struct metric_row *row)
{
	row->id = db_column_int(stmt, 0);
	row->series_id = db_column_int(stmt, 1);
	row->value = db_column_text(stmt, 2);
	row->value_len = db_column_len(stmt, 2);
	row->accepted_at = db_column_int(stmt, 3);
	row->attempts = db_column_int(stmt, 4);
	row->wire = db_column_text(stmt, 5);
	row->wire_len = db_column_len(stmt, 5);
	read_times(stmt, row);
}

/* A page under way. */
struct page {
	struct db *db;
	struct sqlite3_stmt *stmt;
	int64_t before; /* the id of the row before */
	int limit;
	bool replayed; /* some row of it may be */
	metric_visit *visit;
	void *cookie;
	int64_t verified[VERIFIED];
};

/* A row out of its place is found by no statement that looks for its id: it
 * could not be removed, nor rows behind it by a range, and all of them would
 * be sent for ever. */
static int
check_order(struct page *page, const struct metric_row *row)
{
	struct fault fault = { 0 };
	int64_t before = page->before;

	page->before = row->id;
	if (row->id > before)
		return 0;
	fault_set(&fault, FAULT_CORRUPT,
	    "the pending rows of lane %lld are not in the order of their ids",
	    (long long)row->lane_id);
	fault_hint(&fault, "run: monspool audit --deep");
	return db_fail(page->db, &fault);
}

/* Return what the visitor does, or -1. */
static int
visit_row(struct page *page, struct metric_row *row)
{
	if (check_row(page->db, page->stmt, page->verified, row))
		return -1;
	if (page->replayed) {
		row->replayed = db_column_int(page->stmt, 10) != 0;
		row->alone = db_column_int(page->stmt, 11) != 0;
	}
	return page->visit(page->cookie, row) != 0;
}

/* The row after the last is read as well: it tells whether that one stands in
 * its place. */
static int
visit_rows(struct page *page, struct metric_row *row)
{
	enum db_stepped stepped;
	int visited = 0, ended = 0;

	while ((stepped = db_step(page->db, page->stmt)) == DB_ROW) {
		read_row(page->stmt, row);
		if (check_order(page, row))
			return -1;
		if (ended == 1 || visited == page->limit)
			break;
		if ((ended = visit_row(page, row)) == -1)
			return -1;
		visited++;
	}
	return stepped == DB_FAILED ? -1 : visited;
}

int
metric_page(struct db *db, int64_t lane_id, int64_t after_id, int limit,
    metric_visit *visit, void *cookie)
{
	struct metric_row row = { .lane_id = lane_id };
	struct page page = { .db = db,
		.before = after_id,
		.limit = limit,
		.visit = visit,
		.cookie = cookie };
	int visited, replayed;

	if ((replayed = origin_any(db, after_id)) == -1 ||
	    (page.stmt = db_prepare(db, replayed ? PAGE_REPLAYED : PAGE)) ==
		NULL)
		return -1;
	page.replayed = replayed == 1;
	db_bind_int(db, page.stmt, ":lane_id", lane_id);
	db_bind_int(db, page.stmt, ":after", after_id);
	db_bind_int(db, page.stmt, ":limit", (int64_t)limit + 1);
	visited = visit_rows(&page, &row);
	db_reset(page.stmt);
	return visited;
}

/* Run a statement over the rows from ${first} to ${last}. */
static int64_t
change(struct db *db, const char *sql, int64_t lane_id, int64_t first,
    int64_t last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int64_t
metric_take(struct db *db, int64_t lane_id, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REMOVE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int64_t
metric_remove(struct db *db, int64_t lane_id, int64_t id)
{
	if (origin_forget(db, lane_id, id, id))
		return -1;
	return metric_take(db, lane_id, id);
}

int64_t
metric_remove_range(struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	if (origin_forget(db, lane_id, first, last))
		return -1;
	return change(db, REMOVE_RANGE, lane_id, first, last);
}

static const char FIRST_IDS[] =
    "SELECT id FROM metric WHERE lane_id = :lane_id AND id < :below"
    " ORDER BY id LIMIT :count";

int
metric_first_ids(
    struct db *db, int64_t lane_id, int64_t below, int64_t *ids, int count)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped = DB_DONE;
	int n;

	if ((stmt = db_prepare(db, FIRST_IDS)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":below", below);
	db_bind_int(db, stmt, ":count", count);
	for (n = 0; n < count; n++) {
		if ((stepped = db_step(db, stmt)) != DB_ROW)
			break;
		ids[n] = db_column_int(stmt, 0);
	}
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return n;
}

int64_t
metric_revive(struct db *db, int64_t dead_id, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REVIVE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", dead_id);
	db_bind_int(db, stmt, ":new_id", id);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int
metric_attempted(struct db *db, int64_t lane_id, int64_t id)
{
	return metric_attempted_range(db, lane_id, id, id);
}

int
metric_attempted_range(
    struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	return change(db, ATTEMPTED, lane_id, first, last) == -1 ? -1 : 0;
}

static int64_t
ask_accepted(struct db *db, const char *sql, int64_t lane_id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	int64_t accepted_at;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -2;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? -1 : -2;
	accepted_at = db_column_int(stmt, 0);
	db_reset(stmt);
	return accepted_at;
}

int64_t
metric_first_accepted(struct db *db, int64_t lane_id)
{
	return ask_accepted(db, FIRST_ACCEPTED, lane_id);
}

int64_t
metric_last_accepted(struct db *db, int64_t lane_id)
{
	return ask_accepted(db, LAST_ACCEPTED, lane_id);
}
