/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "base/config.h"
#include "queue/setting.h"

static void
set(struct config *config, const char *section, const char *name,
    const char *key, const char *value)
{
	struct fault fault = { 0 };

	if (config_set(config, section, name, key, value, &fault))
		fail_msg("%s: %s", fault.message, fault.hint);
}

static int64_t
rows(struct db *db, const char *where)
{
	static char sql[8][160];
	static int next;
	struct sqlite3_stmt *stmt;
	int64_t count;

	next = (next + 1) % 8;
	snprintf(sql[next], sizeof(sql[next]),
	    "SELECT count(*) FROM setting WHERE %s", where);
	stmt = db_prepare(db, sql[next]);
	assert_non_null(stmt);
	assert_int_equal(db_step(db, stmt), DB_ROW);
	count = db_column_int(stmt, 0);
	db_reset(stmt);
	return count;
}

static void
brings_back_what_was_stored(void **state)
{
	static struct config config, loaded;
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	config_defaults(&config);
	set(&config, "queue", NULL, "path", "/elsewhere/queue.db");
	set(&config, "queue", NULL, "max_size", "64M");
	set(&config, "queue", NULL, "busy_timeout", "1234ms");
	set(&config, "queue", NULL, "when_full", "drop-oldest");
	set(&config, "checks", NULL, "max_dimensions", "7");
	set(&config, "late", NULL, "after", "10m");
	set(&config, "codes", NULL, "1017", "retry");
	set(&config, "codes", NULL, "http_413", "split");
	set(&config, "account", NULL, "secret_id", "AKIDsecret");
	assert_int_equal(setting_store(db, &config), 0);
	assert_int_equal(setting_load(db, &loaded), 0);
	assert_int_equal(loaded.queue.max_size, 64 * 1024 * 1024);
	assert_int_equal(loaded.queue.busy_timeout_ms, 1234);
	assert_int_equal(loaded.queue.when_full, CONFIG_FULL_DROP_OLDEST);
	assert_int_equal(loaded.checks.max_dimensions, 7);
	assert_int_equal(loaded.late.after_ms, 600000);
	assert_int_equal(loaded.code_count, 2);
	/* what writers need not know is not in the file */
	assert_string_not_equal(loaded.queue.path, config.queue.path);
	assert_string_equal(loaded.accounts[0].secret_id, "");
	assert_int_equal(rows(db, "value LIKE '%AKID%'"), 0);
	assert_int_equal(rows(db, "key = 'path'"), 0);
	db_close(db);
	spool_remove(&spool);
}

static void
keeps_the_order_of_namespaces(void **state)
{
	static struct config config, loaded;
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	config_defaults(&config);
	set(&config, "namespace", "qce/z*", "max_age", "1h");
	set(&config, "namespace", "qce/m*", "late_after", "2h");
	set(&config, "namespace", "qce/a*", "max_age", "3h");
	set(&config, "namespace", "*", "late_policy", "dead-letter");
	assert_int_equal(setting_store(db, &config), 0);
	assert_int_equal(setting_load(db, &loaded), 0);
	assert_int_equal(loaded.namespace_count, 4);
	assert_string_equal(loaded.namespaces[0].glob, "qce/z*");
	assert_string_equal(loaded.namespaces[1].glob, "qce/m*");
	assert_string_equal(loaded.namespaces[2].glob, "qce/a*");
	assert_string_equal(loaded.namespaces[3].glob, "*");
	assert_int_equal(loaded.namespaces[0].max_age_ms, 3600000);
	assert_int_equal(loaded.namespaces[0].late_after_ms, -1);
	assert_int_equal(loaded.namespaces[1].late_after_ms, 7200000);
	db_close(db);
	spool_remove(&spool);
}

