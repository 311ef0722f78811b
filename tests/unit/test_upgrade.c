/* links: base queue */
/*
 * Upgrading is tried on steps of the test's own, which take the place of
 * those that are embedded: a first version, and a second that creates, alters
 * and fills.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/schema.h"

const struct schema_step SCHEMA_STEPS[] = {
	{ 1, "0001-test.sql",
	    "CREATE TABLE setting (\n"
	    "  section TEXT NOT NULL, -- a comment; with a semicolon\n"
	    "  name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,\n"
	    "  PRIMARY KEY (section, name, key)\n"
	    ") WITHOUT ROWID;\n"
	    "CREATE TABLE thing (a INTEGER PRIMARY KEY);\n"
	    "CREATE INDEX setting_value ON setting (value);\n" },
	{ 2, "0002-test.sql",
	    "ALTER TABLE thing ADD COLUMN b TEXT NOT NULL DEFAULT 'old';\n"
	    "DROP INDEX setting_value;\n"
	    "CREATE TABLE extra (c INTEGER PRIMARY KEY);\n"
	    "INSERT INTO extra SELECT a FROM thing;\n" },
	{ 0, NULL, NULL },
};

static void
meddle(const struct spool *spool, const char *sql)
{
	struct sqlite3 *other;
	char *why = NULL;

	assert_int_equal(sqlite3_open(spool->place.file, &other), SQLITE_OK);
	if (sqlite3_exec(other, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(other);
}

static int64_t
ask(const struct spool *spool, const char *sql)
{
	struct sqlite3 *other;
	struct sqlite3_stmt *stmt;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(spool->place.file, &other), SQLITE_OK);
	if (sqlite3_prepare_v2(other, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(other);
	return value;
}

static void
make_old(struct spool *spool)
{
	char stamp[96];

	spool_empty(spool);
	meddle(spool, "PRAGMA journal_mode=WAL");
	meddle(spool, SCHEMA_STEPS[0].sql);
	snprintf(stamp, sizeof(stamp),
	    "PRAGMA application_id=%d; PRAGMA user_version=1;"
	    "INSERT INTO thing VALUES (4), (7)",
	    SCHEMA_APPLICATION_ID);
	meddle(spool, stamp);
}

static void
a_new_queue_opens_though_a_step_altered_a_table(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	db_close(spool_open(&spool, DB_WRITER));
	db_close(spool_open(&spool, DB_READER));
	assert_int_equal(ask(&spool, "PRAGMA user_version"), 2);
	spool_remove(&spool);
}

static void
an_older_queue_is_upgraded_with_its_rows(void **state)
{
	static const enum db_kind KINDS[] = { DB_WRITER, DB_READER, DB_SHARED };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct spool spool;
		struct db *db;

		make_old(&spool);
		db = spool_open(&spool, KINDS[i]);
		assert_int_equal(schema_version(db), 2);
		db_close(db);
		assert_int_equal(ask(&spool, "SELECT sum(c) FROM extra"), 11);
		assert_int_equal(
		    ask(&spool, "SELECT count(*) FROM thing WHERE b = 'old'"),
		    2);
		db_close(spool_open(&spool, DB_WRITER));
		spool_remove(&spool);
	}
}

static void
is_old_as_before_when_a_step_fails(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	make_old(&spool);
	meddle(&spool, "CREATE TABLE extra (other)"); /* in the step's way */
	assert_null(db_open(&spool.place, DB_WRITER, 100, &fault));
	assert_int_not_equal(fault.kind, FAULT_NONE);
	assert_int_equal(ask(&spool, "PRAGMA user_version"), 1);
	assert_int_equal(ask(&spool, "SELECT count(*) FROM thing"), 2);
	assert_int_equal(ask(&spool, "SELECT b FROM thing"), -1);
	meddle(&spool, "DROP TABLE extra");
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static void
is_old_as_before_when_the_result_is_not_what_the_steps_make(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	make_old(&spool);
	meddle(&spool, "CREATE TABLE junk (a)");
	assert_null(db_open(&spool.place, DB_WRITER, 100, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_non_null(strstr(fault.why, "junk"));
	assert_int_equal(ask(&spool, "PRAGMA user_version"), 1);
	assert_int_equal(ask(&spool, "SELECT count(*) FROM extra"), -1);
	spool_remove(&spool);
}

static void
waits_for_its_turn_to_upgrade(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	struct sqlite3 *other;

	(void)state;
	make_old(&spool);
	assert_int_equal(sqlite3_open(spool.place.file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_null(db_open(&spool.place, DB_WRITER, 50, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_BUSY);
	sqlite3_close(other);
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static int
open_once(void *cookie)
{
	struct spool *spool = cookie;
	struct db *db = db_open(&spool->place, DB_WRITER, 5000, NULL);

	if (db == NULL)
		return 1;
	db_close(db);
	return 0;
}

static void
is_upgraded_once_by_many_at_the_same_time(void **state)
{
	struct spool spool;
	int i, status;

	(void)state;
	make_old(&spool);
	for (i = 0; i < 8; i++)
		if (fork() == 0)
			_exit(open_once(&spool));
	for (i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(ask(&spool, "SELECT count(*) FROM extra"), 2);
	spool_remove(&spool);
}

static void
syncs_as_ever_after_the_upgrade(void **state)
{
	struct spool spool;
	struct db *db;
	struct sqlite3_stmt *stmt;

	(void)state;
	make_old(&spool);
	db = spool_open(&spool, DB_WRITER);
	stmt = db_prepare(db, "PRAGMA synchronous");
	assert_int_equal(db_step(db, stmt), DB_ROW);
	assert_int_equal(db_column_int(stmt, 0), 2);
	db_reset(stmt);
	db_close(db);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_new_queue_opens_though_a_step_altered_a_table),
		cmocka_unit_test(an_older_queue_is_upgraded_with_its_rows),
		cmocka_unit_test(is_old_as_before_when_a_step_fails),
		cmocka_unit_test(
		    is_old_as_before_when_the_result_is_not_what_the_steps_make),
		cmocka_unit_test(waits_for_its_turn_to_upgrade),
		cmocka_unit_test(is_upgraded_once_by_many_at_the_same_time),
		cmocka_unit_test(syncs_as_ever_after_the_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
