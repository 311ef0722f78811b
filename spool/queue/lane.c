#include "lane.h"

#include <string.h>

#include "base/fault.h"
#include "cell.h"
#include "db.h"
#include "fetch.h"
#include "wish.h"

#define LANE_COLUMNS \
	"id, namespace, region, account, pending, state, since_at, wake_at," \
	" failures, scope, held_by, reason, code, row_cap, byte_cap," \
	" doomed_through, doomed_code, doomed_attempt, doomed_message," \
	" held_until, asked"

static const char FIND[] = "SELECT id FROM lane WHERE namespace = :namespace"
			   " AND region = :region AND account = :account";

static const char MAKE[] =
    "INSERT INTO lane (namespace, region, account)"
    " VALUES (:namespace, :region, :account) RETURNING id";

static const char LOAD[] = "SELECT " LANE_COLUMNS " FROM lane WHERE id = :id";

static const char LIST[] = "SELECT " LANE_COLUMNS " FROM lane WHERE id > :after"
			   " ORDER BY id LIMIT :count";

static const char STORE[] =
    "UPDATE lane SET state = :state, since_at = :since_at,"
    "  wake_at = :wake_at, failures = :failures, scope = :scope,"
    "  held_by = :held_by, held_until = :held_until,"
    "  reason = :reason, code = :code,"
    "  row_cap = :row_cap, byte_cap = :byte_cap,"
    "  doomed_through = :doomed_through, doomed_code = :doomed_code,"
    "  doomed_attempt = :doomed_attempt, doomed_message = :doomed_message"
    " WHERE id = :id";

static const char COUNT[] = "UPDATE lane SET pending = pending + :delta"
			    " WHERE id = :id AND pending + :delta >= 0";

#define UNUSED \
	" FROM lane WHERE id = :id AND state = 'ready' AND pending = 0" \
	" AND asked IS NULL AND id < (SELECT max(id) FROM lane)" \
	" AND NOT EXISTS (SELECT 1 FROM metric WHERE lane_id = :id)" \
	" AND NOT EXISTS (SELECT 1 FROM attempt WHERE lane_id = :id)" \
	" AND NOT EXISTS (SELECT 1 FROM series WHERE lane_id = :id)"

static const char IS_UNUSED[] = "SELECT 1" UNUSED;
static const char COLLECT[] = "DELETE" UNUSED;

static const char *const STATES[] = {
	[LANE_READY] = "ready",
	[LANE_WAITING] = "waiting",
	[LANE_HELD] = "held",
};
#define STATE_COUNT ((int)(sizeof(STATES) / sizeof(STATES[0])))

/* Run FIND or MAKE: 1 with the id, 0 none, -1. */
static int
ask_id(struct db *db, const char *sql, const char *ns, const char *region,
    const char *account, int64_t *id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":namespace", ns);
	db_bind_text(db, stmt, ":region", region);
	db_bind_text(db, stmt, ":account", account);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*id = db_column_int(stmt, 0);
	/* A statement with RETURNING is over only when it was stepped so far. */
	return db_step(db, stmt) == DB_DONE ? 1 : -1;
}

int
lane_intern(struct db *db, const char *ns, const char *region,
    const char *account, int64_t *id)
{
	int found;

	if ((found = ask_id(db, FIND, ns, region, account, id)) != 0)
		return found == 1 ? 0 : -1;
	return ask_id(db, MAKE, ns, region, account, id) == 1 ? 0 : -1;
}

/* A name that would have to be cut, or that ends at a NUL, would send rows
 * under a wrong one. */
static int
check_names(struct db *db, struct sqlite3_stmt *stmt)
{
	struct fault fault = { 0 };
	int column;

	for (column = 1; column <= 3; column++)
		if (db_column_len(stmt, column) >= LANE_TEXT ||
		    strlen(db_column_text(stmt, column)) !=
			db_column_len(stmt, column))
			break;
	if (column > 3)
		return 0;
	fault_set(&fault, FAULT_CORRUPT,
	    "lane %lld has a name with a NUL, or longer than %d bytes",
	    (long long)db_column_int(stmt, 0), LANE_TEXT - 1);
	fault_hint(&fault, "run: monspool audit --deep");
	return db_fail(db, &fault);
}

