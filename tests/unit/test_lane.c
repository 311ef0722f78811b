/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/lane.h"

#include "store_fixture.h"

static int64_t
intern(struct store *store, const char *ns, const char *region,
    const char *account)
{
	int64_t id = -1;

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(lane_intern(store->db, ns, region, account, &id), 0);
	assert_int_equal(db_commit(store->db), 0);
	return id;
}

static void
is_the_same_for_the_same_three_names_only(void **state)
{
	struct store *store = *state;
	int64_t id = intern(store, "cvm", "gz", "default");

	assert_int_equal(intern(store, "cvm", "gz", "default"), id);
	assert_int_not_equal(intern(store, "cvm", "", "default"), id);
	assert_int_not_equal(intern(store, "cvm", "gz", "other"), id);
	assert_int_not_equal(intern(store, "pc", "gz", "default"), id);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM lane"), 4);
}

static void
starts_ready_with_nothing_known(void **state)
{
	struct store *store = *state;
	struct lane_row row;
	int64_t id = intern(store, "cvm", "", "default");

	assert_int_equal(lane_load(store->db, id, &row), 1);
	assert_string_equal(row.ns, "cvm");
	assert_string_equal(row.region, "");
	assert_string_equal(row.account, "default");
	assert_int_equal(row.state, LANE_READY);
	assert_int_equal(row.pending, 0);
	assert_int_equal(row.wake_at, -1);
	assert_int_equal(row.code, -1);
	assert_int_equal(row.row_cap, -1);
	assert_int_equal(row.doomed_through, -1);
	assert_string_equal(row.reason, "");
	assert_int_equal(lane_load(store->db, id + 1, &row), 0);
}

static void
comes_back_as_it_was_stored(void **state)
{
	struct store *store = *state;
	struct lane_row row, again;
	int64_t id = intern(store, "cvm", "", "default");

	assert_int_equal(lane_load(store->db, id, &row), 1);
	row.state = LANE_HELD;
	row.since_at = 1;
	row.wake_at = 2;
	row.failures = 3;
	strcpy(row.scope, "namespace");
	strcpy(row.held_by, "forwarder");
	strcpy(row.reason, "Invalid Namespace");
	row.code = 1016;
	row.row_cap = 50;
	row.byte_cap = 4096;
	row.doomed_through = 9;
	row.doomed_code = 1016;
	row.doomed_attempt = 4;
	strcpy(row.doomed_message, "no");
	assert_int_equal(lane_store(store->db, &row), 0);
	assert_int_equal(lane_load(store->db, id, &again), 1);
	assert_int_equal(again.state, LANE_HELD);
	assert_int_equal(again.since_at, 1);
	assert_int_equal(again.wake_at, 2);
	assert_int_equal(again.failures, 3);
	assert_string_equal(again.scope, "namespace");
	assert_string_equal(again.held_by, "forwarder");
	assert_string_equal(again.reason, "Invalid Namespace");
	assert_int_equal(again.code, 1016);
	assert_int_equal(again.row_cap, 50);
	assert_int_equal(again.byte_cap, 4096);
	assert_int_equal(again.doomed_through, 9);
	assert_int_equal(again.doomed_code, 1016);
	assert_int_equal(again.doomed_attempt, 4);
	assert_string_equal(again.doomed_message, "no");
}

static void
storing_leaves_the_count_alone(void **state)
{
	struct store *store = *state;
	struct lane_row row;
	int64_t id = intern(store, "cvm", "", "default");

	assert_int_equal(lane_load(store->db, id, &row), 1);
	assert_int_equal(lane_count(store->db, id, 5), 0);
	assert_int_equal(lane_store(store->db, &row), 0);
	assert_int_equal(lane_load(store->db, id, &row), 1);
	assert_int_equal(row.pending, 5);
}

static void
counts_not_below_zero(void **state)
{
	struct store *store = *state;
	struct lane_row row;
	int64_t id = intern(store, "cvm", "", "default");

	assert_int_equal(lane_count(store->db, id, 2), 0);
	assert_int_equal(lane_count(store->db, id, -3), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_LEDGER_BROKEN);
	assert_int_equal(lane_count(store->db, id + 1, 1), -1);
	assert_int_equal(lane_load(store->db, id, &row), 1);
	assert_int_equal(row.pending, 2);
}

