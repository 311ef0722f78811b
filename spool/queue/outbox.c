#include "outbox.h"

#include <stddef.h>

#include <sqlite3.h>

#include "base/fault.h"
#include "entry.h"

/*
 * Columns as of monspool_put (schema/0002-door.sql), which plain SQL may fill
 * as well; the names of the constraints are what it is told.
 * They use no JSON function, which SQLite 3.40 calls unsafe in a schema and
 * an application may therefore have forbidden.
 *   token  is the row's alone, and its idempotency key when it is moved
 *   error  says why the forwarder could not take it; it is not tried again
 */
static const char *const INSTALL[] = {
	"CREATE TABLE IF NOT EXISTS main.monspool_outbox ("
	" id INTEGER PRIMARY KEY,"
	" token TEXT NOT NULL DEFAULT (lower(hex(randomblob(16))))"
	"  CHECK (length(token) = 32),"
	" namespace TEXT NOT NULL CONSTRAINT"
	"  \"monspool: namespace is empty\" CHECK (namespace <> ''),"
	" metric TEXT NOT NULL CONSTRAINT"
	"  \"monspool: metric name is empty\" CHECK (metric <> ''),"
	" dimensions TEXT,"
	" value NOT NULL CONSTRAINT \"monspool: value is not a finite number\""
	"  CHECK (typeof(value) IN ('integer', 'real') AND value BETWEEN"
	"   -1.7976931348623157e308 AND 1.7976931348623157e308),"
	" region TEXT,"
	" account TEXT,"
	" key TEXT,"
	" observed_ms INTEGER CONSTRAINT \"monspool: observed_ms is no time\""
	"  CHECK (typeof(observed_ms) IN ('null', 'integer')"
	"   AND observed_ms BETWEEN 0 AND 253402300799999),"
	" max_age_seconds INTEGER CONSTRAINT"
	"  \"monspool: max_age_seconds is no age limit\""
	"  CHECK (typeof(max_age_seconds) IN ('null', 'integer')"
	"   AND max_age_seconds BETWEEN 1 AND 31556952000),"
	" error TEXT)",
	"CREATE TABLE IF NOT EXISTS main.monspool_outbox_meta ("
	" name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
	"INSERT OR IGNORE INTO main.monspool_outbox_meta (name, value)"
	" VALUES ('version', '1'), ('uuid', lower(hex(randomblob(16))))",
};
#define INSTALL_COUNT (sizeof(INSTALL) / sizeof(INSTALL[0]))

static const char INSERT[] =
    "INSERT INTO main.monspool_outbox (namespace, metric, dimensions, value,"
    "  region, account, key, observed_ms, max_age_seconds)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

static const struct meaning {
	int code; /* primary */
	enum fault_kind kind;
	const char *why;
} MEANINGS[] = {
	{ SQLITE_BUSY, FAULT_QUEUE_BUSY, "another connection is writing" },
	{ SQLITE_LOCKED, FAULT_QUEUE_BUSY, "another connection is writing" },
	{ SQLITE_FULL, FAULT_DISK_FULL, "no space is left" },
	{ SQLITE_CORRUPT, FAULT_CORRUPT, "the database is damaged" },
	{ SQLITE_NOTADB, FAULT_CORRUPT, "the file is no database" },
	{ SQLITE_CONSTRAINT, FAULT_BAD_ROW, "a constraint forbids it" },
	{ SQLITE_NOMEM, FAULT_IO_ERROR, "out of memory" },
	{ SQLITE_PERM, FAULT_NO_PERMISSION, "its mode forbids it" },
	{ SQLITE_AUTH, FAULT_NO_PERMISSION, "it is not allowed" },
	{ SQLITE_READONLY, FAULT_NO_PERMISSION, "it cannot be written to" },
	/* of our own, from make_tables() */
	{ SQLITE_SCHEMA, FAULT_QUEUE_FOREIGN, "another table has its name" },
	{ SQLITE_MISUSE, FAULT_INTERNAL, "the connection is of no use" },
	/* of a statement: its table, or a column of it, is missing */
	{ SQLITE_ERROR, FAULT_NOT_FOUND, "its tables are not there" },
};

int
outbox_fail(
    struct sqlite3 *handle, int code, const char *doing, struct fault *fault)
{
	enum fault_kind kind = FAULT_IO_ERROR;
	const char *why = "an error of its file or disk";
	size_t i;

