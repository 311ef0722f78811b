/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/dbinside.h"
#include "queue/gate.h"
#include "queue/schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t
ask(struct sqlite3 *handle, const char *sql)
{
	struct sqlite3_stmt *stmt;
	int64_t value = -1;

	assert_int_equal(
	    sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static const struct {
	const char *sql;
	int64_t value;
} PRAGMAS[] = {
	{ "PRAGMA wal_autocheckpoint", 0 },
	{ "PRAGMA busy_timeout", 5000 },
	{ "PRAGMA journal_size_limit", 4 * 1024 * 1024 },
	{ "PRAGMA mmap_size", 0 },
	{ "PRAGMA foreign_keys", 1 },
	{ "PRAGMA trusted_schema", 0 },
	{ "PRAGMA cell_size_check", 1 },
	{ "PRAGMA temp_store", 2 },
	{ "PRAGMA page_size", 4096 },
	{ "PRAGMA auto_vacuum", 2 },
	{ "PRAGMA application_id", SCHEMA_APPLICATION_ID },
};

static const struct {
	int option, value;
} DB_SETTINGS[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	{ SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
};

static const struct {
	int limit, value;
} LIMITS[] = {
	{ SQLITE_LIMIT_LENGTH, 1024 * 1024 },
	{ SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 8 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 50 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

/* All but what depends on the kind, and mmap_size where it is built out. */
static void
check_common(struct sqlite3 *handle, int64_t busy_timeout)
{
	int value;
	size_t i;

	for (i = 0; i < COUNT(PRAGMAS); i++) {
		int64_t expected = PRAGMAS[i].value, got;

		if (strcmp(PRAGMAS[i].sql, "PRAGMA busy_timeout") == 0)
			expected = busy_timeout;
		got = ask(handle, PRAGMAS[i].sql);
		if (got != expected)
			fail_msg("%s: %lld", PRAGMAS[i].sql, (long long)got);
	}
	for (i = 0; i < COUNT(DB_SETTINGS); i++) {
		value = -1;
		sqlite3_db_config(handle, DB_SETTINGS[i].option, -1, &value);
		assert_int_equal(value, DB_SETTINGS[i].value);
	}
	for (i = 0; i < COUNT(LIMITS); i++)
		assert_int_equal(sqlite3_limit(handle, LIMITS[i].limit, -1),
		    LIMITS[i].value);
	value = -1;
	sqlite3_file_control(handle, "main", SQLITE_FCNTL_PERSIST_WAL, &value);
	assert_int_equal(value, 1);
}

/* Freed rows are overwritten or not as SQLite was built (on, in Debian). */
static void
check_secure_delete(struct sqlite3 *handle)
{
	struct sqlite3 *plain;

	assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
	assert_int_equal(ask(handle, "PRAGMA secure_delete"),
	    ask(plain, "PRAGMA secure_delete"));
	sqlite3_close(plain);
}

static void
check_journal_mode(struct sqlite3 *handle)
{
	struct sqlite3_stmt *stmt;

	assert_int_equal(
	    sqlite3_prepare_v2(handle, "PRAGMA journal_mode", -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "wal");
	sqlite3_finalize(stmt);
}

static void
sets_what_the_contract_asks_on_each_kind(void **state)
{
	static const struct {
		enum db_kind kind;
		int synchronous, query_only;
		bool mutex;
	} KINDS[] = {
		{ DB_WRITER, 2, 0, false },
		{ DB_READER, 2, 1, false },
		{ DB_SHARED, 2, 0, true },
	};
	struct spool spool;
	size_t i;

	(void)state;
	spool_make(&spool);
	for (i = 0; i < COUNT(KINDS); i++) {
		struct db *db = spool_open(&spool, KINDS[i].kind);
		struct sqlite3 *handle = db_handle(db);

		check_common(handle, 5000);
		check_journal_mode(handle);
		check_secure_delete(handle);
		assert_int_equal(
		    ask(handle, "PRAGMA synchronous"), KINDS[i].synchronous);
		assert_int_equal(
		    ask(handle, "PRAGMA query_only"), KINDS[i].query_only);
		assert_int_equal(
		    sqlite3_db_mutex(handle) != NULL, KINDS[i].mutex);
		db_close(db);
	}
	spool_remove(&spool);
}

static void
sets_it_on_the_creating_and_the_guarding_connection(void **state)
{
	struct spool spool;
	struct db *db;
	int fd;

	(void)state;
	spool_empty(&spool);
	fd = place_create(spool.place.file, 0660, NULL);
	assert_true(fd >= 0);
	close(fd);
	db = spool_open(&spool, DB_CREATE);
	assert_int_equal(schema_create(db), 0);
	check_common(db_handle(db), 5000);
	check_journal_mode(db_handle(db));
	assert_int_equal(ask(db_handle(db), "PRAGMA synchronous"), 3);
	assert_int_equal(checkpoint_guarded(db, true), CHECKPOINT_DONE);
	check_common(db->guard, 0);
	assert_int_equal(ask(db->guard, "PRAGMA synchronous"), 2);
	db_close(db);
	spool_remove(&spool);
}

static void
gives_extended_codes(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_run(db, "INSERT INTO ledger (id) VALUES (1)"), -1);
	assert_int_equal(
	    db_fault(db)->sqlite_code, SQLITE_CONSTRAINT_PRIMARYKEY);
	db_close(db);
	spool_remove(&spool);
}

/* SQLite would open such a file to read, and fail at the first write, or
 * fail at once and not say why. */
static void
refuses_a_format_that_is_not_known(void **state)
{
	static const struct {
		off_t at; /* in the header */
		char right, wrong;
	} BYTES[] = { { 18, 2, 3 }, { 19, 2, 3 }, { 47, 4, 5 }, { 44, 0, 1 } };
	struct spool spool;
	size_t i;
	int fd;

	(void)state;
	spool_make(&spool);
	fd = open(spool.place.file, O_WRONLY);
	for (i = 0; i < sizeof(BYTES) / sizeof(BYTES[0]); i++) {
		assert_int_equal(
		    pwrite(fd, &BYTES[i].wrong, 1, BYTES[i].at), 1);
		spool_refused(&spool, FAULT_QUEUE_FOREIGN);
		assert_int_equal(
		    pwrite(fd, &BYTES[i].right, 1, BYTES[i].at), 1);
	}
	close(fd);
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static void
refuses_what_is_not_a_queue(void **state)
{
	struct spool spool;
	struct sqlite3 *other;
	char text[200];

	(void)state;
	spool_empty(&spool);
	spool_write(spool.place.file, "", 0);
	spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	memset(text, 'x', sizeof(text));
	spool_write(spool.place.file, text, sizeof(text));
	spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	assert_int_equal(place_size(spool.place.file), sizeof(text));
	unlink(spool.place.file);

	/* another program's database, with a WAL that is not ours to recover */
	assert_int_equal(sqlite3_open(spool.place.file, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
			     "PRAGMA journal_mode=WAL;"
			     "CREATE TABLE t (a)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	spool_refused(&spool, FAULT_QUEUE_FOREIGN);
	assert_int_not_equal(access(spool.place.wal, F_OK), 0);
	assert_int_not_equal(access(spool.place.gate, F_OK), 0);
	spool_remove(&spool);
}

static void
refuses_a_symbolic_link_but_not_one_above_the_file(void **state)
{
	struct spool spool, linked;
	char path[512], link[600];
	struct db *db;

	(void)state;
	spool_make(&spool);
	spool_path(&spool, "other.db", path);
	assert_int_equal(symlink("queue.db", path), 0);
	assert_int_equal(place_of(&linked.place, path, NULL), 0);
	spool_refused(&linked, FAULT_QUEUE_FOREIGN);

	snprintf(link, sizeof(link), "%s.link", spool.dir);
	assert_int_equal(symlink(spool.dir, link), 0);
	snprintf(path, sizeof(path), "%.400s/queue.db", link);
	assert_int_equal(place_of(&linked.place, path, NULL), 0);
	db = spool_open(&linked, DB_WRITER);
	db_close(db);
	unlink(link);
	spool_remove(&spool);
}

static void
refuses_a_file_cut_in_half(void **state)
{
	struct spool spool;
	struct fault fault = { 0 };
	struct db *db;

	(void)state;
	spool_make(&spool);
	assert_int_equal(truncate(spool.place.file, 4096 * 3), 0);
	assert_int_equal(unlink(spool.place.wal), 0);
	assert_int_equal(unlink(spool.place.shm), 0);
	db = db_open(&spool.place, DB_WRITER, 100, &fault);
	if (db != NULL) { /* what is cut off need not be looked at to open */
		assert_int_equal(
		    db_run(db, "INSERT INTO gap VALUES (1, 1, 1, 'x')"), -1);
		fault = *db_fault(db);
		db_close(db);
	}
	assert_string_equal(fault_name(fault.kind), fault_name(FAULT_CORRUPT));
	spool_remove(&spool);
}

static int64_t
duplicates(struct db *db)
{
	return ask(db_handle(db), "SELECT duplicates FROM ledger");
}

static const char COUNT_ONE[] = "UPDATE ledger SET duplicates = duplicates + 1";

static void
undoes_an_inner_bracket_alone(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_depth(db), 2);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	db_rollback(db);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_depth(db), 0);
	assert_int_equal(duplicates(db), 2);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	db_rollback(db);
	assert_int_equal(duplicates(db), 2);
	db_rollback(db);
	assert_int_equal(db_commit(db), -1);
	db_close(db);
	spool_remove(&spool);
}

static void
leaves_the_mark_that_was_committed(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(gate_mark(db_gate(db)), -1);
	assert_int_equal(db_begin(db), 0);
	db_note_last_id(db, 7);
	assert_int_equal(db_begin(db), 0);
	db_note_last_id(db, 9);
	db_rollback(db); /* 9 was not given after all */
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(gate_mark(db_gate(db)), 7);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_begin(db), 0);
	db_note_last_id(db, 12);
	assert_int_equal(db_commit(db), 0);
	db_rollback(db);
	assert_int_equal(gate_mark(db_gate(db)), 7);
	db_close(db);
	spool_remove(&spool);
}

static void
keeps_the_first_fault_through_the_rollback(void **state)
{
	struct spool spool;
	struct fault fault = { .kind = FAULT_LEDGER_BROKEN,
		.message = "first" };
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_fail(db, &fault), -1);
	assert_int_equal(db_run(db, "SELECT nothing FROM nowhere"), -1);
	db_rollback(db);
	assert_string_equal(db_error(db), "first");
	/* outside, and in the next bracket, the latest counts again */
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, "SELECT nothing FROM nowhere"), -1);
	db_rollback(db);
	assert_string_not_equal(db_error(db), "first");
	assert_null(strstr(db_error(db), "no such table"));
	db_close(db);
	spool_remove(&spool);
}

static void
refuses_to_go_on_when_sqlite_rolled_back(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	assert_int_equal(
	    sqlite3_exec(db_handle(db), "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(db_run(db, COUNT_ONE), -1);
	assert_int_equal(db_commit(db), -1);
	assert_int_equal(db_depth(db), 1);
	assert_int_equal(db_step(db, db_prepare(db, COUNT_ONE)), DB_FAILED);
	assert_int_equal(db_commit(db), -1);
	assert_int_equal(db_depth(db), 0);
	assert_int_equal(duplicates(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(duplicates(db), 1);
	db_close(db);
	spool_remove(&spool);
}

static int
write_in_child(void *cookie)
{
	struct spool *spool = cookie;
	struct fault fault = { 0 };
	struct db *db = db_open(&spool->place, DB_WRITER, 50, &fault);
	int failed;

	if (db == NULL)
		return 2;
	failed = db_begin(db);
	if (failed && db_fault(db)->kind != FAULT_QUEUE_BUSY)
		return 3;
	db_close(db);
	return failed ? 1 : 0;
}

static void
is_busy_while_another_process_writes(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(in_child(write_in_child, &spool), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(in_child(write_in_child, &spool), 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(in_child(write_in_child, &spool), 0);
	db_close(db);
	spool_remove(&spool);
}

static void
is_busy_while_a_program_without_the_gate_writes(void **state)
{
	struct spool spool;
	struct sqlite3 *other;

	(void)state;
	spool_make(&spool);
	assert_int_equal(sqlite3_open(spool.place.file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "PRAGMA wal_autocheckpoint=0; BEGIN IMMEDIATE",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(in_child(write_in_child, &spool), 1);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	assert_int_equal(in_child(write_in_child, &spool), 0);
	sqlite3_close(other);
	spool_remove(&spool);
}

static int
use_inherited(void *cookie)
{
	struct db *db = cookie;

	if (!db_forked(db) || db_begin(db) != -1 ||
	    db_prepare(db, COUNT_ONE) != NULL || db_run(db, COUNT_ONE) != -1 ||
	    db_commit(db) != -1 || db_begin_read(db) != -1)
		return 1;
	db_rollback(db);
	db_close(db);
	return 0;
}

static void
refuses_to_work_in_a_child(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	assert_int_equal(in_child(use_inherited, db), 0);
	/* the child took neither our gate nor our transaction with it */
	assert_int_equal(in_child(write_in_child, &spool), 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(duplicates(db), 1);
	db_close(db);
	spool_remove(&spool);
}

static void
reports_a_failed_bind_at_the_step(void **state)
{
	static const char SQL[] = "SELECT :a";
	struct spool spool;
	struct sqlite3_stmt *stmt;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_READER);
	stmt = db_prepare(db, SQL);
	db_bind_int(db, stmt, ":b", 1);
	assert_int_equal(db_step(db, stmt), DB_FAILED);
	assert_int_equal(db_fault(db)->kind, FAULT_INTERNAL);
	assert_ptr_equal(db_prepare(db, SQL), stmt);
	db_bind_text(db, stmt, ":a", "x");
	assert_int_equal(db_step(db, stmt), DB_ROW);
	assert_string_equal(db_column_text(stmt, 0), "x");
	assert_int_equal(db_step(db, stmt), DB_DONE);
	stmt = db_prepare(db, SQL); /* unbound again */
	assert_int_equal(db_step(db, stmt), DB_ROW);
	assert_true(db_column_is_null(stmt, 0));
	assert_string_equal(db_column_text(stmt, 0), "");
	assert_int_equal(db_column_optional(stmt, 0, -5), -5);
	db_reset(stmt);
	db_close(db);
	spool_remove(&spool);
}

static void
finds_every_statement_it_prepared(void **state)
{
	static char sql[300][24];
	struct sqlite3_stmt *stmts[300];
	struct spool spool;
	struct db *db;
	size_t i;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_READER);
	for (i = 0; i < 300; i++) {
		snprintf(sql[i], sizeof(sql[i]), "SELECT %zu", i);
		stmts[i] = db_prepare(db, sql[i]);
		assert_non_null(stmts[i]);
	}
	for (i = 0; i < 300; i++) {
		assert_ptr_equal(db_prepare(db, sql[i]), stmts[i]);
		assert_int_equal(db_step(db, stmts[i]), DB_ROW);
		assert_int_equal(db_column_int(stmts[i], 0), i);
		db_reset(stmts[i]);
	}
	db_close(db);
	spool_remove(&spool);
}

static void
refuses_a_scan_of_metric_that_is_not_meant(void **state)
{
	static const char SCAN[] = "SELECT count(*) FROM metric";
	static const char MEANT[] = "SELECT count(*) FROM metric /* scan */";
	static const char SEARCH[] =
	    "SELECT value FROM metric WHERE lane_id = 1 AND id > 5";
	struct spool spool;
	struct db *db;

	(void)state;
#ifdef NDEBUG
	skip();
#endif
	spool_make(&spool);
	db = spool_open(&spool, DB_READER);
	assert_null(db_prepare(db, SCAN));
	assert_non_null(db_prepare(db, MEANT));
	assert_non_null(db_prepare(db, SEARCH));
	db_close(db);
	spool_remove(&spool);
}

static void
sees_one_state_during_a_read_transaction(void **state)
{
	struct spool spool;
	struct db *writer, *reader;
	int64_t version;

	(void)state;
	spool_make(&spool);
	writer = spool_open(&spool, DB_WRITER);
	reader = spool_open(&spool, DB_READER);
	version = db_data_version(reader);
	assert_int_equal(db_begin_read(reader), 0);
	assert_int_equal(db_begin_read(reader), 0);
	assert_int_equal(duplicates(reader), 0);
	assert_int_equal(db_run(writer, COUNT_ONE), 0);
	assert_int_equal(duplicates(reader), 0);
	db_end_read(reader);
	assert_int_equal(duplicates(reader), 0);
	db_end_read(reader);
	assert_int_equal(duplicates(reader), 1);
	assert_int_not_equal(db_data_version(reader), version);
	assert_int_equal(db_run(reader, COUNT_ONE), -1);
	db_close(reader);
	db_close(writer);
	spool_remove(&spool);
}

static const char FILL[] =
    "INSERT INTO gap (first_id, last_id, noticed_at, reason)"
    " VALUES ((SELECT coalesce(max(first_id), 0) + 1 FROM gap), 0, 0,"
    "  hex(zeroblob(1500)))";

/* Insert rows until it fails, counting them.  Return the fault's kind. */
static enum fault_kind
fill_up(struct db *db, int *rows)
{
	for (*rows = 0; *rows < 5000; ++*rows)
		if (db_begin(db) || db_run(db, FILL) || db_commit(db)) {
			db_rollback(db);
			return db_fault(db)->kind;
		}
	return FAULT_NONE;
}

static void
is_full_by_policy_and_still_drains(void **state)
{
	struct spool spool;
	struct db *db;
	int rows;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(bound_apply(db, 2 * 1024 * 1024, false), 0);
	assert_int_equal(fill_up(db, &rows), FAULT_QUEUE_FULL);
	assert_in_range(rows, 9, 4999);
	assert_int_equal(db_run(db, "DELETE FROM gap WHERE first_id < 9"), 0);
	assert_int_equal(db_run(db, FILL), 0);
	assert_int_equal(bound_apply(db, 0, false), 0);
	assert_int_equal(
	    ask(db_handle(db), "PRAGMA max_page_count"), (int64_t)0xfffffffe);
	assert_int_equal(db_run(db, FILL), 0);
	assert_true(db_bytes(db) > db_wal_bytes(db));
	db_close(db);
	spool_remove(&spool);
}

/* In a child: no file may grow beyond 200 KiB. */
static int
hit_the_file_size_limit(void *cookie)
{
	struct spool *spool = cookie;
	struct rlimit limit = { 200 * 1024, 200 * 1024 };
	int64_t stored;
	int rows;
	struct db *db = db_open(&spool->place, DB_WRITER, 1000, NULL);

	signal(SIGXFSZ, SIG_IGN);
	if (db == NULL || setrlimit(RLIMIT_FSIZE, &limit))
		return 2;
	if (fill_up(db, &rows) != FAULT_OUTCOME_UNKNOWN)
		return 3;
	if (strstr(db_fault(db)->why, "ulimit") == NULL)
		return 4;
	/* broken for good, and said so; a new handle reads what was there */
	if (db_begin(db) != -1 || db_fault(db)->kind != FAULT_IO_ERROR)
		return 5;
	db_close(db);
	if ((db = db_open(&spool->place, DB_READER, 1000, NULL)) == NULL)
		return 6;
	stored = ask(db_handle(db), "SELECT count(*) FROM gap");
	if (rows == 0 || stored < rows || stored > rows + 1)
		return 7;
	db_close(db);
	return 0;
}

static void
does_not_know_the_outcome_of_a_commit_that_could_not_write(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	assert_int_equal(in_child(hit_the_file_size_limit, &spool), 0);
	spool_remove(&spool);
}

/* The log of a file system whose sync has no memory, while ${forgetful}. */
static const struct sqlite3_io_methods *whole;
static struct sqlite3_io_methods methods;
static struct sqlite3_vfs *true_vfs;
static bool forgetful;

static int
sync_or_not(struct sqlite3_file *file, int flags)
{
	return forgetful ? SQLITE_NOMEM : whole->xSync(file, flags);
}

static int
open_log(struct sqlite3_vfs *vfs, const char *name, struct sqlite3_file *file,
    int flags, int *out)
{
	int code = true_vfs->xOpen(true_vfs, name, file, flags, out);

	(void)vfs;
	if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL)) {
		whole = file->pMethods;
		methods = *whole;
		methods.xSync = sync_or_not;
		file->pMethods = &methods;
	}
	return code;
}

static void
does_not_know_the_outcome_of_a_commit_that_ran_out_of_memory(void **state)
{
	struct sqlite3_vfs vfs = *sqlite3_vfs_find(NULL);
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	true_vfs = sqlite3_vfs_find(NULL);
	vfs.zName = "forgetful";
	vfs.xOpen = open_log;
	sqlite3_vfs_register(&vfs, 1);
	db = spool_open(&spool, DB_WRITER);
	sqlite3_vfs_register(true_vfs, 1);
	assert_int_equal(db_run(db, FILL), 0); /* the log has begun */
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(db_run(db, FILL), 0);
	forgetful = true;
	assert_int_equal(db_commit(db), -1);
	forgetful = false;
	assert_int_equal(db_fault(db)->kind, FAULT_OUTCOME_UNKNOWN);
	assert_true(gate_doubt(db_gate(db)));
	assert_int_equal(db_begin(db), -1);
	db_close(db);
	sqlite3_vfs_unregister(&vfs);
	/* it was there all the same */
	db = spool_open(&spool, DB_READER);
	assert_int_equal(ask(db_handle(db), "SELECT count(*) FROM gap"), 2);
	db_close(db);
	spool_remove(&spool);
}

static void
goes_back_to_wal_when_another_program_left_it(void **state)
{
	struct spool spool;
	struct sqlite3 *other;
	struct db *db;

	(void)state;
	spool_make(&spool);
	assert_int_equal(sqlite3_open(spool.place.file, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(other, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	db = spool_open(&spool, DB_WRITER);
	check_journal_mode(db_handle(db));
	db_close(db);
	spool_remove(&spool);
}

static void
keeps_wal_and_index_at_close(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_run(db, COUNT_ONE), 0);
	db_close(db);
	assert_true(place_size(spool.place.wal) > 0);
	assert_true(place_size(spool.place.shm) > 0);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_what_the_contract_asks_on_each_kind),
		cmocka_unit_test(
		    sets_it_on_the_creating_and_the_guarding_connection),
		cmocka_unit_test(gives_extended_codes),
		cmocka_unit_test(refuses_what_is_not_a_queue),
		cmocka_unit_test(refuses_a_format_that_is_not_known),
		cmocka_unit_test(
		    refuses_a_symbolic_link_but_not_one_above_the_file),
		cmocka_unit_test(refuses_a_file_cut_in_half),
		cmocka_unit_test(undoes_an_inner_bracket_alone),
		cmocka_unit_test(leaves_the_mark_that_was_committed),
		cmocka_unit_test(keeps_the_first_fault_through_the_rollback),
		cmocka_unit_test(refuses_to_go_on_when_sqlite_rolled_back),
		cmocka_unit_test(is_busy_while_another_process_writes),
		cmocka_unit_test(
		    is_busy_while_a_program_without_the_gate_writes),
		cmocka_unit_test(refuses_to_work_in_a_child),
		cmocka_unit_test(reports_a_failed_bind_at_the_step),
		cmocka_unit_test(finds_every_statement_it_prepared),
		cmocka_unit_test(refuses_a_scan_of_metric_that_is_not_meant),
		cmocka_unit_test(sees_one_state_during_a_read_transaction),
		cmocka_unit_test(is_full_by_policy_and_still_drains),
		cmocka_unit_test(
		    does_not_know_the_outcome_of_a_commit_that_could_not_write),
		cmocka_unit_test(
		    does_not_know_the_outcome_of_a_commit_that_ran_out_of_memory),
		cmocka_unit_test(goes_back_to_wal_when_another_program_left_it),
		cmocka_unit_test(keeps_wal_and_index_at_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
