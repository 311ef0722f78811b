#include "edit.h"

#include "base/fault.h"
#include "base/text.h"
#include "db.h"
#include "deadletter.h"
#include "lane.h"
#include "reshape.h"
#include "series.h"

static const char KEEP[] =
    "INSERT INTO edit (row_id, series_id, edited_at, edited_by, operation_id)"
    " VALUES (:row_id, :series_id, :edited_at, :edited_by, :operation_id)";

static const char LIST[] =
    "SELECT edit.edited_at, edit.operation_id, edit.edited_by,"
    "  lane.namespace, lane.region, series.metric, series.dimensions"
    " FROM edit LEFT JOIN series ON series.id = edit.series_id"
    " LEFT JOIN lane ON lane.id = series.lane_id"
    " WHERE edit.row_id = :row_id ORDER BY edit.id";

static const char LANE_BEFORE[] =
    "SELECT series.lane_id FROM edit JOIN series ON series.id = edit.series_id"
    " WHERE edit.row_id = :row_id AND edit.edited_at >= :since_at"
    " ORDER BY edit.id LIMIT 1";

static const char FORGET[] = "DELETE FROM edit WHERE row_id = :row_id";

static const char FORGET_REPLAYED[] =
    "DELETE FROM edit WHERE row_id IN"
    " (SELECT origin.id FROM origin"
    "  WHERE origin.id BETWEEN :first AND :last AND EXISTS"
    "  (SELECT 1 FROM metric WHERE metric.lane_id = :lane_id"
    "   AND metric.id = origin.id))";

static const char FOLLOW[] =
    "UPDATE edit SET row_id = :new_id WHERE row_id = :row_id";

/* An edit under way. */
struct editing {
	struct db *db;
	struct edit *edit;
	struct reshaped reshaped;
	struct fault fault;
	int result;
};

static int
keep(struct db *db, const struct edit *edit, const struct deadletter_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, KEEP)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row->id);
	db_bind_int(db, stmt, ":series_id", row->series_id);
	db_bind_int(db, stmt, ":edited_at", edit->now_ms);
	db_bind_text(db, stmt, ":edited_by", edit->edited_by);
	db_bind_int(db, stmt, ":operation_id", edit->operation_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Give ${row} the series of its new shape. */
static int
change(struct editing *editing, const struct deadletter_row *row)
{
	const struct entry *entry = &editing->reshaped.entry;
	const struct entry_wire *wire = &editing->reshaped.wire;
	struct db *db = editing->db;
	int64_t lane_id, series_id;

	if (lane_intern(db, entry->ns, entry->region, entry->account, &lane_id))
		return -1;
	if (series_intern(db, lane_id, entry->metric,
		text_string(&wire->dimensions), text_string(&wire->wire),
		wire->wire.len, &series_id))
		return -1;
	if (keep(db, editing->edit, row))
		return -1;
	return deadletter_set_series(db, row->id, series_id) == -1 ? -1 : 0;
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct editing *editing = cookie;
	struct edit *edit = editing->edit;

	switch (reshape(&editing->reshaped, row, edit->changes,
	    edit->change_count, edit->config, &editing->fault)) {
	case RESHAPE_FAILED:
		editing->result = db_fail(editing->db, &editing->fault);
		break;
	case RESHAPE_SAME:
		edit->unchanged++;
		break;
	case RESHAPE_INVALID:
		edit->invalid++;
		break;
	case RESHAPE_CHANGED:
		editing->result = change(editing, row);
		edit->edited++;
		break;
	}
	return editing->result;
}

int
edit_rows(struct db *db, struct edit *edit, const int64_t *ids, size_t count)
{
	struct editing editing = { .db = db, .edit = edit };
	size_t i;

	for (i = 0; i < count && editing.result == 0; i++)
		if (deadletter_show(db, ids[i], on_row, &editing) == -1)
			editing.result = -1;
	reshape_free(&editing.reshaped);
	return editing.result;
}

int64_t
edit_list(struct db *db, int64_t row_id, edit_visit *visit, void *cookie)
{
	struct sqlite3_stmt *stmt;
	struct edit_row row;
	enum db_stepped stepped;
	int64_t visited = 0;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row_id);
	while ((stepped = db_step(db, stmt)) == DB_ROW) {
		row.edited_at = db_column_int(stmt, 0);
		row.operation_id = db_column_int(stmt, 1);
		row.edited_by = db_column_text(stmt, 2);
		row.ns = db_column_text(stmt, 3);
		row.region = db_column_text(stmt, 4);
		row.metric = db_column_text(stmt, 5);
		row.dimensions = db_column_text(stmt, 6);
		visited++;
		if (visit(cookie, &row) != 0)
			break;
	}
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return visited;
}

int
edit_lane_before(
    struct db *db, int64_t row_id, int64_t since_at, int64_t *lane_id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, LANE_BEFORE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row_id);
	db_bind_int(db, stmt, ":since_at", since_at);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*lane_id = db_column_int(stmt, 0);
	db_reset(stmt);
	return 1;
}

/* ---- where the rows go, their records go ---- */

int
edit_forget(struct db *db, int64_t row_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
edit_forget_replayed(
    struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET_REPLAYED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
edit_follow(struct db *db, int64_t row_id, int64_t new_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FOLLOW)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":row_id", row_id);
	db_bind_int(db, stmt, ":new_id", new_id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}
