#include "metric.h"

#include <stdbool.h>

#include "base/fault.h"
#include "base/number.h"
#include "db.h"
#include "origin.h"
#include "series.h"

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

/* The last millisecond of the year 9999: later is no time but damage. */
#define TIME_MOST INT64_C(253402300799999)

/* Series that a page has verified already; a row's place is its id's. */
#define VERIFIED 64

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
