#include "origin.h"

#include <stddef.h>

#include "db.h"
#include "edit.h"
#include "former.h"

static const char ANY[] = "SELECT 1 FROM origin WHERE id > :first"
			  " AND id <= :last LIMIT 1";

/* Ids are global, so a range holds others' rows, too. */
static const char FORGET[] =
    "DELETE FROM origin WHERE id BETWEEN :first AND :last"
    " AND EXISTS (SELECT 1 FROM metric"
    "  WHERE metric.lane_id = :lane_id AND metric.id = origin.id)";

static const char FORGET_DEAD[] = "DELETE FROM origin WHERE id = :id";

static const char COPY[] =
    "INSERT INTO origin (id, origin_id, replays, group_id, alone)"
    " SELECT :new_id, ifnull(max(origin_id), :id), ifnull(max(replays), 0) + 1,"
    "  :group_id, :alone"
    " FROM origin WHERE id = :id";

/* Whether one of ${first} < id <= ${last} was replayed. */
static int
any(struct db *db, int64_t first, int64_t last)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, ANY)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	if ((stepped = db_step(db, stmt)) == DB_ROW)
		db_reset(stmt);
	return (int)stepped;
}

int
origin_any(struct db *db, int64_t after)
{
	return any(db, after, INT64_MAX);
}

int
origin_forget(struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	struct sqlite3_stmt *stmt;
	int found;

	if ((found = any(db, first - 1, last)) != 1)
		return found;
	if (edit_forget_replayed(db, lane_id, first, last) ||
	    former_forget_range(db, lane_id, first, last) ||
	    (stmt = db_prepare(db, FORGET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
forget_record(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET_DEAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
origin_forget_dead(struct db *db, int64_t id)
{
	return edit_forget(db, id) || former_forget(db, id) ||
		forget_record(db, id)
	    ? -1
	    : 0;
}

int
origin_replay(
    struct db *db, int64_t id, int64_t new_id, int64_t group_id, bool alone)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, COPY)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":new_id", new_id);
	db_bind_optional(db, stmt, ":group_id", group_id, 0);
	db_bind_int(db, stmt, ":alone", alone);
	if (db_step(db, stmt) != DB_DONE || edit_follow(db, id, new_id))
		return -1;
	return forget_record(db, id);
}
