/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "queue/bound.h"
#include "queue/drop.h"
#include "queue/stage.h"

#include "store_fixture.h"

#define MIB (1 << 20)

/* So many rows in each of three lanes, one after the other. */
static void
fill_in_turn(struct store *store, int rows)
{
	static const char *const NAMES[] = { "cvm", "pc", "lb" };
	struct entry entry;
	int64_t id;
	int i;

	store_begin(store);
	for (i = 0; i < 3 * rows; i++) {
		entry = store_entry(NAMES[i % 3], "cpu", i);
		assert_int_equal(store_add(store, &entry, 1000 + i, &id), 0);
	}
	store_commit(store);
}

static int64_t
drop(struct store *store, int count)
{
	int64_t dropped;

	assert_int_equal(db_begin(store->db), 0);
	dropped = drop_oldest(store->db, INT64_MAX, count);
	assert_int_equal(db_commit(store->db), 0);
	return dropped;
}

static void
drops_the_oldest_over_all_lanes(void **state)
{
	struct store *store = *state;

	fill_in_turn(store, 1000);
	assert_int_equal(drop(store, 100), 100);
	assert_int_equal(store_ask(store, "SELECT min(id) FROM metric"), 101);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM metric"), 2900);
	assert_int_equal(store_ledger(store).dropped, 100);
	assert_int_equal(
	    store_ask(store, "SELECT pending FROM lane WHERE id = 1"), 966);
	store_audit(store);
}

static void
drops_what_there_is(void **state)
{
	struct store *store = *state;

	assert_int_equal(drop(store, 100), 0);
	fill_in_turn(store, 10);
	assert_int_equal(drop(store, 100), 30);
	assert_int_equal(store_ledger(store).dropped, 30);
	assert_int_equal(drop(store, 100), 0);
	store_audit(store);
}

static void
a_lane_whose_ids_are_few_and_old_goes_first(void **state)
{
	struct store *store = *state;

	fill_in_turn(store, 1000);
	store_run(store,
	    "BEGIN; DELETE FROM metric WHERE lane_id <> 2 AND id < 1500;"
	    " UPDATE lane SET pending ="
	    "  (SELECT count(*) FROM metric WHERE lane_id = lane.id);"
	    " UPDATE ledger SET delivered = 3000 -"
	    "  (SELECT count(*) FROM metric), pending ="
	    "  (SELECT count(*) FROM metric); COMMIT");
	store_audit(store);
	assert_int_equal(drop(store, 300), 300);
	assert_int_equal(
	    store_ask(store, "SELECT min(id) FROM metric WHERE lane_id = 2"),
	    902);
	assert_int_equal(
	    store_ask(store, "SELECT min(id) FROM metric WHERE lane_id = 1"),
	    1501);
	store_audit(store);
}

static void
never_more_than_a_transaction_may(void **state)
{
	struct store *store = *state;

	fill_in_turn(store, 3000);
	assert_int_equal(drop(store, 9000), DROP_ROWS);
	store_audit(store);
}

static void
bound_to(struct store *store, int64_t bytes, enum config_full when_full)
{
	store->config.queue.max_size = bytes;
	store->config.queue.when_full = when_full;
	store->config.queue.reserve = 0;
	assert_int_equal(bound_apply(store->db, bytes, false), 0);
}

static void
puts_go_on_for_ever_and_the_bound_holds(void **state)
{
	struct store *store = *state;
	int64_t most = 0;
	int i;

	bound_to(store, 8 * MIB, CONFIG_FULL_DROP_OLDEST);
	for (i = 0; i < 100; i++) {
		store_fill(store, i % 2 == 0 ? "cvm" : "pc", "cpu", 4000);
		if (db_bytes(store->db) > most)
			most = db_bytes(store->db);
	}
	assert_true(most <= 8 * MIB);
	assert_true(store_ledger(store).dropped > 50000);
	assert_int_equal(store_ledger(store).accepted, 400000);
	/* It is the latest that are left, without a hole. */
	assert_int_equal(
	    store_ask(store, "SELECT max(id) FROM metric"), 400000);
	assert_int_equal(
	    store_ask(
		store, "SELECT max(id) - min(id) + 1 - count(*) FROM metric"),
	    0);
	store_audit(store);
}

