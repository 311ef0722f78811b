/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/bound.h"
#include "queue/lane.h"
#include "queue/metric.h"

#include "store_fixture.h"

static void
stores_nothing_before_the_commit(void **state)
{
	struct store *store = *state;
	struct db *other = spool_open(&store->spool, DB_READER);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	struct ledger_row row;
	int64_t id;

	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	assert_int_equal(ledger_read(other, &row), 0);
	assert_int_equal(row.accepted, 0);
	result = store_commit(store);
	assert_int_equal(ledger_read(other, &row), 0);
	assert_int_equal(row.accepted, 1);
	assert_int_equal(result.queued, 1);
	assert_int_equal(result.first_id, id);
	assert_int_equal(result.last_id, id);
	store_audit(store);
	db_close(other);
}

static void
says_that_nothing_was_queued(void **state)
{
	struct store *store = *state;
	struct writer_result result;

	store_begin(store);
	result = store_commit(store);
	assert_int_equal(result.queued, 0);
	assert_int_equal(result.first_id, -1);
	assert_int_equal(result.last_id, -1);
}

static void
gives_ids_in_the_order_of_the_adds(void **state)
{
	struct store *store = *state;
	struct entry entry;
	struct writer_result result;
	int64_t id;
	int i;

	store_begin(store);
	for (i = 0; i < 200; i++) {
		entry = store_entry(i % 3 ? "cvm" : "pc", "cpu", i);
		assert_int_equal(store_add(store, &entry, 1000, &id), 0);
		assert_int_equal(id, i + 1);
	}
	result = store_commit(store);
	assert_int_equal(result.queued, 200);
	assert_int_equal(result.first_id, 1);
	assert_int_equal(result.last_id, 200);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM metric"
			     " WHERE value = id - 1"),
	    200);
	store_audit(store);
}

static void
abandoned_leaves_no_trace(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	int64_t id;
	int i;

	store_begin(store);
	for (i = 0; i < 100; i++)
		assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	writer_abandon(store->writer);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM lane"), 0);
	assert_int_equal(store_ledger(store).last_id, 0);
	/* what the memo knew of that round is forgotten with it */
	store_put(store, "pc", "mem", 1);
	store_put(store, "cvm", "cpu", 1);
	store_audit(store);
}

static void
closed_in_mid_round_leaves_no_trace(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	int64_t id;

	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_close(store);
	store_open(store);
	assert_int_equal(store_ledger(store).accepted, 0);
}

static void
keeps_what_was_told_about_a_row(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 0.1);
	int64_t id;

	entry.region = "gz";
	entry.account = "other";
	entry.observed_at = 500;
	entry.max_age_ms = 60000;
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_commit(store);
	assert_int_equal(
	    store_ask(store,
		"SELECT count(*) FROM metric JOIN lane ON lane.id = "
		"metric.lane_id"
		" JOIN series ON series.id = series_id"
		" WHERE value = '0.1' AND accepted_at = 1000"
		" AND observed_at = 500 AND expires_at = 61000"
		" AND attempts = 0 AND namespace = 'cvm' AND region = 'gz'"
		" AND account = 'other' AND metric = 'cpu'"
		" AND dimensions = '{}'"),
	    1);
}

static void
queues_a_known_key_once(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	int64_t id, again;

	entry.key = "k1";
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	assert_int_equal(store_add(store, &entry, 1000, &again), 1);
	assert_int_equal(again, id);
	store_commit(store);
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 2000, &again), 1);
	assert_int_equal(again, id);
	result = store_commit(store);
	assert_int_equal(result.queued, 0);
	assert_int_equal(result.duplicates, 1);
	assert_int_equal(store_ledger(store).duplicates, 2);
	assert_int_equal(store_ledger(store).accepted, 1);
	store_audit(store);
}

static void
forgets_a_key_in_time(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	int64_t late = 1000 + store->config.queue.key_memory_ms, id;

	entry.key = "k1";
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_commit(store);
	store_begin(store);
	assert_int_equal(store_add(store, &entry, late - 1, &id), 1);
	assert_int_equal(store_add(store, &entry, late, &id), 0);
	entry.key = "k2";
	assert_int_equal(store_add(store, &entry, late * 3, &id), 0);
	store_commit(store);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM enqueue_key"
			     " WHERE key = 'k1'"),
	    0);
	store_audit(store);
}

/* Keys come and go in equal numbers where nobody else removes them. */
static void
forgets_as_many_keys_as_it_learns(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	int64_t memory = store->config.queue.key_memory_ms, id;
	char key[32];
	int i, round;

	entry.key = key;
	for (round = 0; round < 3; round++) {
		store_begin(store);
		for (i = 0; i < 1000; i++) {
			snprintf(key, sizeof(key), "%d:%d", round, i);
			assert_int_equal(store_add(store, &entry,
					     1000 + round * memory, &id),
			    0);
		}
		store_commit(store);
		assert_int_equal(
		    store_ask(store, "SELECT count(*) FROM enqueue_key"), 1000);
	}
}

