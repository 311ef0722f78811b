#include "schema.h"

#include <string.h>

#include <sqlite3.h>

#include "base/fault.h"
#include "base/text.h"
#include "db.h"

int
schema_latest(void)
{
	const struct schema_step *step;
	int latest = 0;

	for (step = SCHEMA_STEPS; step->version != 0; step++)
		latest = step->version;
	return latest;
}

int
schema_version(struct db *db)
{
	static const char USER_VERSION[] = "PRAGMA user_version";
	struct sqlite3_stmt *stmt;
	int version = -1;

	if ((stmt = db_prepare(db, USER_VERSION)) == NULL)
		return -1;
	if (db_step(db, stmt) == DB_ROW)
		version = (int)db_column_int(stmt, 0);
	db_reset(stmt);
	return version;
}

static int
stamp(struct db *db, const char *pragma, int value)
{
	char *sql = sqlite3_mprintf("PRAGMA %s=%d", pragma, value);
	int failed;

	if (sql == NULL)
		return db_fail_code(db, SQLITE_NOMEM, "write to");
	failed = db_run(db, sql);
	sqlite3_free(sql);
	return failed;
}

/* Run the steps above ${version}. */
static int
run_steps(struct db *db, int version)
{
	const struct schema_step *step;

	for (step = SCHEMA_STEPS; step->version != 0; step++)
		if (step->version > version && db_run(db, step->sql))
			return -1;
	return stamp(db, "user_version", schema_latest());
}