static void
drops_no_more_than_it_has_to(void **state)
{
	struct store *store = *state;
	int64_t dropped;
	int i;

	bound_to(store, 4 * MIB, CONFIG_FULL_DROP_OLDEST);
	while (store_ledger(store).dropped == 0)
		store_fill(store, "cvm", "cpu", 1000);
	dropped = store_ledger(store).dropped;
	assert_true(dropped <= 2000);
	for (i = 0; i < 1000; i++)
		store_put(store, "cvm", "cpu", i);
	assert_true(store_ledger(store).dropped - dropped <= 2000);
	assert_true(store_ledger(store).pending > 30000);
}

static void
a_round_that_is_given_up_drops_nothing(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("pc", "cpu", 1);
	int64_t id, pending;
	int i;

	bound_to(store, 4 * MIB, CONFIG_FULL_DROP_OLDEST);
	while (store_ledger(store).dropped == 0)
		store_fill(store, "cvm", "cpu", 1000);
	pending = store_ledger(store).pending;
	store_begin(store);
	for (i = 0; i < 10000; i++)
		assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	assert_true(
	    store_ask(store, "SELECT count(*) FROM metric") < pending + 10000);
	writer_abandon(store->writer);
	assert_int_equal(store_ledger(store).pending, pending);
	store_audit(store);
}

/* A round larger than the queue cannot drop its own rows. */
static void
a_round_that_cannot_fit_is_refused_as_a_whole(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("pc", "cpu", 1);
	int64_t id, pending;
	int failed = 0, i;

	bound_to(store, 4 * MIB, CONFIG_FULL_DROP_OLDEST);
	store_fill(store, "cvm", "cpu", 20000);
	pending = store_ledger(store).pending;
	store_begin(store);
	for (i = 0; i < 500000 && failed == 0; i++)
		failed = store_add(store, &entry, 1000, &id);
	assert_int_equal(failed, -1);
	writer_abandon(store->writer);
	assert_int_equal(store_ledger(store).pending, pending);
	assert_int_equal(store_ledger(store).dropped, 0);
	store_audit(store);
}

static void
rejecting_drops_nothing(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };
	int i;

	bound_to(store, 4 * MIB, CONFIG_FULL_REJECT);
	for (i = 0; i < 1000; i++) {
		if (writer_begin(store->writer, &fault))
			break;
		writer_abandon(store->writer);
		if (bound_presses(store->db, &store->config) == 1)
			store->config.queue.max_size = db_bytes(store->db);
		else
			store_fill(store, "cvm", "cpu", 500);
	}
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	assert_int_equal(store_ledger(store).dropped, 0);
	store_audit(store);
}

static void
what_can_never_fit_is_refused_and_drops_nothing(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };

	bound_to(store, 4 * MIB, CONFIG_FULL_DROP_OLDEST);
	store_fill(store, "cvm", "cpu", 20000);
	store_begin(store);
	assert_int_equal(writer_reserve(store->writer, 5 * MIB, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	writer_abandon(store->writer);
	assert_int_equal(store_ledger(store).dropped, 0);
	store_begin(store);
	assert_int_equal(writer_reserve(store->writer, MIB, &fault), 0);
	writer_abandon(store->writer);
	store_audit(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(drops_the_oldest_over_all_lanes),
		STORE_TEST(drops_what_there_is),
		STORE_TEST(a_lane_whose_ids_are_few_and_old_goes_first),
		STORE_TEST(never_more_than_a_transaction_may),
		STORE_TEST(puts_go_on_for_ever_and_the_bound_holds),
		STORE_TEST(drops_no_more_than_it_has_to),
		STORE_TEST(a_round_that_is_given_up_drops_nothing),
		STORE_TEST(a_round_that_cannot_fit_is_refused_as_a_whole),
		STORE_TEST(rejecting_drops_nothing),
		STORE_TEST(what_can_never_fit_is_refused_and_drops_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
