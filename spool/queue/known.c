#include "known.h"

#include "db.h"

static const char NAMESPACES[] =
    "SELECT DISTINCT lane.namespace, '' FROM lane WHERE EXISTS"
    " (SELECT 1 FROM attempt WHERE attempt.lane_id = lane.id"
    "  AND attempt.outcome = 'delivered')";

static const char SERIES[] =
    "SELECT series.metric, series.dimensions FROM series"
    " WHERE series.lane_id = :lane_id"
    " AND NOT EXISTS (SELECT 1 FROM suspect"
    "  WHERE suspect.series_id = series.id)"
    " AND NOT EXISTS (SELECT 1 FROM dead_letter"
    "  WHERE dead_letter.series_id = series.id)"
    " AND NOT EXISTS (SELECT 1 FROM edit"
    "  WHERE edit.series_id = series.id)"
    " ORDER BY series.id DESC LIMIT :most";

static int
visit_all(
    struct db *db, struct sqlite3_stmt *stmt, known_visit *visit, void *cookie)
{
	enum db_stepped stepped;

	while ((stepped = db_step(db, stmt)) == DB_ROW)
		if (visit(cookie, db_column_text(stmt, 0),
			db_column_text(stmt, 1)) != 0)
			break;
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return 0;
}

int
known_namespaces(struct db *db, known_visit *visit, void *cookie)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, NAMESPACES)) == NULL)
		return -1;
	return visit_all(db, stmt, visit, cookie);
}

int
known_series(struct db *db, int64_t lane_id, int64_t most, known_visit *visit,
    void *cookie)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, SERIES)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":most", most);
	return visit_all(db, stmt, visit, cookie);
}
