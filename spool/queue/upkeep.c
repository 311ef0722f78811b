#include "upkeep.h"

#include <stdio.h>

#include <sqlite3.h>

#include "db.h"
#include "ledger.h"

#define PAGE_SIZE 4096
#define FRAME_SIZE (PAGE_SIZE + 24)

/* Called after each commit of the connection with the frames in the log. */
static int
on_commit(void *cookie, struct sqlite3 *handle, const char *name, int frames)
{
	int64_t *wal_bytes = cookie;

	(void)handle;
	(void)name;
	*wal_bytes = (int64_t)frames * FRAME_SIZE;
	return SQLITE_OK;
}

void
upkeep_watch(struct db *db, int64_t *wal_bytes)
{
	sqlite3_wal_hook(
	    db_handle(db), wal_bytes == NULL ? NULL : on_commit, wal_bytes);
}

static const char PAGES[] = "SELECT page_count, freelist_count"
			    " FROM pragma_page_count, pragma_freelist_count";

int
upkeep_pages(struct db *db, int64_t *pages, int64_t *unused)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, PAGES)) == NULL ||
	    db_step(db, stmt) != DB_ROW)
		return -1;
	*pages = db_column_int(stmt, 0);
	*unused = db_column_int(stmt, 1);
	db_reset(stmt);
	return 0;
}

int
upkeep_vacuum(struct db *db, int pages)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", pages);
	if (db_begin(db))
		return -1;
	if (db_run(db, sql)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

static const char REMEMBER[] =
    "INSERT OR REPLACE INTO history"
    " (minute, accepted, delivered, dead, pending)"
    " VALUES (:minute, :accepted, :delivered, :dead, :pending)";
/* By count, not by age: a clock that jumps must not empty the ring. */
static const char FORGET[] =
    "DELETE FROM history WHERE minute <="
    " (SELECT minute FROM history ORDER BY minute DESC LIMIT 1 OFFSET :kept)";

static int
insert(struct db *db, int64_t minute, const struct ledger_row *ledger)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REMEMBER)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":minute", minute);
	db_bind_int(db, stmt, ":accepted", ledger->accepted);
	db_bind_int(db, stmt, ":delivered", ledger->delivered);
	db_bind_int(db, stmt, ":dead", ledger->dead);
	db_bind_int(db, stmt, ":pending", ledger->pending);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
forget(struct db *db, int64_t kept)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":kept", kept);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
upkeep_remember(struct db *db, int64_t minute, const struct ledger_row *ledger,
    int64_t kept)
{
	if (db_begin(db))
		return -1;
	if (insert(db, minute, ledger) || forget(db, kept)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

#define HISTORY_COLUMNS "minute, accepted, delivered, dead, pending"
static const char RECALL[] = "SELECT " HISTORY_COLUMNS " FROM history"
			     " WHERE minute <= :minute"
			     " ORDER BY minute DESC LIMIT 1";
static const char RECALL_FIRST[] = "SELECT " HISTORY_COLUMNS " FROM history"
				   " WHERE minute > :minute"
				   " ORDER BY minute LIMIT 1";

static int
recall(struct db *db, const char *sql, int64_t minute, int64_t *found,
    struct ledger_row *ledger)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":minute", minute);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*found = db_column_int(stmt, 0);
	*ledger = (struct ledger_row){ .accepted = db_column_int(stmt, 1),
		.delivered = db_column_int(stmt, 2),
		.dead = db_column_int(stmt, 3),
		.pending = db_column_int(stmt, 4) };
	db_reset(stmt);
	return 1;
}

int
upkeep_recall(
    struct db *db, int64_t minute, int64_t *found, struct ledger_row *ledger)
{
	int known = recall(db, RECALL, minute, found, ledger);

	return known != 0 ? known
			  : recall(db, RECALL_FIRST, minute, found, ledger);
}
