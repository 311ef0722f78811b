#include "checkpoint.h"

#include <stdio.h>

#include <sqlite3.h>

#include "connection.h"
#include "dbinside.h"
#include "gate.h"
#include "lock.h"
#include "schema.h"
#include "renewal.h"

/*
 * Why so: while one connection commits, another's checkpoint may record as
 * copied back what it never saw (SQLite before 3.51.3, contract.md 2.1), also
 * under FULL, RESTART and TRUNCATE, which fall back to PASSIVE when the
 * writer's lock is taken.  A second connection therefore holds that lock
 * while the first copies.
 */

static void
close_guard(struct db *db)
{
	sqlite3_close_v2(db->guard);
	db->guard = NULL;
}

static struct sqlite3 *
guard_of(struct db *db)
{
	int code;

	if (db->guard != NULL)
		return db->guard;
	/* 0: who cannot have the lock at once lets the checkpoint be */
	code = connection_open(&db->place, DB_WRITER, 0, &db->guard);
	if (code == SQLITE_OK)
		code = connection_settle(db->guard);
	if (code == SQLITE_OK)
		return db->guard;
	db_fail_code(db, code, "open");
	close_guard(db);
	return NULL;
}

static enum checkpoint_result
copy_back(struct db *db)
{
	int frames = 0, done = 0, code;

	code = sqlite3_wal_checkpoint_v2(
	    db->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &done);
	if ((code & 0xff) == SQLITE_BUSY)
		return CHECKPOINT_BUSY;
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "checkpoint");
		return CHECKPOINT_FAILED;
	}
	return done == frames ? CHECKPOINT_DONE : CHECKPOINT_PARTIAL;
}

static enum checkpoint_result
guarded(struct db *db)
{
	struct sqlite3 *guard;
	enum checkpoint_result result;
	int code;

	if ((guard = guard_of(db)) == NULL)
		return CHECKPOINT_FAILED;
	code = sqlite3_exec(guard, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if ((code & 0xff) == SQLITE_BUSY)
		return CHECKPOINT_BUSY;
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "checkpoint");
		return CHECKPOINT_FAILED;
	}
	/* what is copied back must be on the disk before */
	result = renewal_make(db, guard) ? CHECKPOINT_FAILED : copy_back(db);
	code = sqlite3_exec(guard, "ROLLBACK", NULL, NULL, NULL);
	if (code != SQLITE_OK) /* it would lock all others out */
		close_guard(db);
	return result;
}

enum checkpoint_result
checkpoint_guarded(struct db *db, bool in_gate)
{
	struct fault ignored;
	struct gate *gate;
	enum checkpoint_result result;

	if (db_usable(db))
		return CHECKPOINT_FAILED;
	if (db->depth > 0 || db->reading > 0)
		return CHECKPOINT_BUSY; /* by ourselves */
	if (in_gate)
		return guarded(db);
	if ((gate = db_gate(db)) == NULL)
		return CHECKPOINT_FAILED;
	if (gate_enter(gate, 0, &ignored) != GATE_IN)
		return CHECKPOINT_BUSY;
	result = guarded(db);
	gate_leave(gate);
	return result;
}

/* The limit must lie under the trigger, or every insert would find the log
 * too long again (H3); not far under it, since a commit that makes the file
 * grow takes half as long again as one that writes over what is there. */
static int
trim_at_restart(struct db *db, int64_t wal_max)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit=%lld",
	    (long long)(wal_max / 4 * 3));
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* The first commit after all is copied back begins the log anew, and cuts it:
 * it is this one, so that who looks at its length sees what is in use.  The
 * version is written as it was; that touches one page. */
static void
restart(struct db *db)
{
	char sql[64];
	int version;

	if (db_begin(db))
		return;
	version = schema_version(db);
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version);
	if (version == -1 || db_run(db, sql))
		db_rollback(db);
	else
		(void)db_commit(db);
}

void
checkpoint_before_insert(struct db *db, int64_t wal_max, int64_t wal_most)
{
	int64_t bytes = db_wal_bytes(db);

	if (bytes <= wal_max && bytes <= wal_most)
		return;
	if (bytes <= wal_most && lock_held(db->place.lock, NULL))
		return; /* the forwarder will */
	if (trim_at_restart(db, wal_max) == SQLITE_OK &&
	    checkpoint_guarded(db, true) == CHECKPOINT_DONE)
		restart(db);
}