static void
an_abandoned_key_is_not_known(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	int64_t id;

	entry.key = "k1";
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	writer_abandon(store->writer);
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_commit(store);
}

static void
waits_for_others_and_then_says_that_they_write(void **state)
{
	struct store *store = *state;
	struct db *other = spool_open(&store->spool, DB_WRITER);
	struct fault fault = { 0 };

	assert_int_equal(db_begin(other), 0);
	db_set_busy_timeout(store->db, 50);
	assert_int_equal(writer_begin(store->writer, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_BUSY);
	db_rollback(other);
	store_put(store, "cvm", "cpu", 1);
	db_close(other);
}

static void
refuses_when_the_queue_is_full_and_takes_again_after_a_drain(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };

	store_fill(store, "cvm", "cpu", 20000);
	store->config.queue.max_size = db_bytes(store->db);
	assert_int_equal(writer_begin(store->writer, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	assert_string_not_equal(fault.hint, "");
	/* the file stays as large as it was: free pages are room */
	store_run(store,
	    "BEGIN; DELETE FROM metric; UPDATE lane SET"
	    " pending = 0; UPDATE ledger SET delivered = pending,"
	    " pending = 0; COMMIT");
	store->config.queue.max_size = 0;
	store_put(store, "cvm", "cpu", 1); /* copies the log back */
	store->config.queue.max_size = db_bytes(store->db);
	store_put(store, "cvm", "cpu", 1);
	store_audit(store);
}

static void
stores_nothing_when_the_file_may_not_grow(void **state)
{
	struct store *store = *state;
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct entry_wire wire = { 0 };
	struct writer_result result;
	struct fault fault = { 0 };
	int64_t id;
	int i, failed = 0;

	assert_int_equal(bound_apply(store->db, 1, false), 0);
	assert_int_equal(
	    entry_render(&entry, &store->config.checks, &wire, &fault), 0);
	store_begin(store);
	for (i = 0; i < 100000 && failed == 0; i++)
		failed = writer_add(
		    store->writer, &entry, &wire, 1000, &id, &fault);
	assert_int_equal(failed, -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	assert_int_equal(writer_commit(store->writer, &result, &fault), -1);
	assert_int_equal(store_ledger(store).accepted, 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM metric"), 0);
	assert_int_equal(bound_apply(store->db, 0, false), 0);
	store_put(store, "cvm", "cpu", 1);
	store_audit(store);
	entry_wire_free(&wire);
}

static void
knows_when_the_disk_is_too_small(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };

	store->config.queue.max_size = 0;
	store_begin(store);
	assert_int_equal(writer_reserve(store->writer, 1 << 20, &fault), 0);
	assert_int_equal(
	    writer_reserve(store->writer, INT64_C(1) << 60, &fault), -1);
	assert_int_equal(fault.kind, FAULT_DISK_FULL);
	store->config.queue.max_size = 10 << 20;
	assert_int_equal(writer_reserve(store->writer, 11 << 20, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	writer_abandon(store->writer);
}

/* Two writers, each with a memo of its own, and ids that never meet. */
static void
shares_the_queue_with_others(void **state)
{
	struct store *store = *state;
	struct store other = { .spool = store->spool };
	int i;

	store_open(&other);
	for (i = 0; i < 50; i++) {
		assert_int_equal(store_put(store, "cvm", "cpu", i), 2 * i + 1);
		assert_int_equal(
		    store_put(&other, "cvm", i % 2 ? "cpu" : "mem", i),
		    2 * i + 2);
	}
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 2);
	store_audit(store);
	store_close(&other);
}

static void
keeps_the_log_short_without_a_forwarder(void **state)
{
	struct store *store = *state;
	int i;

	store->config.queue.wal_max = 64 << 10;
	for (i = 0; i < 300; i++) {
		store_put(store, "cvm", "cpu", i);
		if (i % 10 == 0) { /* as separate processes do */
			store_close(store);
			store_open(store);
			store->config.queue.wal_max = 64 << 10;
		}
		assert_true(db_wal_bytes(store->db) < 512 << 10);
	}
	store_audit(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(stores_nothing_before_the_commit),
		STORE_TEST(says_that_nothing_was_queued),
		STORE_TEST(gives_ids_in_the_order_of_the_adds),
		STORE_TEST(abandoned_leaves_no_trace),
		STORE_TEST(closed_in_mid_round_leaves_no_trace),
		STORE_TEST(keeps_what_was_told_about_a_row),
		STORE_TEST(queues_a_known_key_once),
		STORE_TEST(forgets_a_key_in_time),
		STORE_TEST(forgets_as_many_keys_as_it_learns),
		STORE_TEST(an_abandoned_key_is_not_known),
		STORE_TEST(waits_for_others_and_then_says_that_they_write),
		STORE_TEST(
		    refuses_when_the_queue_is_full_and_takes_again_after_a_drain),
		STORE_TEST(stores_nothing_when_the_file_may_not_grow),
		STORE_TEST(knows_when_the_disk_is_too_small),
		STORE_TEST(shares_the_queue_with_others),
		STORE_TEST(keeps_the_log_short_without_a_forwarder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
