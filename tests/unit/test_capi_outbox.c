/* links: capi queue */
/* msp_install() and msp_put_on(): in the caller's file and transaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include "monspool.h"
#include "queue/bell.h"
#include "queue_fixture.h"

struct shop {
	struct spool spool;
	struct sqlite3 *db, *other; /* two connections */
	msp_error error;
};

static int
setup(void **state)
{
	struct shop *shop = calloc(1, sizeof(*shop));
	char path[512];

	assert_non_null(shop);
	spool_make(&shop->spool);
	spool_path(&shop->spool, "shop.db", path);
	assert_int_equal(sqlite3_open(path, &shop->db), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &shop->other), SQLITE_OK);
	*state = shop;
	return 0;
}

static int
teardown(void **state)
{
	struct shop *shop = *state;

	sqlite3_close(shop->db);
	sqlite3_close(shop->other);
	spool_remove(&shop->spool);
	free(shop);
	return 0;
}

static void
run(struct sqlite3 *db, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
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

#define TABLES "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'monspool%'"
#define ROWS "SELECT count(*) FROM monspool_outbox"

static msp_metric
sale(double value)
{
	static const msp_dim DIMS[] = { { "till", "2" }, { "a", "\"é\"" } };
	msp_metric made = MSP_METRIC_INIT;

	made.ns = "shop";
	made.metric = "sale";
	made.dims = DIMS;
	made.ndims = 2;
	made.value = value;
	return made;
}

static void
is_installed_once_and_for_all(void **state)
{
	struct shop *shop = *state;
	int64_t version;

	run(shop->db, "PRAGMA user_version=12; PRAGMA application_id=4711");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_OK);
	version = ask(shop->db, "PRAGMA schema_version");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_OK);
	assert_int_equal(msp_install(shop->other, NULL), MSP_OK);
	assert_int_equal(ask(shop->db, "PRAGMA schema_version"), version);
	assert_int_equal(ask(shop->db, TABLES), 2);
	assert_int_equal(
	    ask(shop->db, "SELECT count(*) FROM monspool_outbox_meta"), 2);
	assert_int_equal(ask(shop->db, "PRAGMA user_version"), 12);
	assert_int_equal(ask(shop->db, "PRAGMA application_id"), 4711);
}

static void
is_installed_by_the_callers_transaction(void **state)
{
	struct shop *shop = *state;
	msp_metric one = sale(1);

	run(shop->db,
	    "CREATE TABLE sale (id); BEGIN; INSERT INTO sale VALUES (1)");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_OK);
	assert_int_equal(
	    msp_put_on(shop->db, &one, NULL, &shop->error), MSP_OK);
	assert_int_equal(ask(shop->other, TABLES), 0);
	run(shop->db, "ROLLBACK");
	assert_int_equal(ask(shop->db, TABLES), 0);
}

static void
commits_and_rolls_back_with_the_callers_rows(void **state)
{
	struct shop *shop = *state;
	msp_metric one = sale(12.5);
	int64_t id = 0, second = 0;

	run(shop->db, "CREATE TABLE sale (id)");
	assert_int_equal(msp_install(shop->db, NULL), MSP_OK);
	run(shop->db, "BEGIN; INSERT INTO sale VALUES (1)");
	assert_int_equal(msp_put_on(shop->db, &one, &id, NULL), MSP_OK);
	assert_int_equal(ask(shop->other, ROWS), 0);
	run(shop->db, "COMMIT");
	assert_int_equal(ask(shop->other, ROWS), 1);
	run(shop->db, "BEGIN; INSERT INTO sale VALUES (2)");
	assert_int_equal(msp_put_on(shop->db, &one, &second, NULL), MSP_OK);
	assert_int_not_equal(second, id);
	run(shop->db, "ROLLBACK");
	assert_int_equal(ask(shop->other, ROWS), 1);
	assert_int_equal(
	    ask(shop->db,
		"SELECT id FROM monspool_outbox WHERE namespace = 'shop'"
		" AND metric = 'sale' AND value = 12.5 AND dimensions ="
		" '{\"a\":\"\\\"' || char(233) || '\\\"\",\"till\":\"2\"}'"
		" AND region IS NULL AND key IS NULL AND observed_ms IS NULL"),
	    id);
}