	for (i = 0; i < sizeof(MEANINGS) / sizeof(MEANINGS[0]); i++)
		if (MEANINGS[i].code == (code & 0xff)) {
			kind = MEANINGS[i].kind;
			why = MEANINGS[i].why;
		}
	fault_set(fault, kind, "cannot %s the outbox", doing);
	fault_why(fault, "%s", why);
	if (kind == FAULT_NOT_FOUND)
		fault_hint(fault, "make them with msp_install()");
	if (fault != NULL) {
		fault->sqlite_code = code;
		fault->sys_errno = handle == NULL
		    ? 0
		    : sqlite3_system_errno(handle);
	}
	return -1;
}

static int
run(struct sqlite3 *handle, const char *sql)
{
	return sqlite3_exec(handle, sql, NULL, NULL, NULL);
}

static int
make_tables(struct sqlite3 *handle)
{
	struct sqlite3_stmt *insert = NULL;
	int code = SQLITE_OK;
	size_t i;

	for (i = 0; i < INSTALL_COUNT && code == SQLITE_OK; i++)
		code = run(handle, INSTALL[i]);
	if (code != SQLITE_OK)
		return code;
	/* What was there already may be something else. */
	code = sqlite3_prepare_v2(handle, INSERT, -1, &insert, NULL);
	sqlite3_finalize(insert);
	return code == SQLITE_ERROR ? SQLITE_SCHEMA : code;
}

/* By itself it asks for the turn to write before it looks: a look first would
 * be of no use when another was faster (H6). */
static int
install_alone(struct sqlite3 *handle, struct fault *fault)
{
	int code = run(handle, "BEGIN IMMEDIATE");

	if (code == SQLITE_OK)
		code = make_tables(handle);
	if (code == SQLITE_OK)
		code = run(handle, "COMMIT");
	if (code == SQLITE_OK)
		return 0;
	outbox_fail(handle, code, "make", fault);
	if (!sqlite3_get_autocommit(handle))
		run(handle, "ROLLBACK");
	return -1;
}

int
outbox_install(struct sqlite3 *handle, struct fault *fault)
{
	int code;

	if (sqlite3_get_autocommit(handle))
		return install_alone(handle, fault);
	/* Both tables or none, and the caller's transaction goes on. */
	if ((code = run(handle, "SAVEPOINT monspool_install")) != SQLITE_OK)
		return outbox_fail(handle, code, "make", fault);
	if ((code = make_tables(handle)) == SQLITE_OK)
		code = run(handle, "RELEASE monspool_install");
	if (code == SQLITE_OK)
		return 0;
	outbox_fail(handle, code, "make", fault);
	if (!sqlite3_get_autocommit(handle)) {
		run(handle, "ROLLBACK TO monspool_install");
		run(handle, "RELEASE monspool_install");
	}
	return -1;
}

static int
bind_time(struct sqlite3_stmt *stmt, int at, int64_t value, int64_t unit)
{
	if (value == -1)
		return sqlite3_bind_null(stmt, at);
	return sqlite3_bind_int64(stmt, at, value / unit);
}

static int
bind_text(struct sqlite3_stmt *stmt, int at, const char *text)
{
	return sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static int
bind(struct sqlite3_stmt *stmt, const struct entry *entry,
    const char *dimensions)
{
	return bind_text(stmt, 1, entry->ns) |
	    bind_text(stmt, 2, entry->metric) | bind_text(stmt, 3, dimensions) |
	    sqlite3_bind_double(stmt, 4, entry->value) |
	    bind_text(stmt, 5, entry->region) |
	    bind_text(stmt, 6, entry->account) |
	    bind_text(stmt, 7, entry->key) |
	    bind_time(stmt, 8, entry->observed_at, 1) |
	    bind_time(stmt, 9, entry->max_age_ms, 1000);
}

int
outbox_insert(struct sqlite3 *handle, const struct entry *entry,
    const char *dimensions, int64_t *id, struct fault *fault)
{
	struct sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(handle, INSERT, -1, &stmt, NULL);

	if (code == SQLITE_OK && bind(stmt, entry, dimensions) != SQLITE_OK)
		code = SQLITE_NOMEM;
	if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_DONE)
		code = SQLITE_OK;
	if (code != SQLITE_OK)
		outbox_fail(handle, code, "write to", fault);
	else if (id != NULL)
		*id = sqlite3_last_insert_rowid(handle);
	sqlite3_finalize(stmt);
	return code == SQLITE_OK ? 0 : -1;
}