static void
forgets_what_is_no_longer_set(void **state)
{
	static struct config config, loaded;
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	config_defaults(&config);
	set(&config, "codes", NULL, "1017", "retry");
	set(&config, "namespace", "qce/z*", "max_age", "1h");
	assert_int_equal(setting_store(db, &config), 0);
	config_defaults(&config);
	assert_int_equal(setting_store(db, &config), 0);
	assert_int_equal(rows(db, "section IN ('codes', 'namespace')"), 0);
	assert_int_equal(setting_load(db, &loaded), 0);
	assert_int_equal(loaded.code_count, 0);
	assert_int_equal(loaded.namespace_count, 0);
	db_close(db);
	spool_remove(&spool);
}

/* Anybody in the group may write to the table. */
static void
removes_what_nobody_of_us_wrote(void **state)
{
	static const char *const ODD[] = {
		"(hex(zeroblob(50)), '', 'k', 'v')",
		"('late', hex(zeroblob(500)), 'after', 'v')",
		"('late', '', hex(zeroblob(500)), 'v')",
		"(x'7a7a', '', 'k', 'v')",
		"('zz' || char(0) || 'z', '', 'k', 'v')",
	};
	static struct config config;
	struct spool spool;
	struct db *db;
	char sql[200];
	size_t i;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	config_defaults(&config);
	assert_int_equal(setting_store(db, &config), 0);
	alarm(30); /* it used to look at such a row for ever */
	for (i = 0; i < sizeof(ODD) / sizeof(ODD[0]); i++) {
		int64_t before = rows(db, "1");

		snprintf(
		    sql, sizeof(sql), "INSERT INTO setting VALUES %s", ODD[i]);
		assert_int_equal(
		    sqlite3_exec(db_handle(db), sql, NULL, NULL, NULL),
		    SQLITE_OK);
		assert_int_equal(rows(db, "1"), before + 1);
		assert_int_equal(setting_store(db, &config), 0);
		assert_int_equal(rows(db, "1"), before);
	}
	alarm(0);
	db_close(db);
	spool_remove(&spool);
}

static void
writes_nothing_when_nothing_changed(void **state)
{
	static struct config config;
	struct spool spool;
	struct db *db, *other;
	int64_t version, bytes;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	other = spool_open(&spool, DB_READER);
	config_defaults(&config);
	set(&config, "namespace", "qce/z*", "max_age", "1h");
	assert_int_equal(setting_store(db, &config), 0);
	version = db_data_version(other);
	bytes = db_wal_bytes(db);
	assert_int_equal(setting_store(db, &config), 0);
	assert_int_equal(db_data_version(other), version);
	assert_int_equal(db_wal_bytes(db), bytes);
	set(&config, "queue", NULL, "wal_max", "2M");
	assert_int_equal(setting_store(db, &config), 0);
	assert_int_not_equal(db_data_version(other), version);
	db_close(other);
	db_close(db);
	spool_remove(&spool);
}

static void
leaves_at_its_default_what_it_cannot_read(void **state)
{
	static struct config config, defaults;
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	config_defaults(&defaults);
	assert_int_equal(db_run(db,
			     "UPDATE setting SET value = 'of the future'"
			     " WHERE key = 'max_size';"
			     "UPDATE setting SET value = '9s'"
			     " WHERE key = 'busy_timeout';"
			     "INSERT INTO setting VALUES"
			     " ('queue', '', 'flux', '1'),"
			     " ('tomorrow', 'x', 'y', 'z')"),
	    0);
	assert_int_equal(setting_load(db, &config), 0);
	assert_int_equal(config.queue.max_size, defaults.queue.max_size);
	assert_int_equal(config.queue.busy_timeout_ms, 9000);
	db_close(db);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_back_what_was_stored),
		cmocka_unit_test(keeps_the_order_of_namespaces),
		cmocka_unit_test(forgets_what_is_no_longer_set),
		cmocka_unit_test(removes_what_nobody_of_us_wrote),
		cmocka_unit_test(writes_nothing_when_nothing_changed),
		cmocka_unit_test(leaves_at_its_default_what_it_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
