/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/lane.h"
#include "queue/metric.h"

#include "store_fixture.h"

struct seen {
	int count, bad, stop_after;
	int64_t ids[64];
	char first_wire[128], first_value[32];
};

static int
see(void *cookie, const struct metric_row *row)
{
	struct seen *seen = cookie;

	if (row->wire == NULL)
		seen->bad++;
	else if (seen->count == 0)
		snprintf(seen->first_wire, sizeof(seen->first_wire), "%.*s",
		    (int)row->wire_len, row->wire);
	if (seen->count == 0)
		snprintf(seen->first_value, sizeof(seen->first_value), "%.*s",
		    (int)row->value_len, row->value);
	seen->ids[seen->count++] = row->id;
	return seen->count == seen->stop_after;
}

static int64_t
lane_id(struct store *store, const char *ns)
{
	int64_t id;

	assert_int_equal(lane_intern(store->db, ns, "", "default", &id), 0);
	return id;
}

static bool
statement_open(struct store *store)
{
	sqlite3_stmt *stmt = NULL;

	while ((stmt = sqlite3_next_stmt(db_handle(store->db), stmt)) != NULL)
		if (sqlite3_stmt_busy(stmt))
			return true;
	return false;
}

static void
pages_come_in_id_order(void **state)
{
	struct store *store = *state;
	struct seen seen = { 0 };
	int64_t lane;

	store_fill(store, "cvm", "cpu", 20);
	store_fill(store, "pc", "cpu", 3);
	store_fill(store, "cvm", "mem", 2);
	lane = lane_id(store, "cvm");
	assert_int_equal(metric_page(store->db, lane, 0, 21, see, &seen), 21);
	assert_int_equal(seen.ids[0], 1);
	assert_int_equal(seen.ids[19], 20);
	assert_int_equal(seen.ids[20], 24);
	assert_string_equal(seen.first_value, "0");
	assert_string_equal(seen.first_wire,
	    "{\"dimensions\":{},\"metricName\":\"cpu\",\"value\":");
	seen.count = 0;
	assert_int_equal(metric_page(store->db, lane, 24, 21, see, &seen), 1);
	assert_int_equal(seen.ids[0], 25);
	assert_int_equal(metric_page(store->db, lane, 25, 21, see, &seen), 0);
}

static void
a_page_ends_where_the_visitor_says(void **state)
{
	struct store *store = *state;
	struct seen seen = { .stop_after = 3 };

	store_fill(store, "cvm", "cpu", 20);
	assert_int_equal(
	    metric_page(store->db, lane_id(store, "cvm"), 0, 20, see, &seen),
	    3);
	assert_false(statement_open(store)); /* a read transaction would be */
}

static void
rows_that_fail_their_checks_are_named(void **state)
{
	static const char *const DAMAGE[] = {
		"UPDATE metric SET value = '1e999' WHERE id = 1",
		"UPDATE metric SET value = '01' WHERE id = 2",
		"UPDATE metric SET value = '1}' WHERE id = 3",
		"UPDATE metric SET accepted_at = -5 WHERE id = 4",
		"UPDATE metric SET expires_at = 1 << 60 WHERE id = 5",
		"UPDATE metric SET series_id = 99 WHERE id = 6",
		"UPDATE metric SET attempts = -1 WHERE id = 7",
		"UPDATE metric SET id = -8 WHERE id = 8",
	};
	struct store *store = *state;
	struct seen seen = { 0 };
	size_t i;

	store_fill(store, "cvm", "cpu", 10);
	for (i = 0; i < sizeof(DAMAGE) / sizeof(DAMAGE[0]); i++)
		store_run(store, DAMAGE[i]);
	assert_int_equal(
	    metric_page(store->db, lane_id(store, "cvm"), -100, 20, see, &seen),
	    10);
	assert_int_equal(seen.bad, 8);
}

static void
no_row_goes_out_under_a_changed_name(void **state)
{
	struct store *store = *state;
	struct seen seen = { 0 };

	store_fill(store, "cvm", "cpu", 10);
	store_fill(store, "cvm", "mem", 10);
	store_run(store,
	    "UPDATE series SET wire = replace(wire, 'cpu', 'xpu')"
	    " WHERE metric = 'cpu'");
	assert_int_equal(
	    metric_page(store->db, lane_id(store, "cvm"), 0, 20, see, &seen),
	    20);
	assert_int_equal(seen.bad, 10);
}

static void
rows_are_removed_one_by_one_and_by_range(void **state)
{
	struct store *store = *state;
	int64_t lane;

	store_fill(store, "cvm", "cpu", 10);
	lane = lane_id(store, "cvm");
	assert_int_equal(metric_remove(store->db, lane, 3), 1);
	assert_int_equal(metric_remove(store->db, lane, 3), 0);
	assert_int_equal(metric_remove(store->db, lane + 1, 4), 0);
	assert_int_equal(metric_remove_range(store->db, lane, 2, 6), 4);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM metric"), 5);
}

