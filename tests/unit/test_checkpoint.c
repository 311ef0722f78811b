/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/checkpoint.h"
#include "queue/gate.h"
#include "queue/lock.h"

static const char FILL[] =
    "INSERT INTO gap (first_id, last_id, noticed_at, reason)"
    " VALUES ((SELECT coalesce(max(first_id), 0) + 1 FROM gap), 0, 0,"
    "  hex(zeroblob(2000)))";

/* Put rows until the WAL is longer than that. */
static void
fill(struct db *db, int64_t bytes)
{
	while (db_wal_bytes(db) <= bytes)
		assert_int_equal(db_run(db, FILL), 0);
}

/* A write as a writer makes it: gate, rule H3, insert. */
static void
put(struct db *db, int64_t wal_max)
{
	assert_int_equal(db_enter(db), 0);
	checkpoint_before_insert(db, wal_max, 4 << 20);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, FILL), 0);
	assert_int_equal(db_commit(db), 0);
	db_leave(db);
}

static void
copies_all_back_and_then_the_log_restarts(void **state)
{
	struct spool spool;
	struct db *db;
	int64_t bytes;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	fill(db, 300 * 1024);
	bytes = db_wal_bytes(db);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_DONE);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_DONE);
	assert_int_equal(db_run(db, FILL), 0);
	assert_int_equal(db_wal_bytes(db), bytes); /* overwritten */
	db_close(db);
	spool_remove(&spool);
}

static void
is_skipped_while_somebody_writes(void **state)
{
	struct spool spool;
	struct sqlite3 *foreign;
	struct db *db, *other;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	other = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_BUSY);
	db_rollback(other);
	assert_int_equal(db_begin(db), 0); /* by ourselves */
	assert_int_equal(checkpoint_guarded(db, true), CHECKPOINT_BUSY);
	db_rollback(db);
	/* one that knows no gate */
	assert_int_equal(sqlite3_open(spool.place.file, &foreign), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(foreign, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_BUSY);
	sqlite3_exec(foreign, "ROLLBACK", NULL, NULL, NULL);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_DONE);
	sqlite3_close(foreign);
	db_close(other);
	db_close(db);
	spool_remove(&spool);
}

static void
says_when_a_reader_pins_the_log(void **state)
{
	struct spool spool;
	struct sqlite3_stmt *stmt;
	struct db *db, *reader;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	reader = spool_open(&spool, DB_READER);
	fill(db, 100 * 1024);
	assert_int_equal(db_begin_read(reader), 0);
	stmt = db_prepare(reader, "SELECT count(*) FROM gap");
	assert_int_equal(db_step(reader, stmt), DB_ROW);
	db_reset(stmt);
	fill(db, 200 * 1024);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_PARTIAL);
	db_end_read(reader);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_DONE);
	db_close(reader);
	db_close(db);
	spool_remove(&spool);
}

static void
keeps_the_log_short_for_writers_alone(void **state)
{
	struct spool spool;
	struct db *db;
	int i;

	(void)state;
	spool_make(&spool);
	for (i = 0; i < 200; i++) {
		db = spool_open(&spool, DB_WRITER);
		put(db, 128 * 1024);
		assert_true(db_wal_bytes(db) < 256 * 1024);
		db_close(db);
	}
	spool_remove(&spool);
}

static void
leaves_the_log_to_a_forwarder_up_to_4_mib(void **state)
{
	struct spool spool;
	struct lock *lock;
	struct db *db;
	int64_t bytes;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	lock = lock_take(spool.place.lock, NULL);
	assert_non_null(lock);
	fill(db, 200 * 1024);
	bytes = db_wal_bytes(db);
	put(db, 128 * 1024);
	assert_true(db_wal_bytes(db) > bytes);
	fill(db, 4 * 1024 * 1024);
	put(db, 128 * 1024);
	assert_true(db_wal_bytes(db) <= 256 * 1024); /* trimmed */
	lock_release(lock);
	db_close(db);
	spool_remove(&spool);
}

static void
does_not_look_further_when_the_log_is_short(void **state)
{
	struct spool spool;
	struct db *db;
	int64_t bytes;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	fill(db, 100 * 1024);
	bytes = db_wal_bytes(db);
	put(db, 1024 * 1024);
	assert_true(db_wal_bytes(db) > bytes); /* the log went on */
	db_close(db);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_all_back_and_then_the_log_restarts),
		cmocka_unit_test(is_skipped_while_somebody_writes),
		cmocka_unit_test(says_when_a_reader_pins_the_log),
		cmocka_unit_test(keeps_the_log_short_for_writers_alone),
		cmocka_unit_test(leaves_the_log_to_a_forwarder_up_to_4_mib),
		cmocka_unit_test(does_not_look_further_when_the_log_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
