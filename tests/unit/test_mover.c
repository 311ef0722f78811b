/* links: base queue */
/*
 * From an application's outbox into the queue.  A forwarder that dies is a
 * mover that is freed: what it knew is gone, what it wrote is not.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/audit.h"
#include "queue/entry.h"
#include "queue/ledger.h"
#include "queue/mover.h"
#include "queue/outbox.h"

struct shop {
	struct spool spool;
	char path[512];
	struct sqlite3 *db;
	struct mover *mover;
};

static void
run(struct shop *shop, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(shop->db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int64_t
ask(struct sqlite3 *db, const char *sql)
{
	struct sqlite3_stmt *stmt;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

static int64_t
ask_queue(struct shop *shop, const char *sql)
{
	struct sqlite3 *db;
	int64_t answer;

	assert_int_equal(sqlite3_open(shop->spool.place.file, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	answer = ask(db, sql);
	sqlite3_close(db);
	return answer;
}

static void
meddle_queue(struct shop *shop, const char *sql)
{
	struct sqlite3 *db;

	assert_int_equal(sqlite3_open(shop->spool.place.file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
open_shop(struct shop *shop)
{
	struct fault fault = { 0 };

	spool_make(&shop->spool);
	spool_path(&shop->spool, "shop.db", shop->path);
	assert_int_equal(sqlite3_open(shop->path, &shop->db), SQLITE_OK);
	run(shop, "PRAGMA journal_mode=WAL");
	assert_int_equal(outbox_install(shop->db, &fault), 0);
	shop->mover = mover_new(shop->spool.place.file, shop->path);
	assert_non_null(shop->mover);
}

static void
die(struct shop *shop)
{
	mover_free(shop->mover);
	shop->mover = mover_new(shop->spool.place.file, shop->path);
	assert_non_null(shop->mover);
}

static void
close_shop(struct shop *shop)
{
	struct audit audit;
	struct db *db = spool_open(&shop->spool, DB_READER);

	assert_int_equal(audit_run(db, true, &audit), 0);
	assert_int_equal(audit.problem_count, 0);
	db_close(db);
	mover_free(shop->mover);
	sqlite3_close(shop->db);
	spool_remove(&shop->spool);
}

static struct mover_result
move(struct shop *shop)
{
	struct mover_result result;
	struct fault fault = { 0 };

	if (mover_round(shop->mover, &result, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
	return result;
}

static enum fault_kind
move_fails(struct shop *shop)
{
	struct mover_result result;
	struct fault fault = { 0 };

	assert_int_equal(mover_round(shop->mover, &result, &fault), -1);
	assert_false(result.more);
	return fault.kind;
}

#define SELL \
	"INSERT INTO monspool_outbox (namespace, metric, dimensions, value)" \
	" VALUES ('shop', 'sale', '{\"till\":\"1\"}', 12.5)"
#define ACCEPTED "SELECT accepted FROM ledger"
#define TOKENS "SELECT count(*) FROM enqueue_key"
#define LEFT "SELECT count(*) FROM monspool_outbox"

static void
moves_a_row_whole(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop,
	    "INSERT INTO monspool_outbox (namespace, metric, dimensions,"
	    " value, region, account, observed_ms, max_age_seconds) VALUES"
	    " ('shop', 'sale', ' {\"b\":\"\\u00e9\",\"a\":\"1\"}', 0.1, 'gz',"
	    " 'second', 1700000000123, 60)");
	assert_int_equal(move(&shop).moved, 1);
	assert_int_equal(ask(shop.db, LEFT), 0);
	assert_int_equal(
	    ask_queue(&shop,
		"SELECT count(*) FROM metric JOIN series"
		" ON series.id = series_id JOIN lane ON lane.id = "
		"metric.lane_id"
		" WHERE value = '0.1' AND region = 'gz' AND account = 'second'"
		" AND observed_at = 1700000000123"
		" AND expires_at = accepted_at + 60000"
		" AND metric = 'sale' AND hash <> 0"
		" AND dimensions = '{\"a\":\"1\",\"b\":\"' || char(233) || "
		"'\"}'"),
	    1);
	close_shop(&shop);
}

static void
forgets_the_token_once_the_row_is_gone(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL);
	move(&shop);
	assert_int_equal(ask_queue(&shop, TOKENS), 1);
	move(&shop);
	assert_int_equal(ask_queue(&shop, TOKENS), 0);
	close_shop(&shop);
}

/* The window between the two commits. */
static void
moves_no_row_twice_when_it_died_before_the_delete(void **state)
{
	struct shop shop;
	int i;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL);
	run(&shop, SELL);
	for (i = 0; i < 3; i++) {
		run(&shop, "BEGIN IMMEDIATE"); /* it cannot delete */
		assert_int_equal(move_fails(&shop), FAULT_QUEUE_BUSY);
		run(&shop, "COMMIT");
		assert_int_equal(ask(shop.db, LEFT), 2);
		assert_int_equal(ask_queue(&shop, ACCEPTED), 2);
		/* however long it was dead */
		meddle_queue(&shop,
		    "DELETE FROM enqueue_key WHERE expires_at <"
		    " (strftime('%s', 'now') + 100 * 31536000) * 1000");
		die(&shop);
	}
	assert_int_equal(move(&shop).known, 2);
	assert_int_equal(ask(shop.db, LEFT), 0);
	assert_int_equal(ask_queue(&shop, ACCEPTED), 2);
	close_shop(&shop);
}

