#include "deadletter.h"

#include "db.h"

/* The example is the first row of its group. */
static const char GROUPS[] =
    "SELECT grouped.code, grouped.cause, grouped.namespace, grouped.metric,"
    "  grouped.rows, grouped.first_died_at, grouped.last_died_at,"
    "  example.id, example.message, ifnull(example.http_status, 0)"
    " FROM (SELECT dead_letter.code AS code, dead_letter.cause AS cause,"
    "   ifnull(lane.namespace, '') AS namespace,"
    "   ifnull(series.metric, '') AS metric, count(*) AS rows,"
    "   min(dead_letter.died_at) AS first_died_at,"
    "   max(dead_letter.died_at) AS last_died_at,"
    "   min(dead_letter.id) AS example_id"
    "  FROM dead_letter"
    "  LEFT JOIN series ON series.id = dead_letter.series_id"
    "  LEFT JOIN lane ON lane.id = series.lane_id"
    "  GROUP BY 1, 2, 3, 4) AS grouped"
    " JOIN dead_letter AS example ON example.id = grouped.example_id"
    " ORDER BY grouped.rows DESC, grouped.example_id";

/* In this order: where few died, few are looked at. */
static const char RECENT[] =
    "SELECT lane.id, count(*) FROM"
    " (SELECT series_id, died_at, cause FROM dead_letter"
    "  WHERE died_at > :after AND died_at <= :until"
    "  ORDER BY died_at DESC LIMIT :most) AS recent"
    " CROSS JOIN series ON series.id = recent.series_id"
    " CROSS JOIN lane ON lane.id = series.lane_id"
    " WHERE recent.cause <> 'import' AND (lane.state <> 'ready'"
    "  OR recent.died_at >= ifnull(lane.since_at, 0))"
    " GROUP BY lane.id ORDER BY lane.id";

int64_t
deadletter_groups(struct db *db, deadletter_group_visit *visit, void *cookie)
{
	struct sqlite3_stmt *stmt;
	struct deadletter_group group;
	enum db_stepped stepped;
	int64_t visited = 0;

	if ((stmt = db_prepare(db, GROUPS)) == NULL)
		return -1;
	while ((stepped = db_step(db, stmt)) == DB_ROW) {
		group.code = db_column_optional(stmt, 0, -1);
		group.cause = db_column_text(stmt, 1);
		group.ns = db_column_text(stmt, 2);
		group.metric = db_column_text(stmt, 3);
		group.rows = db_column_int(stmt, 4);
		group.first_died_at = db_column_int(stmt, 5);
		group.last_died_at = db_column_int(stmt, 6);
		group.example_id = db_column_int(stmt, 7);
		group.message = db_column_text(stmt, 8);
		group.http_status = db_column_int(stmt, 9);
		visited++;
		if (visit(cookie, &group) != 0)
			break;
	}
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return visited;
}

int
deadletter_recent(struct db *db, int64_t after, int64_t until, int64_t most,
    deadletter_recent_visit *visit, void *cookie)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, RECENT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":until", until);
	db_bind_int(db, stmt, ":most", most);
	while ((stepped = db_step(db, stmt)) == DB_ROW)
		visit(cookie, db_column_int(stmt, 0), db_column_int(stmt, 1));
	return stepped == DB_FAILED ? -1 : 0;
}
