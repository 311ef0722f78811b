#include "suspect.h"

#include "cell.h"
#include "db.h"
#include "fetch.h"

static const char STORE[] =
    "INSERT OR REPLACE INTO suspect"
    " (series_id, doomed_through, code, message, attempt_id, since_at)"
    " VALUES (:series_id, :doomed_through, :code, :message, :attempt_id,"
    "  :since_at)";

static const char COUNT[] = "SELECT count(*) FROM suspect";

static const char FORGET[] =
    "DELETE FROM suspect WHERE series_id IN (SELECT series_id FROM suspect"
    "  ORDER BY since_at, series_id LIMIT :count)";

static const char CLEAR[] = "DELETE FROM suspect WHERE series_id = :series_id";

static const char PARDON[] =
    "UPDATE suspect SET doomed_through = 0 WHERE series_id IN"
    " (SELECT id FROM series WHERE lane_id = :lane_id)";

#define SUSPECT_COLUMNS \
	"series_id, doomed_through, code, attempt_id, since_at, message"

static const char LOAD[] = "SELECT " SUSPECT_COLUMNS
			   " FROM suspect WHERE series_id = :series_id";

static const char LIST[] = "SELECT " SUSPECT_COLUMNS
			   " FROM suspect WHERE series_id > :after"
			   " ORDER BY series_id LIMIT :count";

/* Beyond the bound the oldest go.  How many, or -1. */
static int
make_room(struct db *db)
{
	struct sqlite3_stmt *stmt;
	int64_t count;

	if ((stmt = db_prepare(db, COUNT)) == NULL ||
	    db_step(db, stmt) != DB_ROW)
		return -1;
	count = db_column_int(stmt, 0);
	db_reset(stmt);
	if (count <= SUSPECT_MOST)
		return 0;
	if ((stmt = db_prepare(db, FORGET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":count", SUSPECT_FORGOTTEN);
	return db_step(db, stmt) == DB_DONE ? (int)db_changes(db) : -1;
}

int
suspect_store(struct db *db, const struct suspect_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, STORE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":series_id", row->series_id);
	db_bind_int(db, stmt, ":doomed_through", row->doomed_through);
	db_bind_optional(db, stmt, ":code", row->code, -1);
	db_bind_text(db, stmt, ":message", row->message);
	db_bind_optional(db, stmt, ":attempt_id", row->attempt_id, -1);
	db_bind_int(db, stmt, ":since_at", row->since_at);
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	return make_room(db);
}

int
suspect_clear(struct db *db, int64_t series_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, CLEAR)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":series_id", series_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
suspect_pardon(struct db *db, int64_t lane_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, PARDON)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
read_row(struct db *db, struct sqlite3_stmt *stmt, void *into)
{
	struct suspect_row *row = into;

	(void)db;
	row->series_id = db_column_int(stmt, 0);
	row->doomed_through = db_column_int(stmt, 1);
	row->code = db_column_optional(stmt, 2, -1);
	row->attempt_id = db_column_optional(stmt, 3, -1);
	row->since_at = db_column_int(stmt, 4);
	cell_copy(row->message, sizeof(row->message), stmt, 5);
	return 0;
}

int
suspect_load(struct db *db, int64_t series_id, struct suspect_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":series_id", series_id);
	return fetch_one(db, stmt, read_row, row);
}

int
suspect_list(struct db *db, int64_t after, struct suspect_row *rows, int count)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":count", count);
	return fetch_page(db, stmt, read_row, rows, sizeof(*rows), count);
}