static int
read_row(struct db *db, struct sqlite3_stmt *stmt, void *into)
{
	struct lane_row *row = into;

	if (check_names(db, stmt))
		return -1;
	row->id = db_column_int(stmt, 0);
	cell_copy(row->ns, sizeof(row->ns), stmt, 1);
	cell_copy(row->region, sizeof(row->region), stmt, 2);
	cell_copy(row->account, sizeof(row->account), stmt, 3);
	row->pending = db_column_int(stmt, 4);
	row->state = lane_state_named(db_column_text(stmt, 5));
	row->since_at = db_column_optional(stmt, 6, -1);
	row->wake_at = db_column_optional(stmt, 7, -1);
	row->failures = db_column_int(stmt, 8);
	cell_copy(row->scope, sizeof(row->scope), stmt, 9);
	cell_copy(row->held_by, sizeof(row->held_by), stmt, 10);
	cell_copy(row->reason, sizeof(row->reason), stmt, 11);
	row->code = db_column_optional(stmt, 12, -1);
	row->row_cap = db_column_optional(stmt, 13, -1);
	row->byte_cap = db_column_optional(stmt, 14, -1);
	row->doomed_through = db_column_optional(stmt, 15, -1);
	row->doomed_code = db_column_optional(stmt, 16, -1);
	row->doomed_attempt = db_column_optional(stmt, 17, -1);
	cell_copy(row->doomed_message, sizeof(row->doomed_message), stmt, 18);
	row->held_until = db_column_optional(stmt, 19, -1);
	row->asked = wish_named(db_column_text(stmt, 20));
	return 0;
}

int
lane_load(struct db *db, int64_t id, struct lane_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return fetch_one(db, stmt, read_row, row);
}

int
lane_list(struct db *db, int64_t after, struct lane_row *rows, int count)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LIST)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":after", after);
	db_bind_int(db, stmt, ":count", count);
	return fetch_page(db, stmt, read_row, rows, sizeof(*rows), count);
}

int
lane_store(struct db *db, const struct lane_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, STORE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", row->id);
	db_bind_text(db, stmt, ":state", STATES[row->state]);
	db_bind_optional(db, stmt, ":since_at", row->since_at, -1);
	db_bind_optional(db, stmt, ":wake_at", row->wake_at, -1);
	db_bind_int(db, stmt, ":failures", row->failures);
	db_bind_text(db, stmt, ":scope", cell_or_null(row->scope));
	db_bind_text(db, stmt, ":held_by", cell_or_null(row->held_by));
	db_bind_optional(db, stmt, ":held_until", row->held_until, -1);
	db_bind_text(db, stmt, ":reason", cell_or_null(row->reason));
	db_bind_optional(db, stmt, ":code", row->code, -1);
	db_bind_optional(db, stmt, ":row_cap", row->row_cap, -1);
	db_bind_optional(db, stmt, ":byte_cap", row->byte_cap, -1);
	db_bind_optional(db, stmt, ":doomed_through", row->doomed_through, -1);
	db_bind_optional(db, stmt, ":doomed_code", row->doomed_code, -1);
	db_bind_optional(db, stmt, ":doomed_attempt", row->doomed_attempt, -1);
	db_bind_text(
	    db, stmt, ":doomed_message", cell_or_null(row->doomed_message));
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

bool
lane_is_operators(const struct lane_row *row)
{
	return row->state == LANE_HELD &&
	    (strcmp(row->held_by, "operator") == 0 ||
		strcmp(row->scope, LANE_BRAKE) == 0);
}

int
lane_count(struct db *db, int64_t id, int64_t delta)
{
	struct sqlite3_stmt *stmt;
	struct fault fault = { 0 };

	if (delta == 0)
		return 0;
	if ((stmt = db_prepare(db, COUNT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":delta", delta);
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	if (db_changes(db) == 1)
		return 0;
	fault_set(&fault, FAULT_LEDGER_BROKEN,
	    "lane %lld does not count the rows that are to be moved",
	    (long long)id);
	fault_hint(&fault, "run: monspool audit");
	return db_fail(db, &fault);
}

/* 1, 0, -1. */
static int
is_unused(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, IS_UNUSED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) == DB_ROW)
		db_reset(stmt);
	return (int)stepped;
}

static int
collect(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, COLLECT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	return db_step(db, stmt) == DB_DONE ? (int)db_changes(db) : -1;
}

int
lane_collect(struct db *db, int64_t id)
{
	int went;

	/* Looked at twice: the first look costs no commit, the second counts. */
	if ((went = is_unused(db, id)) != 1)
		return went;
	if (db_begin(db))
		return -1;
	if ((went = collect(db, id)) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db) ? -1 : went;
}

const char *
lane_state_name(enum lane_state state)
{
	return STATES[state];
}

/* A word that is none of ours (a hand in the file) must not start sending. */
enum lane_state
lane_state_named(const char *name)
{
	int state;

	for (state = 0; state < STATE_COUNT; state++)
		if (strcmp(STATES[state], name) == 0)
			return (enum lane_state)state;
	return LANE_HELD;
}
