#include "former.h"

#include "db.h"
#include "fetch.h"

static const char FOLLOW[] =
    "UPDATE former SET row_id = :new_id WHERE row_id = :id";

/* Its requests went in the lane that it had before it was edited as a dead
 * one. */
static const char REMEMBER[] =
    "INSERT OR REPLACE INTO former (row_id, id, lane_id)"
    " SELECT :new_id, dead_letter.id, ifnull("
    "  (SELECT before.lane_id FROM edit"
    "   JOIN series AS before ON before.id = edit.series_id"
    "   WHERE edit.row_id = dead_letter.id"
    "   AND edit.edited_at >= dead_letter.died_at"
    "   ORDER BY edit.id LIMIT 1), series.lane_id)"
    " FROM dead_letter JOIN series ON series.id = dead_letter.series_id"
    " WHERE dead_letter.id = :id";

static const char FORGET[] = "DELETE FROM former WHERE row_id = :id";

/* Ids are global, so a range holds others' rows, too. */
static const char FORGET_RANGE[] =
    "DELETE FROM former WHERE row_id BETWEEN :first AND :last"
    " AND EXISTS (SELECT 1 FROM metric"
    "  WHERE metric.lane_id = :lane_id AND metric.id = former.row_id)";

static const char LIST[] =
    "SELECT id, lane_id FROM former WHERE row_id = :row_id AND id > :after"
    " ORDER BY id LIMIT :count";

static int
change(struct db *db, const char *sql, int64_t id, int64_t new_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":new_id", new_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
former_replay(struct db *db, int64_t id, int64_t new_id)
{
	return change(db, FOLLOW, id, new_id) ||
		change(db, REMEMBER, id, new_id)
	    ? -1
	    : 0;
}

int
former_forget(struct db *db, int64_t row_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", row_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
former_forget_range(struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET_RANGE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
read_row(struct db *db, struct sqlite3_stmt *stmt, void *into)
{
	struct former_row *row = into;

	(void)db;
	row->id = db_column_int(stmt, 0);
	row->lane_id = db_column_int(stmt, 1);
	return 0;
}

int
former_list(struct db *db, int64_t row_id, int64_t after,
    struct former_row *rows, int count)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row_id);
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":count", count);
	return fetch_page(db, stmt, read_row, rows, sizeof(*rows), count);
}
