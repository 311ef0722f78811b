#include "operation_group.h"

#include <string.h>

#include "db.h"
#include "listing.h"
#include "operation.h"
#include "origin.h"
#include "replay.h"

static const char *const STATES[] = {
	[GROUP_WAITING] = "waiting",
	[GROUP_CANARY] = "canary",
	[GROUP_MOVING] = "moving",
	[GROUP_MOVED] = "moved",
	[GROUP_REFUSED] = "refused",
};
#define STATE_COUNT ((int)(sizeof(STATES) / sizeof(STATES[0])))

static const char MAKE[] =
    "INSERT INTO operation_group (operation_id, lane_id, code, metric, state)"
    " VALUES (:operation_id, :lane_id, :code, :metric, :state) RETURNING id";

static const char ADD_ROW[] =
    "INSERT OR IGNORE INTO operation_row (group_id, row_id)"
    " VALUES (:id, :row_id)";

static const char ADD_MATCHED[] =
    "UPDATE operation_group SET matched = matched + :count WHERE id = :id";

static const char LIST[] =
    "SELECT id, operation_id, lane_id, code, state, matched, replayed,"
    "  delivered, refused_again FROM operation_group"
    " WHERE operation_id = :operation_id AND id > :after"
    " AND state IN ('waiting', 'canary', 'moving')"
    " ORDER BY id LIMIT :count";

static const char CHOOSE[] =
    "SELECT row_id FROM operation_row WHERE group_id = :id"
    " ORDER BY row_id LIMIT :most";

static const char TAKE[] =
    "DELETE FROM operation_row WHERE group_id = :id AND row_id <= :last";

static const char FORGET_ROWS[] =
    "DELETE FROM operation_row WHERE group_id = :id";

static const char MOVED[] =
    "UPDATE operation_group SET replayed = replayed + :count, state = :state"
    " WHERE id = :id";

static const char ANY_ROW[] =
    "SELECT 1 FROM operation_row WHERE group_id = :id LIMIT 1";

static const char PENDS[] =
    "SELECT 1 FROM origin WHERE group_id = :id AND NOT EXISTS"
    " (SELECT 1 FROM dead_letter WHERE dead_letter.id = origin.id) LIMIT 1";

static const char LEFT[] =
    "SELECT 1 FROM operation_group WHERE operation_id = :id"
    " AND (state IN ('waiting', 'canary', 'moving')"
    "  OR (replayed > delivered + refused_again AND EXISTS"
    "   (SELECT 1 FROM origin WHERE origin.group_id = operation_group.id"
    "    AND NOT EXISTS (SELECT 1 FROM dead_letter"
    "     WHERE dead_letter.id = origin.id)))) LIMIT 1";

static const char FORGET_ALL[] =
    "DELETE FROM operation_row WHERE group_id IN"
    " (SELECT id FROM operation_group WHERE operation_id = :id)";

static const char REMOVE_ALL[] =
    "DELETE FROM operation_group WHERE operation_id = :id";

static const char DELIVERED[] =
    "UPDATE operation_group SET delivered = delivered +"
    "  (SELECT count(*) FROM origin WHERE origin.group_id = operation_group.id"
    "   AND origin.id BETWEEN :first AND :last AND EXISTS"
    "   (SELECT 1 FROM metric WHERE metric.lane_id = :lane_id"
    "    AND metric.id = origin.id))"
    " WHERE id IN (SELECT group_id FROM origin"
    "  WHERE origin.id BETWEEN :first AND :last)";

static const char REFUSED[] =
    "UPDATE operation_group SET refused_again = refused_again + 1"
    " WHERE id = (SELECT group_id FROM origin WHERE origin.id = :id)";

/* Run a statement whose one parameter is :id. */
static int
run(struct db *db, const char *sql, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Whether it has a row: 1, 0, -1. */
static int
ask(struct db *db, const char *sql, int64_t id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) == DB_ROW)
		db_reset(stmt);
	return (int)stepped;
}

int
operation_group_new(
    struct db *db, struct operation_group_row *row, const char *metric)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, MAKE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":operation_id", row->operation_id);
	db_bind_int(db, stmt, ":lane_id", row->lane_id);
	db_bind_optional(db, stmt, ":code", row->code, -1);
	db_bind_text(db, stmt, ":metric", metric);
	db_bind_text(db, stmt, ":state", STATES[row->state]);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	row->id = db_column_int(stmt, 0);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
