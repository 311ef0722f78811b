/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/lane.h"
#include "queue/metric.h"
#include "queue/status.h"

#include "store_fixture.h"

static struct status
look(struct store *store, int64_t late_before)
{
	struct status status;

	if (status_read(store->db, late_before, &status))
		fail_msg("%s", db_error(store->db));
	return status;
}

static void
of_an_empty_queue_is_all_zero(void **state)
{
	struct store *store = *state;
	struct status status = look(store, 1000);

	assert_int_equal(status.ledger.accepted, 0);
	assert_int_equal(status.late, 0);
	assert_int_equal(status.held, 0);
	assert_int_equal(status.oldest_accepted_at, -1);
	assert_int_equal(status.newest_accepted_at, -1);
	assert_int_equal(status.gap_ids, 0);
	assert_true(status.db_bytes > 0);
	assert_true(status.disk_free > 0);
	assert_int_equal(status.forwarder.started_at, -1);
	assert_string_equal(status.forwarder.last_error, "");
}

static void
counts_late_rows_exactly(void **state)
{
	struct store *store = *state;
	int64_t before, counted;

	/* accepted at ...000 to ...199, and in a second lane to ...049 */
	store_fill(store, "cvm", "cpu", 200);
	store_fill(store, "pc", "cpu", 50);
	assert_int_equal(metric_remove_range(store->db, 1, 20, 30), 11);
	store_run(store,
	    "UPDATE lane SET pending = pending - 11 WHERE id = 1;"
	    "UPDATE ledger SET pending = pending - 11,"
	    " delivered = 11");
	for (before = -2; before < 203; before++) {
		counted = 0;
		if (before > 0) {
			counted = before < 200 ? before : 200;
			counted -= before > 29 ? 11
			    : before > 19      ? before - 19
					       : 0;
			counted += before < 50 ? before : 50;
		}
		assert_int_equal(
		    look(store, 1700000000000 + before).late, counted);
	}
	assert_int_equal(look(store, -1).late, 0);
}

static void
tells_ages_and_what_is_held(void **state)
{
	struct store *store = *state;
	struct lane_row row;
	struct status status;

	store_put_at(store, "cvm", "cpu", 1, 5000);
	store_put_at(store, "pc", "cpu", 1, 2000);
	store_put_at(store, "pc", "cpu", 1, 9000);
	assert_int_equal(lane_load(store->db, 2, &row), 1);
	row.state = LANE_HELD;
	assert_int_equal(lane_store(store->db, &row), 0);
	status = look(store, -1);
	assert_int_equal(status.held, 2);
	assert_int_equal(status.oldest_accepted_at, 2000);
	assert_int_equal(status.newest_accepted_at, 9000);
}

static void
of_the_forwarder_comes_back_as_published(void **state)
{
	struct store *store = *state;
	struct status_forwarder told = { .started_at = 1,
		.last_success_at = 2,
		.failing_since = 3,
		.tries = 4,
		.endpoint = "http://127.0.0.1:1/",
		.last_error = "connect timed out" };
	struct status_forwarder read;

	assert_int_equal(status_publish(store->db, &told), 0);
	assert_int_equal(status_forwarder_read(store->db, &read), 0);
	assert_int_equal(read.started_at, 1);
	assert_int_equal(read.last_success_at, 2);
	assert_int_equal(read.failing_since, 3);
	assert_int_equal(read.tries, 4);
	assert_string_equal(read.endpoint, told.endpoint);
	assert_string_equal(read.last_error, told.last_error);
	told.failing_since = -1;
	told.last_error[0] = '\0';
	assert_int_equal(status_publish(store->db, &told), 0);
	assert_int_equal(status_forwarder_read(store->db, &read), 0);
	assert_int_equal(read.failing_since, -1);
	assert_string_equal(read.last_error, "");
}

struct seen {
	struct store *store;
	int count, stop_after;
	int64_t ids[2000];
	char texts[256];
	struct pending_row row;
};

static int
see(void *cookie, const struct pending_row *row)
{
	struct seen *seen = cookie;

	/* a reader that takes its time pins nothing */
	assert_true(sqlite3_get_autocommit(db_handle(seen->store->db)));
	seen->row = *row;
	snprintf(seen->texts, sizeof(seen->texts), "%s|%s|%s|%s|%s|%s", row->ns,
	    row->region, row->account, row->metric, row->dimensions,
	    row->value);
	seen->ids[seen->count++] = row->id;
	return seen->count == seen->stop_after;
}