static void
forgets_tokens_of_one_that_died_after_the_delete(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL);
	move(&shop);
	die(&shop);
	assert_int_equal(ask_queue(&shop, TOKENS), 1);
	move(&shop);
	assert_int_equal(ask_queue(&shop, TOKENS), 0);
	assert_int_equal(ask_queue(&shop, ACCEPTED), 1);
	close_shop(&shop);
}

static void
keeps_tokens_of_rows_that_are_still_there(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL);
	run(&shop, "BEGIN IMMEDIATE");
	assert_int_equal(move_fails(&shop), FAULT_QUEUE_BUSY);
	die(&shop);
	assert_int_equal(move_fails(&shop), FAULT_QUEUE_BUSY);
	assert_int_equal(ask_queue(&shop, TOKENS), 1);
	run(&shop, "ROLLBACK");
	move(&shop);
	assert_int_equal(ask_queue(&shop, ACCEPTED), 1);
	close_shop(&shop);
}

static void
takes_a_key_once(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop,
	    "INSERT INTO monspool_outbox (namespace, metric, value, key)"
	    " VALUES ('shop', 'sale', 1, 'k'), ('shop', 'sale', 2, 'k')");
	assert_int_equal(move(&shop).known, 1);
	assert_int_equal(ask(shop.db, LEFT), 0);
	assert_int_equal(ask_queue(&shop, ACCEPTED), 1);
	assert_int_equal(ask_queue(&shop, "SELECT duplicates FROM ledger"), 1);
	close_shop(&shop);
}

static void
leaves_an_unfit_row_with_its_reason(void **state)
{
	static const char *const UNFIT[] = {
		"('a-b', 'm', '{}', 1)",
		"('n', 'm', '{\"k\":1}', 1)",
		"('n', 'm', '[]', 1)",
		"('n', 'm', 'till=1', 1)",
		"('n', 'm', '{\"k\":\"1\",\"k\":\"2\"}', 1)",
		"('n', CAST(x'6d00' AS TEXT), '{}', 1)",
		"('n', 'm', '{\"k\":\"' || CAST(x'e4b8' AS TEXT) || '\"}', 1)",
		"('n', printf('%300s', 'm'), NULL, 1)",
	};
	struct mover_result result;
	struct shop shop;
	char sql[256];
	size_t i, count = sizeof(UNFIT) / sizeof(UNFIT[0]);

	(void)state;
	open_shop(&shop);
	for (i = 0; i < count; i++) {
		snprintf(sql, sizeof(sql),
		    "INSERT INTO monspool_outbox (namespace, metric,"
		    " dimensions, value) VALUES %s",
		    UNFIT[i]);
		run(&shop, sql);
		run(&shop, SELL);
	}
	result = move(&shop);
	assert_int_equal(result.moved, count);
	assert_int_equal(result.refused, count);
	assert_int_equal(ask(shop.db, LEFT " WHERE error <> ''"), count);
	assert_int_equal(ask(shop.db, LEFT), count);
	assert_int_equal(move(&shop).refused, 0); /* and is left alone */
	assert_int_equal(ask_queue(&shop, ACCEPTED), count);
	close_shop(&shop);
}