operation_group_add(
    struct db *db, int64_t id, const int64_t *row_ids, size_t count)
{
	struct sqlite3_stmt *stmt;
	int64_t added = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if ((stmt = db_prepare(db, ADD_ROW)) == NULL)
			return -1;
		db_bind_int(db, stmt, ":id", id);
		db_bind_int(db, stmt, ":row_id", row_ids[i]);
		if (db_step(db, stmt) != DB_DONE)
			return -1;
		added += db_changes(db);
	}
	if ((stmt = db_prepare(db, ADD_MATCHED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":count", added);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static enum operation_group_state
state_named(const char *name)
{
	int state;

	for (state = STATE_COUNT - 1; state > 0; state--)
		if (strcmp(STATES[state], name) == 0)
			break;
	return (enum operation_group_state)state;
}

int
operation_group_list(struct db *db, int64_t operation_id, int64_t after,
    struct operation_group_row *rows, int count)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped = DB_DONE;
	int n;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":operation_id", operation_id);
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":count", count);
	for (n = 0; n < count; n++) {
		if ((stepped = db_step(db, stmt)) != DB_ROW)
			break;
		rows[n] = (struct operation_group_row){ .id = db_column_int(
							    stmt, 0),
			.operation_id = db_column_int(stmt, 1),
			.lane_id = db_column_int(stmt, 2),
			.code = db_column_optional(stmt, 3, -1),
			.state = state_named(db_column_text(stmt, 4)),
			.matched = db_column_int(stmt, 5),
			.replayed = db_column_int(stmt, 6),
			.delivered = db_column_int(stmt, 7),
			.refused_again = db_column_int(stmt, 8) };
	}
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return n;
}

/* ---- moving ---- */

static int
choose(struct db *db, int64_t id, int64_t most, struct listing_ids *ids)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, CHOOSE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":most", most);
	return listing_add_ids(db, stmt, ids);
}

/* They are no longer to be moved. */
static int
take(struct db *db, int64_t id, const struct listing_ids *ids)
{
	struct sqlite3_stmt *stmt;

	if (ids->count == 0)
		return 0;
	if ((stmt = db_prepare(db, TAKE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":last", ids->ids[ids->count - 1]);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
set(struct db *db, int64_t id, int64_t moved, enum operation_group_state state)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, MOVED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":count", moved);
	db_bind_text(db, stmt, ":state", STATES[state]);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Canaries that were not dead any more tell nothing: the next rows go. */
static int
next_state(
    struct db *db, const struct operation_group_row *group, int64_t moved)
{
	int left = ask(db, ANY_ROW, group->id);

	if (left == -1)
		return -1;
	if (group->state == GROUP_WAITING && moved > 0)
		return GROUP_CANARY;
	return left == 1 ? (int)group->state : GROUP_MOVED;
}

static int64_t
move(struct db *db, const struct operation_group_row *group,
    const struct listing_ids *ids, int64_t now_ms)
{
	int64_t moved;
	int state;

	moved = replay_rows(
	    db, ids->ids, ids->count, group->id, group->state == GROUP_WAITING);
	if (moved == -1 || take(db, group->id, ids) ||
	    (state = next_state(db, group, moved)) == -1 ||
	    set(db, group->id, moved, (enum operation_group_state)state) ||
	    operation_count(db, group->operation_id, 0,
		(int64_t)ids->count - moved, now_ms) ||
	    operation_set(db, group->operation_id, OPERATION_RUNNING, now_ms) ==
		-1)
		return -1;
	return moved;
}

int64_t
operation_group_move(struct db *db, const struct operation_group_row *group,
    int64_t most, int64_t now_ms)
{
	struct listing_ids ids = { 0 };
	int64_t moved = -1;

	if (most > OPERATION_ROWS)
		most = OPERATION_ROWS;
	/* One bracket: a row is dead and to be moved, or pending and counted. */
	if (db_begin(db))
		return -1;
	if (choose(db, group->id, most, &ids) ||
	    (moved = move(db, group, &ids, now_ms)) == -1)
		db_rollback(db);
	else if (db_commit(db))
		moved = -1;
	listing_free_ids(&ids);
	return moved;
}

int
operation_group_judge(
    struct db *db, const struct operation_group_row *group, bool accepted)
{
	int left;

	if (db_begin(db))
		return -1;
	if ((left = ask(db, ANY_ROW, group->id)) == -1 ||
	    (!accepted && run(db, FORGET_ROWS, group->id)) ||
	    set(db, group->id, 0,
		!accepted       ? GROUP_REFUSED
		    : left == 1 ? GROUP_MOVING
				: GROUP_MOVED)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

int
operation_group_pends(struct db *db, const struct operation_group_row *group)
{
	if (group->replayed <= group->delivered + group->refused_again)
		return 0;
	return ask(db, PENDS, group->id);
}

int
operation_group_left(struct db *db, int64_t operation_id)
{
	return ask(db, LEFT, operation_id);
}

int
operation_group_forget(struct db *db, int64_t operation_id)
{
	return run(db, FORGET_ALL, operation_id);
}

int
operation_group_remove(struct db *db, int64_t operation_id)
{
	return run(db, FORGET_ALL, operation_id) ||
		run(db, REMOVE_ALL, operation_id)
	    ? -1
	    : 0;
}

/* ---- what becomes of the rows ---- */

int
operation_group_delivered(
    struct db *db, int64_t lane_id, int64_t first, int64_t last)
{
	struct sqlite3_stmt *stmt;
	int found;

	if ((found = origin_any(db, first - 1)) != 1)
		return found;
	if ((stmt = db_prepare(db, DELIVERED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":first", first);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
operation_group_refused(struct db *db, int64_t id)
{
	return run(db, REFUSED, id);
}