static void
keeps_all_that_a_metric_says(void **state)
{
	struct shop *shop = *state;
	msp_metric one = sale(-1e-300);

	one.region = "gz";
	one.account = "second";
	one.key = "k";
	one.observed_unix_ms = 1700000000123;
	one.max_age_s = 60;
	assert_int_equal(msp_install(shop->db, NULL), MSP_OK);
	assert_int_equal(msp_put_on(shop->db, &one, NULL, NULL), MSP_OK);
	assert_int_equal(ask(shop->db,
			     ROWS " WHERE value = -1e-300 AND region = 'gz'"
				  " AND account = 'second' AND key = 'k'"
				  " AND observed_ms = 1700000000123"
				  " AND max_age_seconds = 60"
				  " AND length(token) = 32"),
	    1);
}

static void
refuses_what_put_refuses(void **state)
{
	struct shop *shop = *state;
	msp_metric bad = sale(NAN);

	assert_int_equal(msp_install(shop->db, NULL), MSP_OK);
	assert_int_equal(
	    msp_put_on(shop->db, &bad, NULL, &shop->error), MSP_E_INVALID);
	assert_string_equal(shop->error.field, "value");
	bad = sale(1);
	bad.metric = "not a name";
	assert_int_equal(
	    msp_put_on(shop->db, &bad, NULL, &shop->error), MSP_E_INVALID);
	assert_string_equal(shop->error.field, "metric");
	assert_int_equal(ask(shop->db, ROWS), 0);
}

static void
says_what_is_in_the_way(void **state)
{
	struct shop *shop = *state;
	msp_metric one = sale(1);

	assert_int_equal(msp_install(NULL, &shop->error), MSP_E_MISUSE);
	assert_int_equal(msp_put_on(NULL, &one, NULL, NULL), MSP_E_MISUSE);
	assert_int_equal(msp_put_on(shop->db, NULL, NULL, NULL), MSP_E_MISUSE);
	assert_int_equal(
	    msp_put_on(shop->db, &one, NULL, &shop->error), MSP_E_NOTFOUND);
	assert_non_null(strstr(shop->error.hint, "msp_install"));
	run(shop->other, "BEGIN IMMEDIATE");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_E_BUSY);
	assert_true(sqlite3_get_autocommit(shop->db));
	run(shop->other, "COMMIT");
	assert_int_equal(msp_install(shop->db, NULL), MSP_OK);
	run(shop->other, "BEGIN IMMEDIATE");
	assert_int_equal(
	    msp_put_on(shop->db, &one, NULL, &shop->error), MSP_E_BUSY);
	run(shop->other, "COMMIT");
	run(shop->db, "PRAGMA query_only=ON");
	assert_int_equal(
	    msp_put_on(shop->db, &one, NULL, &shop->error), MSP_E_PERM);
}

static void
is_not_installed_over_another_table(void **state)
{
	struct shop *shop = *state;

	run(shop->db, "CREATE TABLE monspool_outbox (mine)");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_E_SCHEMA);
	assert_non_null(strstr(shop->error.message, "another table"));
	assert_true(sqlite3_get_autocommit(shop->db));
	run(shop->db, "BEGIN");
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_E_SCHEMA);
	run(shop->db, "COMMIT");
	assert_int_equal(ask(shop->other, TABLES), 1);
}

static void
works_where_the_schema_is_not_trusted(void **state)
{
	struct shop *shop = *state;
	msp_metric one = sale(1);

	run(shop->db, "PRAGMA trusted_schema=OFF");
	sqlite3_db_config(shop->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	assert_int_equal(msp_install(shop->db, &shop->error), MSP_OK);
	assert_int_equal(
	    msp_put_on(shop->db, &one, NULL, &shop->error), MSP_OK);
}

static void
rings_the_bell_if_there_is_one(void **state)
{
	struct shop *shop = *state;
	struct fault fault = { 0 };
	const char *bell = shop->spool.place.bell;
	char byte;
	int fd;

	msp_wake(NULL);
	msp_wake("/nowhere/queue.db");
	msp_wake(shop->spool.place.file);
	assert_int_equal(bell_make(bell, 0660, &fault), 0);
	assert_true((fd = bell_open(bell, &fault)) >= 0);
	msp_wake(shop->spool.place.file);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
}

#define SHOP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SHOP_TEST(is_installed_once_and_for_all),
		SHOP_TEST(is_installed_by_the_callers_transaction),
		SHOP_TEST(commits_and_rolls_back_with_the_callers_rows),
		SHOP_TEST(keeps_all_that_a_metric_says),
		SHOP_TEST(refuses_what_put_refuses),
		SHOP_TEST(says_what_is_in_the_way),
		SHOP_TEST(is_not_installed_over_another_table),
		SHOP_TEST(works_where_the_schema_is_not_trusted),
		SHOP_TEST(rings_the_bell_if_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
