#include "operation.h"

#include <string.h>

#include "base/number.h"
#include "cell.h"
#include "db.h"
#include "fetch.h"
#include "operation_group.h"

/* One that did not move for so long has nobody who carries it out. */
#define LEFT_MS 60000

static const char *const KINDS[] = {
	[OPERATION_REPLAY] = "replay",
	[OPERATION_EDIT] = "edit",
	[OPERATION_PURGE] = "purge",
	[OPERATION_IMPORT] = "import",
};
static const char *const STATES[] = {
	[OPERATION_CHOOSING] = "choosing",
	[OPERATION_WAITING] = "waiting",
	[OPERATION_RUNNING] = "running",
	[OPERATION_DONE] = "done",
	[OPERATION_CANCELLED] = "cancelled",
};
/* More than are made, so that what piled up is worked off. */
#define PRUNED_AT_ONCE 16

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char SWEEP[] =
    "UPDATE operation SET state = 'cancelled', ended_at = moved_at"
    " WHERE ended_at IS NULL AND moved_at < :before"
    " AND (state = 'choosing' OR kind <> 'replay')";

static const char MAKE[] =
    "INSERT INTO operation (kind, state, asked_by, asked_at, moved_at,"
    "  selection, matched, skipped, canary, replay_rate)"
    " VALUES (:kind, :state, :asked_by, :asked_at, :asked_at, :selection,"
    "  :matched, :skipped, :canary, :rate) RETURNING id";

/* The oldest ended ones alone are looked at. */
static const char PAST[] =
    "SELECT id FROM (SELECT id, ended_at FROM operation"
    "  WHERE ended_at IS NOT NULL AND id <= :newest - :kept"
    "  ORDER BY id LIMIT :count)"
    " WHERE ended_at < :before OR id <= :newest - :most ORDER BY id";

static const char REMOVE[] = "DELETE FROM operation WHERE id = :id";

#define SELECT_OPERATION \
	"SELECT operation.id, operation.kind, operation.state," \
	"  operation.asked_by, operation.selection, operation.asked_at," \
	"  operation.moved_at, operation.ended_at, operation.matched," \
	"  operation.done, operation.skipped, operation.canary," \
	"  operation.replay_rate, count(operation_group.id)," \
	"  ifnull(sum(operation_group.state = 'refused'), 0)," \
	"  ifnull(sum(operation_group.replayed), 0)," \
	"  ifnull(sum(operation_group.delivered), 0)," \
	"  ifnull(sum(operation_group.refused_again), 0)" \
	" FROM operation LEFT JOIN operation_group" \
	"  ON operation_group.operation_id = operation.id"

static const char LOAD[] = SELECT_OPERATION
    " WHERE operation.id = :id GROUP BY operation.id";

static const char LIST[] = SELECT_OPERATION
    " WHERE operation.id > :after AND operation.ended_at IS NULL"
    " GROUP BY operation.id ORDER BY operation.id LIMIT :count";

static const char FIND_IMPORT[] = SELECT_OPERATION
    " WHERE operation.kind = 'import' AND operation.selection = :selection"
    " GROUP BY operation.id ORDER BY operation.id DESC LIMIT 1";

static const char SET[] =
    "UPDATE operation SET state = :state, moved_at = :now,"
    "  ended_at = iif(:ended, :now, NULL)"
    " WHERE id = :id AND ended_at IS NULL";

static const char REOPEN[] =
    "UPDATE operation SET state = 'running', moved_at = :now, ended_at = NULL"
    " WHERE id = :id";

static const char COUNT[] =
    "UPDATE operation SET done = done + :done, skipped = skipped + :skipped,"
    "  moved_at = :now WHERE id = :id";

const char *
operation_kind_name(enum operation_kind kind)
{
	return KINDS[kind];
}

const char *
operation_state_name(enum operation_state state)
{
	return STATES[state];
}

/* The index of ${name} among ${names}; 0 for a word that is none of ours. */
static size_t
named(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = count; i-- > 1;)
		if (strcmp(names[i], name) == 0)
			break;
	return i;
}

static int
sweep(struct db *db, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, SWEEP)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":before", now_ms - LEFT_MS);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
read_id(struct db *db, struct sqlite3_stmt *stmt, void *into)
{
	(void)db;
	*(int64_t *)into = db_column_int(stmt, 0);
	return 0;
}