static void
a_row_that_leaves_takes_its_origin_along(void **state)
{
	struct store *store = *state;
	int64_t lane;

	store_fill(store, "cvm", "cpu", 3);
	store_fill(store, "pc", "cpu", 3);
	lane = lane_id(store, "cvm");
	store_run(store,
	    "INSERT INTO origin (id, origin_id, replays)"
	    " SELECT id, 1, 1 FROM metric");
	assert_int_equal(metric_take(store->db, lane, 1), 1);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM origin"), 6);
	assert_int_equal(metric_remove(store->db, lane, 2), 1);
	assert_int_equal(metric_remove_range(store->db, lane, 1, 6), 1);
	assert_int_equal(
	    store_ask(store, "SELECT count(*) FROM origin WHERE id > 1"), 3);
}

static void
attempts_are_counted_in_the_lane_alone(void **state)
{
	struct store *store = *state;
	int64_t lane;

	store_fill(store, "cvm", "cpu", 5);
	store_fill(store, "pc", "cpu", 5);
	lane = lane_id(store, "cvm");
	assert_int_equal(metric_attempted(store->db, lane, 2), 0);
	assert_int_equal(metric_attempted_range(store->db, lane, 2, 9), 0);
	assert_int_equal(
	    store_ask(store, "SELECT attempts FROM metric WHERE id = 2"), 2);
	assert_int_equal(
	    store_ask(store, "SELECT sum(attempts) FROM metric"), 5);
}

static void
the_ends_of_a_lane_tell_its_ages(void **state)
{
	struct store *store = *state;
	int64_t lane;

	store_put_at(store, "cvm", "cpu", 1, 1000);
	store_put_at(store, "cvm", "cpu", 1, 3000);
	lane = lane_id(store, "cvm");
	assert_int_equal(metric_first_accepted(store->db, lane), 1000);
	assert_int_equal(metric_last_accepted(store->db, lane), 3000);
	assert_int_equal(metric_first_accepted(store->db, lane + 1), -1);
	assert_int_equal(metric_last_accepted(store->db, lane + 1), -1);
}

static void
every_count_of_rows_is_inserted_whole(void **state)
{
	struct store *store = *state;
	int count;

	for (count = 0; count <= 17; count++)
		store_fill(store, "cvm", "cpu", count);
	assert_int_equal(
	    store_ask(store, "SELECT count(*) FROM metric"), 17 * 18 / 2);
	store_audit(store);
}

/* As another program would. */
static void
meddle(struct store *store, const char *sql)
{
	struct sqlite3 *other;
	char *why = NULL;

	assert_int_equal(
	    sqlite3_open(store->spool.place.file, &other), SQLITE_OK);
	if (sqlite3_exec(other, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(other);
}

#define DECLARE(from, to) \
	"PRAGMA writable_schema = ON;" \
	"UPDATE sqlite_schema SET sql =" \
	" replace(sql, '(lane_id, " from ")', '(lane_id, " to ")')" \
	" WHERE name = 'metric'"

/* A bit that rotted in an id puts a row out of its place, where no statement
 * that looks for the id finds it. */
static void
rows_out_of_their_order_are_damage(void **state)
{
	static const struct {
		int limit, stop_after;
	} PAGES[] = { { 20, 0 }, { 20, 1 }, { 1, 0 } };
	struct store *store = *state;
	size_t i;

	store_fill(store, "cvm", "cpu", 20);
	store_close(store);
	meddle(store, DECLARE("id", "id DESC"));
	meddle(store,
	    "INSERT INTO metric (lane_id, id, series_id, value, accepted_at)"
	    " SELECT 9, id, series_id, value, accepted_at FROM metric");
	meddle(store, DECLARE("id DESC", "id"));
	store_open(store);
	for (i = 0; i < sizeof(PAGES) / sizeof(PAGES[0]); i++) {
		struct seen seen = { .stop_after = PAGES[i].stop_after };

		assert_int_equal(
		    metric_page(store->db, 9, 0, PAGES[i].limit, see, &seen),
		    -1);
		assert_int_equal(db_fault(store->db)->kind, FAULT_CORRUPT);
		assert_false(statement_open(store));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(pages_come_in_id_order),
		STORE_TEST(a_page_ends_where_the_visitor_says),
		STORE_TEST(rows_that_fail_their_checks_are_named),
		STORE_TEST(no_row_goes_out_under_a_changed_name),
		STORE_TEST(rows_out_of_their_order_are_damage),
		STORE_TEST(rows_are_removed_one_by_one_and_by_range),
		STORE_TEST(a_row_that_leaves_takes_its_origin_along),
		STORE_TEST(attempts_are_counted_in_the_lane_alone),
		STORE_TEST(the_ends_of_a_lane_tell_its_ages),
		STORE_TEST(every_count_of_rows_is_inserted_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