static struct pending_filter
any(void)
{
	return (struct pending_filter){
		.accepted_before = -1, .accepted_after = -1, .state = -1
	};
}

static void
lists_all_lanes_in_the_order_of_ids(void **state)
{
	struct store *store = *state;
	struct seen *seen = calloc(1, sizeof(*seen));
	struct pending_filter filter = any();
	int i;

	assert_non_null(seen);
	seen->store = store;
	store_fill(store, "a", "cpu", 600);
	store_fill(store, "b", "cpu", 300);
	store_fill(store, "a", "cpu", 300);
	for (i = 0; i < 30; i++)
		store_put(store, i % 3 ? "c" : "b", "cpu", i);
	assert_int_equal(status_list(store->db, &filter, -1, see, seen), 1230);
	for (i = 0; i < 1230; i++)
		assert_int_equal(seen->ids[i], i + 1);
	seen->count = 0;
	assert_int_equal(status_list(store->db, &filter, 7, see, seen), 7);
	seen->count = 0;
	seen->stop_after = 5;
	assert_int_equal(status_list(store->db, &filter, -1, see, seen), 5);
	free(seen);
}

static void
lists_what_the_filter_lets_through(void **state)
{
	struct store *store = *state;
	struct pending_filter filter = any();
	const struct entry_dimension dimension = { "ip", "1" };
	struct entry entry = store_entry("cvm", "cpu", 4);
	struct seen seen = { .store = store };
	struct lane_row row;
	int64_t id;

	store_put_at(store, "cvm", "cpu", 1, 1000);
	store_put_at(store, "cvm", "mem", 2, 2000);
	store_put_at(store, "pc", "cpu", 3, 3000);
	entry.dimensions = &dimension;
	entry.dimension_count = 1;
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 4000, &id), 0);
	store_commit(store);
	assert_int_equal(lane_load(store->db, 2, &row), 1);
	row.state = LANE_HELD;
	assert_int_equal(lane_store(store->db, &row), 0);

	filter.ns_glob = "c*";
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 3);
	filter.metric_glob = "m?m";
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 1);
	assert_string_equal(seen.texts, "cvm||default|mem|{}|2");
	filter = any();
	filter.dimension_key = "ip";
	filter.dimension_value = "1";
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 1);
	assert_int_equal(seen.row.id, 4);
	filter.dimension_value = "2";
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 0);
	filter = any();
	filter.state = LANE_HELD;
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 1);
	assert_int_equal(seen.row.id, 3);
	assert_int_equal(seen.row.state, LANE_HELD);
	filter = any();
	filter.accepted_before = 3000;
	filter.accepted_after = 1000;
	assert_int_equal(status_list(store->db, &filter, -1, see, &seen), 1);
	assert_int_equal(seen.row.id, 2);
}

static void
shows_one_row_with_its_times(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 4);
	struct seen seen = { .store = store };
	int64_t id;

	store_put(store, "pc", "cpu", 1);
	entry.observed_at = 500;
	entry.max_age_ms = 1000;
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 4000, &id), 0);
	store_commit(store);
	assert_int_equal(metric_attempted(store->db, 2, id), 0);
	assert_int_equal(status_show(store->db, id, see, &seen), 1);
	assert_int_equal(seen.row.id, id);
	assert_int_equal(seen.row.lane_id, 2);
	assert_int_equal(seen.row.attempts, 1);
	assert_int_equal(seen.row.accepted_at, 4000);
	assert_int_equal(seen.row.observed_at, 500);
	assert_int_equal(seen.row.expires_at, 5000);
	assert_int_equal(seen.row.origin_id, -1);
	assert_int_equal(status_show(store->db, id + 1, see, &seen), 0);
	assert_int_equal(seen.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(of_an_empty_queue_is_all_zero),
		STORE_TEST(counts_late_rows_exactly),
		STORE_TEST(tells_ages_and_what_is_held),
		STORE_TEST(of_the_forwarder_comes_back_as_published),
		STORE_TEST(lists_all_lanes_in_the_order_of_ids),
		STORE_TEST(lists_what_the_filter_lets_through),
		STORE_TEST(shows_one_row_with_its_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
