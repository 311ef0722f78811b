/* links: base queue */
/* Series that have no hash, since SQL made them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "base/config.h"
#include "queue/entry.h"
#include "queue/metric.h"
#include "queue/series.h"
#include "queue/writer.h"

/* As any other program. */
static struct sqlite3 *
knock(struct spool *spool, const char *sql)
{
	struct sqlite3 *other;
	char *why = NULL;

	assert_int_equal(sqlite3_open(spool->place.file, &other), SQLITE_OK);
	if (sqlite3_exec(other, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	return other;
}

#define PUT \
	"INSERT INTO monspool_put (namespace, metric, dimensions, value)" \
	" VALUES ('cvm', 'cpu', '{\"ip\":\"1\"}', 0.5);"

static void
judges_a_series_by_its_texts(void **state)
{
	static const struct {
		const char *sql;
		enum door_verdict verdict;
	} CASES[] = {
		{ "SELECT 1", DOOR_SOUND },
		{ "UPDATE series SET metric = 'gpu'", DOOR_DAMAGED },
		{ "UPDATE series SET dimensions = '{\"ip\":\"2\"}'",
		    DOOR_DAMAGED },
		{ "UPDATE series SET wire = wire || ' '", DOOR_DAMAGED },
		{ "UPDATE series SET wire = replace(wire, 'ip', 'iq')",
		    DOOR_DAMAGED },
		{ "UPDATE series SET hash = 1", DOOR_DAMAGED },
		{ "UPDATE series SET dimensions = replace(dimensions, '1',"
		  "  CAST(x'c3' AS TEXT)), wire = replace(wire, '1',"
		  "  CAST(x'c3' AS TEXT))",
		    DOOR_UNFIT },
		{ "UPDATE series SET dimensions = '{\"a\":\"1\",\"a\":\"1\"}',"
		  " wire = '{\"dimensions\":{\"a\":\"1\",\"a\":\"1\"},"
		  "\"metricName\":\"cpu\",\"value\":'",
		    DOOR_UNFIT },
		{ "UPDATE series SET dimensions = '{}}', wire ="
		  " '{\"dimensions\":{}},\"metricName\":\"cpu\",\"value\":'",
		    DOOR_UNFIT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		struct series_row row;
		struct spool spool;
		struct db *db;
		int loaded = CASES[i].verdict == DOOR_DAMAGED ? -1 : 1;

		spool_make(&spool);
		sqlite3_close(knock(&spool, PUT));
		sqlite3_close(knock(&spool, CASES[i].sql));
		db = spool_open(&spool, DB_WRITER);
		assert_int_equal(series_judge(db, 1), CASES[i].verdict);
		assert_int_equal(series_load(db, 1, &row), loaded);
		if (loaded == 1)
			series_row_free(&row);
		db_close(db);
		spool_remove(&spool);
	}
}

static void
a_series_that_is_not_there_is_damage(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_READER);
	assert_int_equal(series_judge(db, 7), DOOR_DAMAGED);
	db_close(db);
	spool_remove(&spool);
}

static void
no_other_series_has_its_hash(void **state)
{
	int64_t lane;

	(void)state;
	for (lane = 0; lane < 1000; lane++)
		assert_int_not_equal(series_hash(lane, "", 0), DOOR_HASH);
}

static int
count_kinds(void *cookie, const struct metric_row *row)
{
	int *kinds = cookie;

	kinds[row->wire != NULL ? 0 : row->unfit ? 1 : 2]++;
	return 0;
}

static void
a_page_tells_the_unfit_from_the_damaged(void **state)
{
	struct spool spool;
	int kinds[3] = { 0 };
	struct db *db;

	(void)state;
	spool_make(&spool);
	sqlite3_close(knock(&spool,
	    PUT PUT "INSERT INTO monspool_put (namespace, metric, dimensions,"
		    " value) VALUES ('cvm', 'unfit', NULL, 1),"
		    " ('cvm', 'unfit', NULL, 2), ('cvm', 'broken', NULL, 3);"
		    "UPDATE series SET metric = metric ||"
		    " CAST(x'ff' AS TEXT), wire = replace(wire, metric, metric"
		    " || CAST(x'ff' AS TEXT)) WHERE metric = 'unfit';"
		    "UPDATE series SET metric = 'other'"
		    " WHERE metric = 'broken'"));
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(metric_page(db, 1, 0, 100, count_kinds, kinds), 5);
	assert_int_equal(kinds[0], 2);
	assert_int_equal(kinds[1], 2);
	assert_int_equal(kinds[2], 1);
	db_close(db);
	spool_remove(&spool);
}

/* Texts are found again among those of SQL, and never among ours. */
static void
the_same_series_may_stand_twice(void **state)
{
	static const struct entry_dimension DIMENSION = { "ip", "1" };
	static struct config config;
	struct entry entry = { .ns = "cvm",
		.metric = "cpu",
		.dimensions = &DIMENSION,
		.dimension_count = 1,
		.value = 0.5,
		.observed_at = -1,
		.max_age_ms = -1 };
	struct entry_wire wire = { 0 };
	struct writer_result result;
	struct fault fault = { 0 };
	int kinds[3] = { 0 };
	struct writer *writer;
	struct spool spool;
	struct db *db;
	int64_t id;

	(void)state;
	spool_make(&spool);
	sqlite3_close(knock(&spool, PUT PUT));
	config_defaults(&config);
	db = spool_open(&spool, DB_WRITER);
	writer = writer_new(db, &config, &fault);
	assert_non_null(writer);
	assert_int_equal(
	    entry_render(&entry, &config.checks, &wire, &fault), 0);
	assert_int_equal(writer_begin(writer, &fault), 0);
	assert_int_equal(writer_add(writer, &entry, &wire, 1, &id, &fault), 0);
	assert_int_equal(writer_commit(writer, &result, &fault), 0);
	assert_int_equal(id, 3);
	sqlite3_close(knock(&spool, PUT));
	assert_int_equal(metric_page(db, 1, 0, 100, count_kinds, kinds), 4);
	assert_int_equal(kinds[0], 4);
	writer_free(writer);
	entry_wire_free(&wire);
	assert_int_equal(series_judge(db, 1), DOOR_SOUND);
	assert_int_equal(series_judge(db, 2), DOOR_SOUND);
	assert_int_equal(series_judge(db, 3), DOOR_DAMAGED); /* there are two */
	db_close(db);
	spool_remove(&spool);
}

/* Our own connections do not let it in. */
static void
is_shut_on_our_connections(void **state)
{
	struct spool spool;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(db_run(db, PUT), -1);
	db_close(db);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_a_series_by_its_texts),
		cmocka_unit_test(a_series_that_is_not_there_is_damage),
		cmocka_unit_test(no_other_series_has_its_hash),
		cmocka_unit_test(a_page_tells_the_unfit_from_the_damaged),
		cmocka_unit_test(the_same_series_may_stand_twice),
		cmocka_unit_test(is_shut_on_our_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
