/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/lane.h"
#include "queue/metric.h"

#include "store_fixture.h"

#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)

static void
the_shares_make_up_the_whole_and_none_is_too_small(void **state)
{
	static const int64_t SIZES[] = { MIB, 2 * MIB, 3 * MIB, 4 * MIB,
		16 * MIB, 100 * MIB, 2048 * MIB, 1024 * 1024 * MIB };
	struct bound bound;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
		bound_share(SIZES[i], -1, &bound);
		assert_true(bound.database + bound.log <= SIZES[i]);
		assert_true(bound.rows < bound.database);
		assert_true(bound.rows >= SIZES[i] / 2);
		assert_true(bound.log_short >= 64 * KIB);
		assert_true(bound.log_kept <= bound.log_long);
		assert_true(2 * bound.log_long <= bound.log);
	}
	bound_share(0, -1, &bound);
	assert_int_equal(bound.rows, INT64_C(0xfffffffe) * 4096);
	assert_int_equal(bound.log_long, 4 * MIB);
}

static void
a_small_queue_remembers_fewer_requests(void **state)
{
	static struct config config;

	(void)state;
	config_defaults(&config);
	assert_int_equal(bound_attempts(&config), 10000);
	config.queue.max_size = MIB;
	assert_in_range(bound_attempts(&config), 100, 1000);
	config.queue.max_size = 0;
	assert_int_equal(bound_attempts(&config), 10000);
}

static void
bound_to(struct store *store, int64_t bytes)
{
	store->config.queue.max_size = bytes;
	store->config.queue.reserve = 0;
	assert_int_equal(bound_apply(store->db, bytes, false), 0);
}

/* Put rows until no more are taken, ever fewer at once; how many went in. */
static int
fill(struct store *store, int64_t most)
{
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	struct fault fault = { 0 };
	int64_t id;
	int chunk = 2000, rows = 0, i;

	while (chunk > 0) {
		if (writer_begin(store->writer, &fault) == 0) {
			for (i = 0; i < chunk; i++)
				if (store_add(store, &entry, 1000, &id))
					break;
			if (writer_commit(store->writer, &result, &fault) == 0)
				rows += chunk;
			else
				chunk /= 2;
		} else {
			assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
			chunk /= 2;
		}
		assert_true(db_bytes(store->db) <= most);
	}
	return rows;
}

/* As a forwarder does. */
static void
drain(struct store *store, int64_t most)
{
	struct bound bound;
	int64_t id, removed;

	bound_share(most, -1, &bound);
	while ((id = store_ask(store, "SELECT min(id) FROM metric")) > 0) {
		assert_int_equal(db_begin(store->db), 0);
		removed = metric_remove_range(store->db, 1, id, id + 999);
		assert_true(removed > 0);
		assert_int_equal(lane_count(store->db, 1, -removed), 0);
		assert_int_equal(ledger_move(store->db, LEDGER_PENDING,
				     LEDGER_DELIVERED, removed),
		    0);
		assert_int_equal(db_commit(store->db), 0);
		if (db_wal_bytes(store->db) >= bound.log_short)
			assert_int_equal(checkpoint_guarded(store->db, false),
			    CHECKPOINT_DONE);
		assert_true(db_bytes(store->db) <= most);
	}
}

static void
takes_as_much_again_when_it_was_drained(void **state)
{
	struct store *store = *state;
	int64_t most;
	int first, cycle;

	for (most = MIB; most <= 4 * MIB; most *= 2) {
		bound_to(store, most);
		first = fill(store, most);
		assert_true(first > 9000 * most / MIB);
		for (cycle = 0; cycle < 3; cycle++) {
			drain(store, most);
			assert_true(fill(store, most) >= first * 9 / 10);
		}
		drain(store, most);
	}
}

static void
a_log_that_a_reader_holds_is_counted(void **state)
{
	struct store *store = *state;
	struct sqlite3 *reader;

	bound_to(store, 2 * MIB);
	store_put(store, "cvm", "cpu", 1);
	assert_int_equal(
	    sqlite3_open(store->spool.place.file, &reader), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM ledger",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_true(fill(store, 2 * MIB) > 0);
	assert_int_equal(sqlite3_close(reader), SQLITE_OK);
	assert_true(fill(store, 2 * MIB) > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_shares_make_up_the_whole_and_none_is_too_small),
		cmocka_unit_test(a_small_queue_remembers_fewer_requests),
		STORE_TEST(takes_as_much_again_when_it_was_drained),
		STORE_TEST(a_log_that_a_reader_holds_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