static void
the_table_itself_refuses_nonsense(void **state)
{
	static const char *const NONSENSE[] = { "(NULL, 'm', '{}', 1)",
		"('', 'm', '{}', 1)", "('n', NULL, '{}', 1)",
		"('n', 'm', '{}', NULL)", "('n', 'm', '{}', '30%')",
		"('n', 'm', '{}', 9e999)" };
	struct shop shop;
	char sql[256];
	size_t i;

	(void)state;
	open_shop(&shop);
	for (i = 0; i < sizeof(NONSENSE) / sizeof(NONSENSE[0]); i++) {
		snprintf(sql, sizeof(sql),
		    "INSERT INTO monspool_outbox (namespace, metric,"
		    " dimensions, value) VALUES %s",
		    NONSENSE[i]);
		assert_int_equal(sqlite3_exec(shop.db, sql, NULL, NULL, NULL),
		    SQLITE_CONSTRAINT);
	}
	close_shop(&shop);
}

#define SELL_MANY \
	"INSERT INTO monspool_outbox (namespace, metric, dimensions, value)" \
	" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL" \
	"  SELECT i + 1 FROM n WHERE i < 12001)" \
	" SELECT 'shop', 'sale', json_object('n', (i % 100) || ''), i FROM n"

static void
moves_many_in_bounded_rounds(void **state)
{
	struct shop shop;
	struct mover_result result;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL_MANY);
	result = move(&shop);
	assert_true(result.more);
	assert_int_equal(result.moved, 5000);
	assert_int_equal(move(&shop).moved, 5000);
	result = move(&shop);
	assert_int_equal(result.moved, 2001);
	assert_false(result.more);
	move(&shop);
	assert_int_equal(ask_queue(&shop, TOKENS), 0);
	assert_int_equal(
	    ask_queue(&shop, "SELECT count(*) FROM metric WHERE id = value"),
	    12001);
	close_shop(&shop);
}

