/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/schema.h"

/* As another program would. */
static void
meddle(struct spool *spool, const char *sql)
{
	struct sqlite3 *other;
	char *why = NULL;

	assert_int_equal(sqlite3_open(spool->place.file, &other), SQLITE_OK);
	if (sqlite3_exec(other, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(other);
}

static void
creates_every_table_of_the_files(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_READER);
	assert_true(schema_latest() >= 1);
	assert_int_equal(schema_version(db), schema_latest());
	assert_int_equal(schema_verify(db), 0);
	db_close(db);
	spool_remove(&spool);
}

/* What a member of the group could add or take away. */
static void
refuses_a_changed_schema_by_name(void **state)
{
	static const struct {
		const char *sql, *why;
	} CASES[] = {
		{ "CREATE TABLE sneak (a)", "unknown table sneak" },
		{ "CREATE VIEW v AS SELECT 1", "unknown view v" },
		{ "CREATE TRIGGER t AFTER INSERT ON metric BEGIN"
		  " DELETE FROM metric; END",
		    "unknown trigger t" },
		{ "CREATE INDEX i ON metric (value)", "unknown index i" },
		{ "DROP INDEX series_hash", "lacks the index series_hash" },
		{ "DROP TABLE gap", "lacks the table gap" },
		{ "DROP TABLE gap; CREATE TABLE gap (first_id)",
		    "unknown table gap" },
		{ "ALTER TABLE gap ADD COLUMN more", "unknown table gap" },
		{ "CREATE TABLE \"a\nb\x1b[31m\" (a)", "table a\\x0ab\\x1b" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct fault fault = { 0 };
		struct spool spool;

		spool_make(&spool);
		meddle(&spool, CASES[i].sql);
		assert_null(db_open(&spool.place, DB_WRITER, 100, &fault));
		assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
		if (strstr(fault.why, CASES[i].why) == NULL)
			fail_msg("%s: %s", CASES[i].sql, fault.why);
		spool_remove(&spool);
	}
}

static void
allows_what_analyze_leaves(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	meddle(&spool, "ANALYZE");
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static void
refuses_a_newer_queue_and_touches_nothing(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	struct stat before, after;

	(void)state;
	spool_make(&spool);
	meddle(&spool, "PRAGMA user_version=1000; PRAGMA wal_checkpoint");
	assert_int_equal(stat(spool.place.file, &before), 0);
	assert_null(db_open(&spool.place, DB_WRITER, 100, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_NEWER);
	assert_non_null(strstr(fault.message, "1000"));
	assert_int_equal(stat(spool.place.file, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	spool_remove(&spool);
}

static void
refuses_a_queue_without_a_version(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	meddle(&spool, "PRAGMA user_version=0");
	spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	meddle(&spool, "PRAGMA user_version=-3");
	spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	spool_remove(&spool);
}

/* Its tables are there already: a step cannot be made, and nothing is. */
static void
refuses_a_version_below_its_tables(void **state)
{
	struct spool spool;
	int version;

	(void)state;
	spool_make(&spool);
	for (version = 1; version < schema_latest(); version++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version);
		meddle(&spool, sql);
		spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	}
	spool_remove(&spool);
}

/* Make the queue that was published as ${version}: the steps up to it. */
static void
make_version(struct spool *spool, int version)
{
	const struct schema_step *step;
	struct sqlite3 *handle;
	char stamp[96];

	spool_empty(spool);
	assert_int_equal(sqlite3_open(spool->place.file, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle,
			     "PRAGMA page_size=4096;"
			     " PRAGMA auto_vacuum=INCREMENTAL;"
			     " PRAGMA journal_mode=WAL",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	for (step = SCHEMA_STEPS; step->version != 0; step++)
		if (step->version <= version)
			assert_int_equal(
			    sqlite3_exec(handle, step->sql, NULL, NULL, NULL),
			    SQLITE_OK);
	snprintf(stamp, sizeof(stamp),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d",
	    SCHEMA_APPLICATION_ID, version);
	assert_int_equal(
	    sqlite3_exec(handle, stamp, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle,
			     "UPDATE ledger SET accepted = 5, pending = 5,"
			     " last_id = 5",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(handle);
}

static int64_t
pending(struct db *db)
{
	static const char SQL[] = "SELECT pending FROM ledger";
	struct sqlite3_stmt *stmt = db_prepare(db, SQL);
	int64_t value = -1;

	assert_non_null(stmt);
	if (db_step(db, stmt) == DB_ROW)
		value = db_column_int(stmt, 0);
	db_reset(stmt);
	return value;
}

static void
upgrades_a_queue_of_every_published_version(void **state)
{
	static const enum db_kind KINDS[] = { DB_WRITER, DB_READER };
	const struct schema_step *step;
	size_t i;

	(void)state;
	for (step = SCHEMA_STEPS; step->version != 0; step++)
		for (i = 0; i < 2; i++) {
			struct spool spool;
			struct db *db;

			make_version(&spool, step->version);
			db = spool_open(&spool, KINDS[i]);
			assert_int_equal(schema_version(db), schema_latest());
			assert_int_equal(pending(db), 5);
			db_close(db);
			db_close(spool_open(&spool, DB_WRITER));
			spool_remove(&spool);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creates_every_table_of_the_files),
		cmocka_unit_test(refuses_a_changed_schema_by_name),
		cmocka_unit_test(allows_what_analyze_leaves),
		cmocka_unit_test(refuses_a_newer_queue_and_touches_nothing),
		cmocka_unit_test(refuses_a_queue_without_a_version),
		cmocka_unit_test(refuses_a_version_below_its_tables),
		cmocka_unit_test(upgrades_a_queue_of_every_published_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
