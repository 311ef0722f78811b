#include "border.h"

#include "db.h"

static const char ROW[] =
    "SELECT metric.id, metric.accepted_at, origin.id IS NOT NULL"
    " FROM metric LEFT JOIN origin ON origin.id = metric.id"
    " WHERE metric.lane_id = :lane_id AND metric.id >= :id"
    " ORDER BY metric.id LIMIT 1";

static const char ENDS[] =
    "SELECT (SELECT id FROM metric WHERE lane_id = :lane_id"
    "  ORDER BY id LIMIT 1),"
    " (SELECT id FROM metric WHERE lane_id = :lane_id"
    "  ORDER BY id DESC LIMIT 1)";

int
border_row(struct db *db, int64_t lane_id, int64_t from, struct border_row *row)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, ROW)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", from);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	row->id = db_column_int(stmt, 0);
	row->accepted_at = db_column_int(stmt, 1);
	row->replayed = db_column_int(stmt, 2) != 0;
	db_reset(stmt);
	return 1;
}

int
border_ends(struct db *db, int64_t lane_id, int64_t *first, int64_t *last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, ENDS)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	*first = db_column_optional(stmt, 0, -1);
	*last = db_column_optional(stmt, 1, -1);
	/* Both are damage; differences shall not overflow. */
	if (*first < -1)
		*first = 0;
	if (*last == INT64_MAX)
		*last = INT64_MAX - 1;
	db_reset(stmt);
	return 0;
}

bool
border_is_late(const struct border_row *row, int64_t late_before)
{
	return !row->replayed && row->accepted_at < late_before;
}

int
border_find(struct db *db, int64_t lane_id, int64_t late_before, int64_t low,
    int64_t high, int64_t *border)
{
	struct border_row row;
	int64_t middle;
	int found;

	while (low < high) {
		middle = low + (high - low) / 2;
		if ((found = border_row(db, lane_id, middle, &row)) == -1)
			return -1;
		if (found == 1 && border_is_late(&row, late_before))
			low = row.id < high ? row.id + 1 : high;
		else
			high = middle;
	}
	*border = low;
	return 0;
}