static void
are_listed_page_by_page(void **state)
{
	struct store *store = *state;
	struct lane_row rows[2];
	int64_t first = intern(store, "a", "", "default");
	int64_t second = intern(store, "b", "", "default");
	int64_t third = intern(store, "c", "", "default");

	assert_int_equal(lane_list(store->db, 0, rows, 2), 2);
	assert_int_equal(rows[0].id, first);
	assert_int_equal(rows[1].id, second);
	assert_int_equal(lane_list(store->db, rows[1].id, rows, 2), 1);
	assert_int_equal(rows[0].id, third);
	assert_int_equal(lane_list(store->db, rows[0].id, rows, 2), 0);
}

static void
with_a_name_that_must_be_cut_is_not_loaded(void **state)
{
	struct store *store = *state;
	struct lane_row row;

	store_run(store,
	    "INSERT INTO lane (id, namespace, region, account)"
	    " VALUES (7, printf('%.*c', 300, 'n'), '', 'default')");
	assert_int_equal(lane_load(store->db, 7, &row), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_CORRUPT);
	assert_int_equal(lane_list(store->db, 0, &row, 1), -1);
	store_run(store,
	    "UPDATE lane SET namespace = 'cvm' || char(0) || 'm' WHERE id = 7");
	assert_int_equal(lane_load(store->db, 7, &row), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_CORRUPT);
}

static void
cuts_a_long_reason_at_a_character(void **state)
{
	struct store *store = *state;
	struct lane_row row;
	int64_t id = intern(store, "cvm", "", "default");

	store_run(store,
	    "UPDATE lane SET state = 'held',"
	    " reason = printf('%.*c', 254, 'r') || 'é'");
	assert_int_equal(lane_load(store->db, id, &row), 1);
	assert_int_equal(strlen(row.reason), 254);
}

static void
goes_when_nothing_is_of_it_any_more(void **state)
{
	struct store *store = *state;
	int64_t id = intern(store, "cvm", "", "default");

	assert_int_equal(lane_collect(store->db, id), 0); /* the highest id */
	(void)intern(store, "pc", "", "default");
	store_run(store,
	    "INSERT INTO series (id, lane_id, hash, metric, dimensions, wire)"
	    " VALUES (7, 1, 1, 'cpu', '{}', 'w')");
	assert_int_equal(lane_collect(store->db, id), 0);
	store_run(store,
	    "DELETE FROM series; INSERT INTO attempt (lane_id, first_id,"
	    "  last_id, rows, bytes, started_at, took_ms, message, outcome,"
	    "  counted) VALUES (1, 1, 1, 1, 1, 1, 1, '', 'delivered', 1)");
	assert_int_equal(lane_collect(store->db, id), 0);
	store_run(store, "DELETE FROM attempt; UPDATE lane SET state = 'held'");
	assert_int_equal(lane_collect(store->db, id), 0);
	store_run(store, "UPDATE lane SET state = 'ready', asked = 'hold'");
	assert_int_equal(lane_collect(store->db, id), 0);
	store_run(store, "UPDATE lane SET asked = NULL");
	assert_int_equal(lane_collect(store->db, id), 1);
	assert_int_equal(lane_collect(store->db, id), 0);
	assert_int_not_equal(intern(store, "cvm", "", "default"), id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(is_the_same_for_the_same_three_names_only),
		STORE_TEST(starts_ready_with_nothing_known),
		STORE_TEST(comes_back_as_it_was_stored),
		STORE_TEST(storing_leaves_the_count_alone),
		STORE_TEST(counts_not_below_zero),
		STORE_TEST(are_listed_page_by_page),
		STORE_TEST(with_a_name_that_must_be_cut_is_not_loaded),
		STORE_TEST(cuts_a_long_reason_at_a_character),
		STORE_TEST(goes_when_nothing_is_of_it_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
