#include "dbinside.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define FIRST_SIZE 64

static struct db_statement *
slot(struct db_statement *table, size_t size, const char *sql)
{
	size_t i = ((uintptr_t)sql >> 3) * 0x9e3779b1U & (size - 1);

	while (table[i].sql != NULL && table[i].sql != sql)
		i = (i + 1) & (size - 1);
	return &table[i];
}

/* Keep the table at most half full. */
static int
make_room(struct db *db)
{
	size_t i, size = db->statement_size;
	struct db_statement *table;

	if (db->statement_count * 2 < size)
		return 0;
	size = size == 0 ? FIRST_SIZE : size * 2;
	if ((table = calloc(size, sizeof(*table))) == NULL)
		return -1;
	for (i = 0; i < db->statement_size; i++)
		if (db->statements[i].sql != NULL)
			*slot(table, size,
			    db->statements[i].sql) = db->statements[i];
	free(db->statements);
	db->statements = table;
	db->statement_size = size;
	return 0;
}

void
db_forget_statements(struct db *db)
{
	size_t i;

	for (i = 0; i < db->statement_size; i++)
		sqlite3_finalize(db->statements[i].stmt);
	free(db->statements);
	db->statements = NULL;
	db->statement_size = db->statement_count = 0;
}

#ifndef NDEBUG
/* Whether a line of the plan is a scan of metric.  A table with an alias goes
 * by that, so statements give metric none. */
static bool
scans_metric(const char *line)
{
	return strncmp(line, "SCAN metric", 11) == 0 &&
	    (line[11] == '\0' || line[11] == ' ');
}

/* The queue is meant to hold millions of rows: a statement that walks all of
 * them must say that it means to. */
static int
check_plan(struct db *db, const char *sql)
{
	struct sqlite3_stmt *plan;
	char *ask;
	int failed = 0, code;

	if (strstr(sql, "/* scan */") != NULL ||
	    (ask = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql)) == NULL)
		return 0;
	if (sqlite3_prepare_v2(db->handle, ask, -1, &plan, NULL) == SQLITE_OK) {
		while ((code = sqlite3_step(plan)) == SQLITE_ROW)
			failed |= scans_metric(db_column_text(plan, 3));
		if (code != SQLITE_DONE) /* it may have cost the transaction */
			db_fail_code(db, code, "read");
		sqlite3_finalize(plan);
	}
	sqlite3_free(ask);
	if (!failed)
		return 0;
	return fault_set(&db->fault, FAULT_INTERNAL,
	    "a statement scans metric without saying so: %.150s", sql);
}
#else
static int
check_plan(struct db *db, const char *sql)
{
	(void)db;
	(void)sql;
	return 0;
}
#endif

struct sqlite3_stmt *
db_prepare(struct db *db, const char *sql)
{
	struct db_statement *found;
	int code;

	if (db_usable(db))
		return NULL;
	if (make_room(db)) {
		db_fail_code(db, SQLITE_NOMEM, "use");
		return NULL;
	}
	found = slot(db->statements, db->statement_size, sql);
	if (found->sql != NULL) {
		sqlite3_reset(found->stmt);
		sqlite3_clear_bindings(found->stmt);
		return found->stmt;
	}
	if (check_plan(db, sql))
		return NULL;
	errno = 0;
	code = sqlite3_prepare_v3(
	    db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &found->stmt, NULL);
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "use");
		return NULL;
	}
	found->sql = sql;
	db->statement_count++;
	return found->stmt;
}

static int
parameter(struct db *db, struct sqlite3_stmt *stmt, const char *name)
{
	int index = sqlite3_bind_parameter_index(stmt, name);

	if (index == 0 && db->bind_code == SQLITE_OK)
		db->bind_code = SQLITE_RANGE;
	return index;
}

static void
remember(struct db *db, int code)
{
	if (code != SQLITE_OK && db->bind_code == SQLITE_OK)
		db->bind_code = code;
}

void
db_bind_int(
    struct db *db, struct sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int index = parameter(db, stmt, name);

	if (index > 0)
		remember(db, sqlite3_bind_int64(stmt, index, value));
}

void
db_bind_null(struct db *db, struct sqlite3_stmt *stmt, const char *name)
{
	int index = parameter(db, stmt, name);

	if (index > 0)
		remember(db, sqlite3_bind_null(stmt, index));
}

static void
bind_bytes(struct db *db, struct sqlite3_stmt *stmt, const char *name,
    const char *value, size_t len, sqlite3_destructor_type life)
{
	int index = parameter(db, stmt, name);

	if (index > 0)
		remember(db,
		    sqlite3_bind_text64(
			stmt, index, value, len, life, SQLITE_UTF8));
}

void
db_bind_text(struct db *db, struct sqlite3_stmt *stmt, const char *name,
    const char *value)
{
	bind_bytes(db, stmt, name, value, value == NULL ? 0 : strlen(value),
	    SQLITE_TRANSIENT);
}

void
db_bind_text_static(struct db *db, struct sqlite3_stmt *stmt, const char *name,
    const char *value, size_t len)
{
	bind_bytes(db, stmt, name, value, len, SQLITE_STATIC);
}

void
db_bind_optional(struct db *db, struct sqlite3_stmt *stmt, const char *name,
    int64_t value, int64_t none)
{
	if (value == none)
		db_bind_null(db, stmt, name);
	else
		db_bind_int(db, stmt, name, value);
}

/* Some errors make SQLite roll the whole transaction back at once.  What came
 * after would be committed statement by statement: refuse it. */
static int
bracket_lost(struct db *db)
{
	if (db->depth == 0 || !sqlite3_get_autocommit(db->handle))
		return 0;
	if (!db->kept)
		fault_set(&db->fault, FAULT_IO_ERROR,
		    "a transaction on the queue %s was rolled back",
		    db->place.file);
	return -1;
}

static enum db_stepped
failed_step(struct db *db, struct sqlite3_stmt *stmt, int code)
{
	db->bind_code = SQLITE_OK;
	db_fail_code(
	    db, code, sqlite3_stmt_readonly(stmt) ? "read" : "write to");
	sqlite3_reset(stmt);
	return DB_FAILED;
}

enum db_stepped
db_step(struct db *db, struct sqlite3_stmt *stmt)
{
	int code;

	if (db->bind_code != SQLITE_OK)
		return failed_step(db, stmt, db->bind_code);
	if (bracket_lost(db))
		return DB_FAILED;
	errno = 0;
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		return DB_ROW;
	if (code != SQLITE_DONE)
		return failed_step(db, stmt, code);
	db->changes = sqlite3_stmt_readonly(stmt)
	    ? 0
	    : sqlite3_changes64(db->handle);
	sqlite3_reset(stmt);
	return DB_DONE;
}

void
db_reset(struct sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
}

int64_t
db_changes(struct db *db)
{
	return db->changes;
}

int64_t
db_column_int(struct sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt, column);
}

int64_t
db_column_optional(struct sqlite3_stmt *stmt, int column, int64_t none)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return none;
	return sqlite3_column_int64(stmt, column);
}

const char *
db_column_text(struct sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text == NULL ? "" : (const char *)text;
}

size_t
db_column_len(struct sqlite3_stmt *stmt, int column)
{
	return (size_t)sqlite3_column_bytes(stmt, column);
}

bool
db_column_is_null(struct sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL;
}

int
db_run(struct db *db, const char *sql)
{
	int code;

	if (db_usable(db) || bracket_lost(db))
		return -1;
	errno = 0;
	code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "use");
	return 0;
}
