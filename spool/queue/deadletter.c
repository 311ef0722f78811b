#include "deadletter.h"

#include <stddef.h>

#include "base/text.h"
#include "db.h"
#include "lane.h"
#include "ledger.h"
#include "metric.h"
#include "operation_group.h"
#include "series.h"

static const char COPY_ROW[] =
    "INSERT INTO dead_letter (id, series_id, value, accepted_at, observed_at,"
    "  expires_at, attempts, died_at, cause, code, scope, message,"
    "  http_status, attempt_id, alone, contrast, evidence)"
    " SELECT id, ifnull(:lost_id, series_id), ifnull(value, ''),"
    "  ifnull(accepted_at, 0), observed_at, expires_at,"
    "  ifnull(attempts, 0), :died_at, :cause, :code, :scope, :message,"
    "  :http_status, :attempt_id, :alone, :contrast, :evidence"
    " FROM metric WHERE lane_id = :lane_id AND id = :id";

/* A row whose series is not there, or of another lane: it is damaged. */
static const char IS_LOST[] =
    "SELECT 1 FROM metric WHERE lane_id = :lane_id AND id = :id"
    " AND NOT EXISTS (SELECT 1 FROM series"
    "  WHERE series.id = metric.series_id"
    "  AND series.lane_id = metric.lane_id)";

static const char LANE[] = "SELECT series.lane_id FROM dead_letter"
			   " JOIN series ON series.id = dead_letter.series_id"
			   " WHERE dead_letter.id = :id";

static const char REMOVE[] = "DELETE FROM dead_letter WHERE id = :id";

static const char SET_SERIES[] =
    "UPDATE dead_letter SET series_id = :series_id WHERE id = :id";

static const char IMPORT[] =
    "INSERT INTO dead_letter (id, series_id, value, accepted_at, observed_at,"
    "  attempts, died_at, cause, code, scope, message, alone)"
    " VALUES (:id, :series_id, :value, :accepted_at, :observed_at,"
    "  :attempts, :died_at, 'import', :code, 'none', :message, 0)";

/* The series that stands for one that is lost, into ${lost_id}, if that of the
 * row is; else -1.  It has no wire text, so that nothing is sent by it. */
static int
find_lost(struct db *db, int64_t lane_id, int64_t id, int64_t *lost_id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	*lost_id = -1;
	if ((stmt = db_prepare(db, IS_LOST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	db_reset(stmt);
	return series_intern(db, lane_id, "(lost)", "{}", "", 0, lost_id);
}

/* Copy the row, if it is still queued; what damage left out of it as well.
 * Return the rows copied, or -1. */
static int64_t
copy_row(struct db *db, int64_t lane_id, int64_t id, const struct death *death)
{
	struct sqlite3_stmt *copy;
	int64_t lost_id;

	if (find_lost(db, lane_id, id, &lost_id) ||
	    (copy = db_prepare(db, COPY_ROW)) == NULL)
		return -1;
	db_bind_optional(db, copy, ":lost_id", lost_id, -1);
	db_bind_int(db, copy, ":died_at", death->died_at);
	db_bind_text(db, copy, ":cause", death->cause);
	db_bind_optional(db, copy, ":code", death->code, -1);
	db_bind_text(db, copy, ":scope", death->scope);
	db_bind_text(
	    db, copy, ":message", death->message == NULL ? "" : death->message);
	db_bind_optional(db, copy, ":http_status", death->http_status, 0);
	db_bind_optional(db, copy, ":attempt_id", death->attempt_id, -1);
	db_bind_int(db, copy, ":alone", death->alone);
	db_bind_text(db, copy, ":contrast", death->contrast);
	db_bind_text(db, copy, ":evidence",
	    death->evidence == NULL ? "" : death->evidence);
	db_bind_int(db, copy, ":lane_id", lane_id);
	db_bind_int(db, copy, ":id", id);
	if (db_step(db, copy) != DB_DONE) /* reports a failed bind, too */
		return -1;
	return db_changes(db);
}

int
deadletter_move(
    struct db *db, int64_t lane_id, int64_t id, const struct death *death)
{
	int64_t copied;

	/* One bracket: after a crash the row is whole, and on one side. */
	if (db_begin(db))
		return -1;
	if ((copied = copy_row(db, lane_id, id, death)) == -1)
		goto rollback;
	if (metric_take(db, lane_id, id) != copied ||
	    lane_count(db, lane_id, -copied) ||
	    ledger_move(db, LEDGER_PENDING, LEDGER_DEAD, copied) ||
	    (copied == 1 && operation_group_refused(db, id)))
		goto rollback;
	return db_commit(db) ? -1 : (int)copied;

rollback:
	db_rollback(db); /* db_error() still says what failed first */
	return -1;
}

int
deadletter_lane(struct db *db, int64_t id, int64_t *lane_id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, LANE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*lane_id = db_column_int(stmt, 0);
	db_reset(stmt);
	return 1;
}

int64_t
deadletter_remove(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REMOVE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int64_t
deadletter_set_series(struct db *db, int64_t id, int64_t series_id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, SET_SERIES)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":series_id", series_id);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int
deadletter_import(struct db *db, const struct deadletter_new *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, IMPORT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", row->id);
	db_bind_int(db, stmt, ":series_id", row->series_id);
	db_bind_text_static(db, stmt, ":value", row->value, row->value_len);
	db_bind_int(db, stmt, ":accepted_at", row->accepted_at);
	db_bind_optional(db, stmt, ":observed_at", row->observed_at, -1);
	db_bind_int(db, stmt, ":attempts", row->attempts);
	db_bind_int(db, stmt, ":died_at", row->died_at);
	db_bind_optional(db, stmt, ":code", row->code, -1);
	db_bind_text(db, stmt, ":message", row->message);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}