static void
leaves_the_file_as_it_was(void **state)
{
	struct stat before, after;
	struct shop shop;
	struct fault fault = { 0 };

	(void)state;
	open_shop(&shop);
	run(&shop,
	    "PRAGMA wal_autocheckpoint=0; PRAGMA application_id=4711; PRAGMA "
	    "user_version=12;"
	    " CREATE TABLE sale (id INTEGER PRIMARY KEY);"
	    " CREATE TABLE seen (n);"
	    " CREATE TRIGGER spy AFTER DELETE ON monspool_outbox"
	    "  BEGIN INSERT INTO seen VALUES (old.id); END");
	assert_int_equal(outbox_install(shop.db, &fault), 0);
	assert_int_equal(stat(shop.path, &before), 0);
	run(&shop, SELL);
	move(&shop);
	move(&shop);
	die(&shop);
	/* All of it is in its WAL. */
	assert_int_equal(stat(shop.path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(ask(shop.db, "PRAGMA application_id"), 4711);
	assert_int_equal(ask(shop.db, "PRAGMA user_version"), 12);
	assert_int_equal(ask(shop.db, "SELECT count(*) FROM seen"), 0);
	assert_int_equal(ask(shop.db,
			     "SELECT count(*) FROM sqlite_schema"
			     " WHERE name LIKE 'monspool%'"),
	    2);
	close_shop(&shop);
}

static void
works_with_a_rollback_journal(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, "PRAGMA journal_mode=DELETE");
	run(&shop, SELL);
	assert_int_equal(move(&shop).moved, 1);
	assert_int_equal(ask(shop.db, LEFT), 0);
	close_shop(&shop);
}

static void
waits_for_the_file_and_for_its_tables(void **state)
{
	struct shop shop;
	char *path;

	(void)state;
	open_shop(&shop);
	mover_free(shop.mover);
	assert_true(asprintf(&path, "%s/later.db", shop.spool.dir) > 0);
	shop.mover = mover_new(shop.spool.place.file, path);
	assert_int_equal(move_fails(&shop), FAULT_NOT_FOUND);
	sqlite3_close(shop.db);
	assert_int_equal(sqlite3_open(path, &shop.db), SQLITE_OK);
	run(&shop, "CREATE TABLE sale (id)");
	assert_int_equal(move_fails(&shop), FAULT_NOT_FOUND);
	assert_int_equal(outbox_install(shop.db, NULL), 0);
	run(&shop, SELL);
	assert_int_equal(move(&shop).moved, 1);
	free(path);
	close_shop(&shop);
}

/* Put another database with an outbox and one sale in the place of the shop's. */
static void
replace_shop(struct shop *shop)
{
	char *other;

	assert_true(asprintf(&other, "%s.other", shop->path) > 0);
	sqlite3_close(shop->db);
	assert_int_equal(sqlite3_open(other, &shop->db), SQLITE_OK);
	assert_int_equal(outbox_install(shop->db, NULL), 0);
	run(shop, SELL);
	assert_int_equal(rename(other, shop->path), 0);
	free(other);
}

static void
follows_the_name_when_the_file_is_replaced(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, "PRAGMA journal_mode=DELETE");
	run(&shop, SELL);
	assert_int_equal(move(&shop).moved, 1);
	replace_shop(&shop);
	assert_int_equal(move(&shop).moved, 1);
	assert_int_equal(move(&shop).moved, 0); /* and forgets its token */
	assert_int_equal(ask_queue(&shop, TOKENS), 0);
	assert_int_equal(unlink(shop.path), 0);
	assert_int_equal(move_fails(&shop), FAULT_NOT_FOUND);
	replace_shop(&shop);
	assert_int_equal(move(&shop).moved, 1);
	assert_int_equal(ask_queue(&shop, ACCEPTED), 3);
	close_shop(&shop);
}

static void
leaves_rows_where_they_are_while_the_queue_is_full(void **state)
{
	struct shop shop;

	(void)state;
	open_shop(&shop);
	run(&shop, SELL_MANY);
	while (move(&shop).moved > 0)
		;
	meddle_queue(&shop,
	    "UPDATE setting SET value = '1' WHERE key ="
	    " 'max_size'");
	die(&shop); /* the settings are read anew */
	run(&shop, SELL);
	assert_int_equal(move_fails(&shop), FAULT_QUEUE_FULL);
	assert_int_equal(ask(shop.db, LEFT), 1);
	meddle_queue(&shop,
	    "UPDATE setting SET value = '0' WHERE key ="
	    " 'max_size'");
	die(&shop);
	assert_int_equal(move(&shop).moved, 1);
	close_shop(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_a_row_whole),
		cmocka_unit_test(forgets_the_token_once_the_row_is_gone),
		cmocka_unit_test(
		    moves_no_row_twice_when_it_died_before_the_delete),
		cmocka_unit_test(
		    forgets_tokens_of_one_that_died_after_the_delete),
		cmocka_unit_test(keeps_tokens_of_rows_that_are_still_there),
		cmocka_unit_test(takes_a_key_once),
		cmocka_unit_test(leaves_an_unfit_row_with_its_reason),
		cmocka_unit_test(the_table_itself_refuses_nonsense),
		cmocka_unit_test(moves_many_in_bounded_rounds),
		cmocka_unit_test(leaves_the_file_as_it_was),
		cmocka_unit_test(works_with_a_rollback_journal),
		cmocka_unit_test(waits_for_the_file_and_for_its_tables),
		cmocka_unit_test(follows_the_name_when_the_file_is_replaced),
		cmocka_unit_test(
		    leaves_rows_where_they_are_while_the_queue_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
