#include "metric.h"

#include <sqlite3.h>

#include "db.h"
#include "origin.h"

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