int
schema_create(struct db *db)
{
	/* One transaction: a file is a whole queue, or none. */
	if (db_begin(db))
		return -1;
	if (stamp(db, "application_id", SCHEMA_APPLICATION_ID) ||
	    run_steps(db, 0)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

/* Where the statement stands in ${text} word for word, from the beginning of a
 * line to its semicolon; SQLite stores it as it was given.  ${text} begins a
 * line. */
static const char *
find_statement(const char *text, const char *sql)
{
	size_t len = strlen(sql);
	const char *at;

	for (at = text; (at = strstr(at, sql)) != NULL; at++)
		if (at[len] == ';' && (at == text || at[-1] == '\n'))
			return at + len;
	return NULL;
}

/* Whether the statement stands in a step.  Objects come as they were made, so
 * the look begins ${after} the one before. */
static bool
word_for_word(const char *sql, const char **after)
{
	const struct schema_step *step;
	const char *found;

	if (*after != NULL && (found = find_statement(*after, sql)) != NULL) {
		*after = found;
		return true;
	}
	for (step = SCHEMA_STEPS; step->version != 0; step++)
		if ((found = find_statement(step->sql, sql)) != NULL) {
			*after = found;
			return true;
		}
	return false;
}

static int
count_created(void)
{
	static const char CREATE[] = "\nCREATE ";
	const struct schema_step *step;
	const char *at;
	int count = 0;

	for (step = SCHEMA_STEPS; step->version != 0; step++)
		for (at = step->sql; (at = strstr(at, CREATE)) != NULL; at++)
			count++;
	return count;
}

/* Tables that SQLite makes itself: for AUTOINCREMENT, and for ANALYZE, which
 * an operator may have run. */
static bool
made_by_sqlite(const char *name)
{
	return strcmp(name, "sqlite_sequence") == 0 ||
	    strncmp(name, "sqlite_stat", 11) == 0;
}

/* The look that is made at every open: every object stands in the steps, and
 * there are as many.  1 it does, 0 another look is needed, -1 failed. */
static int
matches_text(struct db *db)
{
	static const char OBJECTS[] =
	    "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL";
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	const char *after = NULL;
	int count = 0, alike = 1;

	if ((stmt = db_prepare(db, OBJECTS)) == NULL)
		return -1;
	while ((stepped = db_step(db, stmt)) == DB_ROW) {
		if (made_by_sqlite(db_column_text(stmt, 0)))
			continue;
		alike &= word_for_word(db_column_text(stmt, 1), &after);
		count++;
	}
	if (stepped == DB_FAILED)
		return -1;
	return alike && count == count_created();
}

/* What the steps make of an empty database: a later step may alter what an
 * earlier one created, and then the text alone does not tell. */
static struct sqlite3 *
make_reference(void)
{
	const struct schema_step *step;
	struct sqlite3 *reference;
	int code = sqlite3_open(":memory:", &reference);

	for (step = SCHEMA_STEPS; step->version != 0; step++)
		if (code == SQLITE_OK)
			code = sqlite3_exec(
			    reference, step->sql, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return reference;
	sqlite3_close(reference);
	return NULL;
}

static const char ALL[] = "SELECT type, name, sql FROM sqlite_schema"
			  " WHERE sql IS NOT NULL ORDER BY name";
static const char ONE[] = "SELECT 1 FROM sqlite_schema"
			  " WHERE type = ?1 AND name = ?2 AND sql = ?3";

static bool
has_object(struct sqlite3_stmt *one, struct sqlite3_stmt *object)
{
	bool found;
	int i;

	for (i = 0; i < 3; i++)
		sqlite3_bind_value(one, i + 1, sqlite3_column_value(object, i));
	found = sqlite3_step(one) == SQLITE_ROW;
	sqlite3_reset(one);
	return found;
}

/* Describe in ${text} the first object of ${a} that ${b} has not. */
static void
first_only_in(struct sqlite3 *a, struct sqlite3 *b, struct text *text)
{
	struct sqlite3_stmt *all = NULL, *one = NULL;

	if (sqlite3_prepare_v2(a, ALL, -1, &all, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(b, ONE, -1, &one, NULL) == SQLITE_OK) {
		while (text->len == 0 && sqlite3_step(all) == SQLITE_ROW) {
			const char *name = db_column_text(all, 1);

			if (made_by_sqlite(name) || has_object(one, all))
				continue;
			text_addf(text, "%s ", db_column_text(all, 0));
			text_add_escaped(text, name, strlen(name));
		}
	}
	sqlite3_finalize(all);
	sqlite3_finalize(one);
}

static int
foreign(struct db *db, const char *which, const char *what)
{
	struct fault fault;

	fault_set(&fault, FAULT_QUEUE_FOREIGN, "%s is not a monspool queue",
	    db_place(db)->file);
	fault_why(&fault, "it %s %s", which, what);
	return db_fail(db, &fault);
}

static int
compare_with_reference(struct db *db)
{
	struct text extra = { 0 }, lacking = { 0 };
	struct sqlite3 *reference;
	int failed = 0;

	if ((reference = make_reference()) == NULL)
		return db_fail_code(db, SQLITE_NOMEM, "check");
	first_only_in(db_handle(db), reference, &extra);
	first_only_in(reference, db_handle(db), &lacking);
	sqlite3_close(reference);
	if (extra.len > 0)
		failed = foreign(db, "holds the unknown", text_string(&extra));
	else if (lacking.len > 0)
		failed = foreign(db, "lacks the", text_string(&lacking));
	text_free(&extra);
	text_free(&lacking);
	return failed;
}

static int
check_fingerprint(struct db *db)
{
	int alike = matches_text(db);

	if (alike == 0)
		return compare_with_reference(db);
	return alike == 1 ? 0 : -1;
}

/* Steps, stamp and check share one transaction (C16); another process may
 * have been faster. */
static int
upgrade_inside(struct db *db)
{
	int version = schema_version(db);

	if (version == -1)
		return -1;
	if (version < schema_latest() && run_steps(db, version)) {
		/* a step that its file does not bear is no fault of ours */
		if (db_fault(db)->kind != FAULT_INTERNAL)
			return -1;
		return foreign(db, "does not hold", "what its version says");
	}
	return check_fingerprint(db);
}

static int
upgrade(struct db *db)
{
	int failed;

	if (db_run(db, "PRAGMA synchronous=EXTRA") || db_begin(db))
		return -1;
	if ((failed = upgrade_inside(db)) != 0)
		db_rollback(db);
	else
		failed = db_commit(db);
	if (failed)
		return -1;
	return db_run(db, "PRAGMA synchronous=FULL");
}

static int
newer(struct db *db, int version)
{
	struct fault fault;

	fault_set(&fault, FAULT_QUEUE_NEWER,
	    "%s was made by a newer monspool (schema %d)", db_place(db)->file,
	    version);
	fault_why(&fault, "this one knows schema %d", schema_latest());
	fault_hint(&fault, "use the newer version, or restore a backup");
	return db_fail(db, &fault);
}

int
schema_verify(struct db *db)
{
	int version = schema_version(db);

	if (version == -1)
		return -1;
	if (version > schema_latest())
		return newer(db, version);
	if (version <= 0)
		return foreign(db, "has no", "schema version");
	if (version < schema_latest())
		return upgrade(db);
	return check_fingerprint(db);
}
