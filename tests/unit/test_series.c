/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "queue/lane.h"
#include "queue/series.h"
#include "queue/suspect.h"
#include "queue/deadletter.h"

#include "store_fixture.h"

static const char WIRE[] =
    "{\"dimensions\":{\"ip\":\"1\"},\"metricName\":\"cpu\",\"value\":";

static int64_t
make_lane(struct store *store, const char *ns)
{
	int64_t id;

	assert_int_equal(lane_intern(store->db, ns, "", "default", &id), 0);
	return id;
}

static int64_t
intern(struct store *store, int64_t lane_id, const char *wire)
{
	int64_t id = -1;

	assert_int_equal(series_intern(store->db, lane_id, "cpu",
			     "{\"ip\":\"1\"}", wire, strlen(wire), &id),
	    0);
	return id;
}

static void
is_stored_once(void **state)
{
	struct store *store = *state;
	int64_t lane_id = make_lane(store, "cvm");
	int64_t id = intern(store, lane_id, WIRE);

	assert_int_equal(intern(store, lane_id, WIRE), id);
	assert_int_not_equal(intern(store, make_lane(store, "pc"), WIRE), id);
	assert_int_not_equal(intern(store, lane_id, "other"), id);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 3);
}

static void
comes_back_whole(void **state)
{
	struct store *store = *state;
	struct series_row row;
	int64_t lane_id = make_lane(store, "cvm");
	int64_t id = intern(store, lane_id, WIRE);

	assert_int_equal(series_load(store->db, id, &row), 1);
	assert_int_equal(row.id, id);
	assert_int_equal(row.lane_id, lane_id);
	assert_string_equal(row.metric, "cpu");
	assert_string_equal(row.dimensions, "{\"ip\":\"1\"}");
	assert_string_equal(row.wire, WIRE);
	assert_int_equal(row.wire_len, strlen(WIRE));
	series_row_free(&row);
	assert_int_equal(series_load(store->db, id + 1, &row), 0);
	series_row_free(&row);
}

static void
whose_hash_is_anothers_is_told_apart_by_text(void **state)
{
	struct store *store = *state;
	int64_t lane_id = make_lane(store, "cvm");
	int64_t id = intern(store, lane_id, WIRE);

	/* the hash is found, under a text that is not ours */
	assert_int_equal(sqlite3_exec(db_handle(store->db),
			     "UPDATE series SET wire = 'x'", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_not_equal(intern(store, lane_id, WIRE), id);
}

static void
whose_text_changed_is_refused(void **state)
{
	struct store *store = *state;
	struct series_row row;
	int64_t id = intern(store, make_lane(store, "cvm"), WIRE);

	store_run(
	    store, "UPDATE series SET wire = replace(wire, 'cpu', 'mem')");
	assert_int_equal(series_load(store->db, id, &row), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_CORRUPT);
}

static int64_t
collect(struct store *store)
{
	int64_t cursor = 0, removed = 0, now;

	do {
		now = series_collect(store->db, &cursor, 2);
		assert_true(now >= 0);
		removed += now;
	} while (cursor != 0);
	return removed;
}

static void
goes_when_no_row_uses_it(void **state)
{
	struct store *store = *state;
	int64_t lane_id = make_lane(store, "cvm");
	int i;

	for (i = 0; i < 5; i++)
		intern(store, lane_id, &WIRE[i]);
	store_put(store, "cvm", "cpu", 1);
	assert_int_equal(collect(store), 5);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 1);
	store_audit(store);
}

static void
stays_while_a_dead_row_a_suspect_or_an_edit_uses_it(void **state)
{
	struct store *store = *state;
	const struct death death = {
		.cause = "code", .scope = "row", .attempt_id = -1
	};
	struct suspect_row suspect = { .attempt_id = -1 };
	int64_t id = store_put(store, "cvm", "cpu", 1), lane_id;

	lane_id = make_lane(store, "cvm");
	assert_int_equal(deadletter_move(store->db, lane_id, id, &death), 1);
	suspect.series_id = intern(store, lane_id, "suspect");
	assert_int_equal(suspect_store(store->db, &suspect), 0);
	intern(store, lane_id, "edited");
	store_run(store,
	    "INSERT INTO edit (row_id, series_id, edited_at, edited_by,"
	    "  operation_id) SELECT 1, id, 0, 'me', 1 FROM series WHERE wire = "
	    "'edited'");
	assert_int_equal(collect(store), 0);
	assert_int_equal(suspect_clear(store->db, suspect.series_id), 0);
	assert_int_equal(collect(store), 1);
}

static void
stays_while_its_lane_is_crowded(void **state)
{
	struct store *store = *state;

	store_fill(store, "cvm", "cpu", 1001);
	intern(store, make_lane(store, "cvm"), "unused");
	assert_int_equal(collect(store), 0);
}

static void
of_a_writers_memo_that_was_collected_is_made_anew(void **state)
{
	struct store *store = *state;
	struct db *other = spool_open(&store->spool, DB_WRITER);
	int64_t cursor = 0;

	store_put(store, "cvm", "cpu", 1);
	store_run(store,
	    "BEGIN; DELETE FROM metric; UPDATE lane SET"
	    " pending = 0; UPDATE ledger SET pending = 0,"
	    " delivered = 1; COMMIT");
	assert_int_equal(series_collect(other, &cursor, 100), 1);
	/* another series takes its id */
	store_put(store, "cvm", "mem", 2);
	store_put(store, "cvm", "cpu", 3);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM metric JOIN series"
			     " ON series.id = series_id WHERE metric.id = 3"
			     " AND series.metric = 'cpu'"),
	    1);
	store_audit(store);
	db_close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(is_stored_once),
		STORE_TEST(comes_back_whole),
		STORE_TEST(whose_hash_is_anothers_is_told_apart_by_text),
		STORE_TEST(whose_text_changed_is_refused),
		STORE_TEST(goes_when_no_row_uses_it),
		STORE_TEST(stays_while_a_dead_row_a_suspect_or_an_edit_uses_it),
		STORE_TEST(stays_while_its_lane_is_crowded),
		STORE_TEST(of_a_writers_memo_that_was_collected_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