static int
remove_one(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if (operation_group_remove(db, id) ||
	    (stmt = db_prepare(db, REMOVE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
prune(struct db *db, int64_t newest, int64_t now_ms)
{
	int64_t ids[PRUNED_AT_ONCE];
	struct sqlite3_stmt *stmt;
	int count, i;

	if ((stmt = db_prepare(db, PAST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":newest", newest);
	db_bind_int(db, stmt, ":kept", OPERATION_KEPT);
	db_bind_int(db, stmt, ":most", OPERATION_KEPT_MOST);
	db_bind_int(db, stmt, ":before", now_ms - OPERATION_KEPT_MS);
	db_bind_int(db, stmt, ":count", PRUNED_AT_ONCE);
	count = fetch_page(
	    db, stmt, read_id, ids, sizeof(ids[0]), PRUNED_AT_ONCE);
	for (i = 0; i < count; i++)
		if (remove_one(db, ids[i]))
			return -1;
	return count == -1 ? -1 : 0;
}

int
operation_new(struct db *db, struct operation_row *row)
{
	char rate[NUMBER_TEXT_SIZE];
	struct sqlite3_stmt *stmt;

	number_print(rate, row->rate);
	if (sweep(db, row->asked_at) || (stmt = db_prepare(db, MAKE)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":kind", KINDS[row->kind]);
	db_bind_text(db, stmt, ":state", STATES[row->state]);
	db_bind_text(db, stmt, ":asked_by", row->asked_by);
	db_bind_int(db, stmt, ":asked_at", row->asked_at);
	db_bind_text(db, stmt, ":selection", row->selection);
	db_bind_int(db, stmt, ":matched", row->matched);
	db_bind_int(db, stmt, ":skipped", row->skipped);
	db_bind_int(db, stmt, ":canary", row->canary);
	db_bind_text(db, stmt, ":rate", rate);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	row->id = db_column_int(stmt, 0);
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	return prune(db, row->id, row->asked_at);
}

static int
read_row(struct db *db, struct sqlite3_stmt *stmt, void *into)
{
	struct operation_row *row = into;

	(void)db;
	row->id = db_column_int(stmt, 0);
	row->kind = (enum operation_kind)named(
	    KINDS, LENGTH(KINDS), db_column_text(stmt, 1));
	row->state = (enum operation_state)named(
	    STATES, LENGTH(STATES), db_column_text(stmt, 2));
	cell_copy(row->asked_by, sizeof(row->asked_by), stmt, 3);
	cell_copy(row->selection, sizeof(row->selection), stmt, 4);
	row->asked_at = db_column_int(stmt, 5);
	row->moved_at = db_column_int(stmt, 6);
	row->ended_at = db_column_optional(stmt, 7, -1);
	row->matched = db_column_int(stmt, 8);
	row->done = db_column_int(stmt, 9);
	row->skipped = db_column_int(stmt, 10);
	row->canary = db_column_int(stmt, 11);
	if (number_read(db_column_text(stmt, 12), db_column_len(stmt, 12),
		&row->rate) ||
	    row->rate < 0)
		row->rate = 0;
	row->groups = db_column_int(stmt, 13);
	row->canaries_refused = db_column_int(stmt, 14);
	row->replayed = db_column_int(stmt, 15);
	row->delivered = db_column_int(stmt, 16);
	row->refused_again = db_column_int(stmt, 17);
	return 0;
}

int
operation_load(struct db *db, int64_t id, struct operation_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return fetch_one(db, stmt, read_row, row);
}

int
operation_list(
    struct db *db, int64_t after, struct operation_row *rows, int count)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":count", count);
	return fetch_page(db, stmt, read_row, rows, sizeof(*rows), count);
}

int
operation_set(
    struct db *db, int64_t id, enum operation_state state, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, SET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_text(db, stmt, ":state", STATES[state]);
	db_bind_int(db, stmt, ":now", now_ms);
	db_bind_int(db, stmt, ":ended",
	    state == OPERATION_DONE || state == OPERATION_CANCELLED);
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	return db_changes(db) > 0;
}

int
operation_count(
    struct db *db, int64_t id, int64_t done, int64_t skipped, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, COUNT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":done", done);
	db_bind_int(db, stmt, ":skipped", skipped);
	db_bind_int(db, stmt, ":now", now_ms);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Go to a last ${state}; rows that were still to be moved are forgotten. */
static int
end(struct db *db, int64_t id, enum operation_state state, int64_t now_ms)
{
	int changed;

	/* In one bracket with its rows: an ended one has none. */
	if (db_begin(db))
		return -1;
	if (operation_group_forget(db, id) ||
	    (changed = operation_set(db, id, state, now_ms)) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db) ? -1 : changed;
}

int
operation_settle(struct db *db, int64_t id, int64_t now_ms)
{
	int left;

	if ((left = operation_group_left(db, id)) != 0)
		return left == 1 ? 0 : -1;
	return end(db, id, OPERATION_DONE, now_ms) == -1 ? -1 : 1;
}

int
operation_cancel(struct db *db, int64_t id, int64_t now_ms)
{
	return end(db, id, OPERATION_CANCELLED, now_ms);
}

int
operation_reopen(struct db *db, int64_t id, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REOPEN)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":now", now_ms);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
operation_find_import(
    struct db *db, const char *selection, struct operation_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FIND_IMPORT)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":selection", selection);
	return fetch_one(db, stmt, read_row, row);
}
