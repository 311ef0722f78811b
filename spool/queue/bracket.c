#include "dbinside.h"

#include <errno.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "gate.h"
#include "renewal.h"

static const char BEGIN[] = "BEGIN IMMEDIATE";
static const char COMMIT[] = "COMMIT";
static const char ROLLBACK[] = "ROLLBACK";
static const char SAVE[] = "SAVEPOINT bracket";
static const char RELEASE[] = "RELEASE bracket";
static const char UNDO[] = "ROLLBACK TO bracket";
static const char BEGIN_READ[] = "BEGIN";

/* Step one of the statements above.  They bypass db_step(), which would
 * refuse to work in a transaction that SQLite has rolled back. */
static int
control(struct db *db, const char *sql)
{
	struct sqlite3_stmt *stmt;
	int code;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return SQLITE_NOMEM;
	errno = 0;
	code = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
refuse(struct db *db, const char *what)
{
	return fault_set(&db->fault, FAULT_INTERNAL, "%s", what);
}

/* End the transaction that is open, if one is; where that fails it stays
 * open, and the connection is of no use any more. */
static void
end_with(struct db *db, const char *sql)
{
	if (!sqlite3_get_autocommit(db->handle) &&
	    control(db, sql) != SQLITE_OK &&
	    !sqlite3_get_autocommit(db->handle))
		db->broken = true;
}

static void
end_outer(struct db *db)
{
	end_with(db, ROLLBACK);
	db->depth = 0;
	db->kept = false;
	db_leave(db);
}

/* What is left of the wait is for programs that know no gate. */
static int
begin_immediate(struct db *db, int64_t entered_after)
{
	int64_t left = db->wait_ms - entered_after;
	bool shorter = entered_after > 0;
	int code;

	if (shorter)
		sqlite3_busy_timeout(db->handle, left > 0 ? (int)left : 0);
	code = control(db, BEGIN);
	if (shorter)
		sqlite3_busy_timeout(db->handle, (int)db->wait_ms);
	return code;
}

static int
begin_outer(struct db *db)
{
	int64_t since = clock_steady_ms();
	int code;

	db->kept = false;
	if (db->reading > 0)
		return refuse(db, "a write inside a read transaction");
	/* what ends it must not need memory then */
	if (db_prepare(db, COMMIT) == NULL || db_prepare(db, ROLLBACK) == NULL)
		return -1;
	if (db_enter(db))
		return -1;
	code = begin_immediate(db, clock_steady_ms() - since);
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "write to");
		db_leave(db);
		return -1;
	}
	if (renewal_make(db, db->handle)) {
		end_outer(db);
		return -1;
	}
	db->noted[1] = -1;
	return 0;
}

static int
begin_inner(struct db *db)
{
	int code;

	if (db_prepare(db, UNDO) == NULL || db_prepare(db, RELEASE) == NULL)
		return -1;
	code = control(db, SAVE);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "write to");
	db->noted[db->depth + 1] = db->noted[db->depth];
	return 0;
}

int
db_begin(struct db *db)
{
	if (db_usable(db))
		return -1;
	if (db->depth == DB_MAX_DEPTH)
		return refuse(db, "too many nested transactions");
	if (db->depth == 0 ? begin_outer(db) : begin_inner(db))
		return -1;
	db->depth++;
	return 0;
}

/* The COMMIT failed, or could not be tried. */
static void
commit_failed(struct db *db, int code)
{
	/* Memory may run out when all is synced, and only the index is not made. */
	if ((code & 0xff) != SQLITE_IOERR && (code & 0xff) != SQLITE_NOMEM) {
		db_fail_code(db, code, "write to");
		if (db->gate != NULL) /* its last frame was not written */
			gate_set_doubt(db->gate, false);
		return;
	}
	/* The frames may be whole on the disk, or not.  A sync that failed
	 * once can succeed without having written anything (H12). */
	db->kept = false;
	db_fail_code(db, code, "write to");
	db->fault.kind = FAULT_OUTCOME_UNKNOWN;
	fault_hint(&db->fault,
	    "the rows may be stored: look, or repeat them under the same key");
	db->broken = true;
}

/* Until the COMMIT is known to have succeeded; whoever comes upon it, be it
 * after a SIGKILL at any moment, renews the log before it builds on it. */
static int
begin_doubt(struct db *db)
{
	if (db->gate == NULL || gate_set_doubt(db->gate, true) == 0)
		return 0;
	db->kept = false;
	fault_errno(
	    &db->fault, errno, "cannot write to the gate %s", db->place.gate);
	return -1;
}

static void
commit_done(struct db *db)
{
	if (db->gate == NULL)
		return;
	if (db->noted[1] >= 0)
		gate_set_mark(db->gate, db->noted[1]); /* ends the doubt, too */
	else
		gate_set_doubt(db->gate, false);
}

static int
commit_outer(struct db *db)
{
	int code = SQLITE_ABORT;

	if (begin_doubt(db)) {
		end_outer(db);
		return -1;
	}
	if (!sqlite3_get_autocommit(db->handle))
		code = control(db, COMMIT);
	if (code != SQLITE_OK) {
		commit_failed(db, code);
		end_outer(db);
		return -1;
	}
	commit_done(db);
	end_outer(db);
	return 0;
}

static int
commit_inner(struct db *db)
{
	int code = SQLITE_ABORT;

	if (!sqlite3_get_autocommit(db->handle))
		code = control(db, RELEASE);
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "write to");
		db_rollback(db);
		return -1;
	}
	db->noted[db->depth - 1] = db->noted[db->depth];
	db->depth--;
	return 0;
}

int
db_commit(struct db *db)
{
	if (db_usable(db))
		return -1;
	if (db->depth == 0)
		return refuse(db, "a commit outside a transaction");
	return db->depth == 1 ? commit_outer(db) : commit_inner(db);
}

void
db_rollback(struct db *db)
{
	if (db->depth == 0 || db_forked(db))
		return;
	if (db->depth == 1) {
		end_outer(db);
		return;
	}
	if (!sqlite3_get_autocommit(db->handle)) {
		/* what cannot be undone alone must not be committed */
		if (control(db, UNDO) != SQLITE_OK ||
		    control(db, RELEASE) != SQLITE_OK)
			end_with(db, ROLLBACK);
		/* the outer bracket may go on, and fail */
		db->kept &= sqlite3_get_autocommit(db->handle) != 0;
	}
	db->depth--;
}

int
db_depth(const struct db *db)
{
	return db->depth;
}

int
db_begin_read(struct db *db)
{
	int code;

	if (db_usable(db))
		return -1;
	if (db->depth == 0 && db->reading == 0) {
		if (db_prepare(db, COMMIT) == NULL)
			return -1;
		code = control(db, BEGIN_READ);
		if (code != SQLITE_OK)
			return db_fail_code(db, code, "read");
	}
	db->reading++;
	return 0;
}

void
db_end_read(struct db *db)
{
	if (db->reading == 0 || --db->reading > 0 || db->depth > 0)
		return;
	if (!db_forked(db))
		end_with(db, COMMIT);
}

void
db_note_last_id(struct db *db, int64_t last_id)
{
	db->noted[db->depth] = last_id;
}
