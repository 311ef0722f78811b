/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "queue/bound.h"
#include "queue/memo.h"
#include "queue/stage.h"

#include "store_fixture.h"

static struct stage *
stage_of(struct store *store)
{
	struct fault fault = { 0 };
	struct stage *stage = stage_new(store->spool.dir, &fault);

	assert_non_null(stage);
	return stage;
}

static void
add(struct store *store, struct stage *stage, const struct entry *entry)
{
	struct entry_wire wire = { 0 };
	struct fault fault = { 0 };

	if (entry_check(entry, &store->config.checks, false, &fault) ||
	    entry_render(entry, &store->config.checks, &wire, &fault) ||
	    stage_add(stage, entry, &wire, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
	entry_wire_free(&wire);
}

static struct writer_result
commit(struct store *store, struct stage *stage)
{
	struct writer_result result = { 0 };
	struct fault fault = { 0 };

	if (stage_commit(stage, store->writer, 5000, &result, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
	return result;
}

static void
queues_all_in_order_with_one_time(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct writer_result result;
	struct entry entry;
	int i;

	for (i = 0; i < 1000; i++) {
		entry = store_entry(i % 2 ? "cvm" : "pc", "cpu", i);
		add(store, stage, &entry);
	}
	assert_int_equal(stage_rows(stage), 1000);
	assert_int_equal(store_ledger(store).accepted, 0);
	result = commit(store, stage);
	assert_int_equal(result.queued, 1000);
	assert_int_equal(result.first_id, 1);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM metric WHERE value = id - 1"
			     " AND accepted_at = 5000"),
	    1000);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 2);
	store_audit(store);
	stage_free(stage);
}

static void
keeps_what_was_told_about_a_row(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	const struct entry_dimension dimensions[] = { { "ip", "1" },
		{ "a", "é\"" } };
	struct entry entry = store_entry("cvm", "cpu", -0.5);

	entry.region = "gz";
	entry.account = "other";
	entry.dimensions = dimensions;
	entry.dimension_count = 2;
	entry.observed_at = 700;
	entry.max_age_ms = 60000;
	add(store, stage, &entry);
	entry = store_entry("cvm", "cpu", 1);
	add(store, stage, &entry);
	commit(store, stage);
	assert_int_equal(
	    store_ask(store,
		"SELECT metric.id FROM metric"
		" JOIN lane ON lane.id = metric.lane_id"
		" JOIN series ON series.id = metric.series_id"
		" WHERE value = '-0.5' AND observed_at = 700"
		" AND expires_at = 65000 AND region = 'gz'"
		" AND account = 'other'"
		" AND dimensions = '{\"a\":\"é\\\"\",\"ip\":\"1\"}'"),
	    1);
	assert_int_equal(store_ask(store,
			     "SELECT id FROM metric WHERE value = '1' AND"
			     " observed_at IS NULL AND expires_at IS NULL"),
	    2);
	stage_free(stage);
}

/* More series than slots, more bytes than the buffer, in an order that makes
 * slots change hands: each row must end under its own name. */
static void
never_files_a_row_under_anothers_name(void **state)
{
	enum {
		SERIES = 3 * MEMO_SLOTS
	};
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry_dimension dimension = { .key = "n" };
	struct entry entry;
	char number[16];
	int i, n;

	store->config.queue.max_size = 0;
	for (i = 0; i < 60000; i++) {
		n = (int)((unsigned)i * 7919u % SERIES);
		snprintf(number, sizeof(number), "%d", n);
		dimension.value = number;
		entry = store_entry(n % 5 ? "cvm" : "pc", "cpu", n);
		entry.dimensions = &dimension;
		entry.dimension_count = 1;
		add(store, stage, &entry);
	}
	assert_true(stage_bytes(stage) > 1 << 20);
	commit(store, stage);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM metric"
			     " JOIN series ON series.id = metric.series_id"
			     " JOIN lane ON lane.id = metric.lane_id"
			     " AND series.lane_id = lane.id"
			     " WHERE value = dimensions ->> 'n' AND namespace ="
			     " iif(value % 5, 'cvm', 'pc')"),
	    60000);
	assert_int_equal(
	    store_ask(store, "SELECT count(*) FROM series"), SERIES);
	store_audit(store);
	stage_free(stage);
}

static void
leaves_no_file_behind(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct dirent *found;
	DIR *dir;
	int i;

	for (i = 0; i < 30000; i++)
		add(store, stage, &entry);
	dir = opendir(store->spool.dir);
	assert_non_null(dir);
	while ((found = readdir(dir)) != NULL)
		assert_null(strstr(found->d_name, "stage"));
	closedir(dir);
	stage_free(stage);
	assert_int_equal(store_ledger(store).accepted, 0);
}

static void
queues_keys_once(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;

	entry.key = "first";
	add(store, stage, &entry);
	add(store, stage, &entry);
	entry.key = "second";
	add(store, stage, &entry);
	result = commit(store, stage);
	assert_int_equal(result.queued, 2);
	assert_int_equal(result.duplicates, 1);
	assert_int_equal(store_ask(store,
			     "SELECT id FROM enqueue_key"
			     " WHERE key = 'second'"),
	    2);
	store_audit(store);
	stage_free(stage);
}

static void
stores_nothing_when_it_does_not_fit(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	struct fault fault = { 0 };
	int i;

	for (i = 0; i < 20000; i++)
		add(store, stage, &entry);
	assert_int_equal(bound_apply(store->db, 1, false), 0);
	assert_int_equal(
	    stage_commit(stage, store->writer, 5000, &result, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	assert_int_equal(store_ledger(store).accepted, 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM series"), 0);
	assert_int_equal(bound_apply(store->db, 0, false), 0);
	store_put(store, "cvm", "cpu", 1);
	store_audit(store);
	stage_free(stage);
}

static void
looks_for_room_before_it_writes(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	struct fault fault = { 0 };
	int i;

	for (i = 0; i < 20000; i++)
		add(store, stage, &entry);
	store->config.queue.max_size = db_bytes(store->db) + (1 << 20);
	assert_int_equal(
	    stage_commit(stage, store->writer, 5000, &result, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FULL);
	stage_free(stage);
}

static void
an_empty_stage_is_no_failure(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);

	assert_int_equal(commit(store, stage).queued, 0);
	stage_free(stage);
	stage_free(NULL);
}

static void
says_where_it_cannot_stage(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };
	struct stage *stage = stage_new("/nowhere/at/all", &fault);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct entry_wire wire = { 0 };
	int i, failed = 0;

	assert_int_equal(
	    entry_render(&entry, &store->config.checks, &wire, &fault), 0);
	for (i = 0; i < 100000 && failed == 0; i++)
		failed = stage_add(stage, &entry, &wire, &fault);
	assert_int_equal(failed, -1);
	assert_non_null(strstr(fault.message, "/nowhere/at/all"));
	entry_wire_free(&wire);
	stage_free(stage);
}

static void
queues_nothing_where_the_key_of_the_whole_is_known(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct writer_result result;
	struct fault fault = { 0 };
	int round;

	for (round = 0; round < 3; round++) {
		assert_int_equal(stage_clear(stage, &fault), 0);
		assert_int_equal(
		    stage_set_key(stage, round < 2 ? "call" : "other", &fault),
		    0);
		add(store, stage, &entry);
		add(store, stage, &entry);
		result = commit(store, stage);
		assert_int_equal(result.queued, round == 1 ? 0 : 2);
		assert_int_equal(result.duplicates, round == 1 ? 2 : 0);
		assert_int_equal(result.first_id, round == 1 ? -1 : round + 1);
	}
	assert_int_equal(store_ledger(store).accepted, 4);
	assert_int_equal(store_ledger(store).duplicates, 2);
	store_audit(store);
	stage_free(stage);
}

static void
is_as_good_as_new_once_cleared(void **state)
{
	struct store *store = *state;
	struct stage *stage = stage_of(store);
	struct entry entry = store_entry("cvm", "cpu", 1);
	struct fault fault = { 0 };
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 20000; i++)
			add(store, stage, &entry);
		assert_int_equal(commit(store, stage).queued, 20000);
		assert_int_equal(stage_clear(stage, &fault), 0);
		assert_int_equal(stage_rows(stage), 0);
		assert_int_equal(stage_bytes(stage), 0);
	}
	add(store, stage, &entry);
	assert_int_equal(stage_clear(stage, &fault), 0);
	assert_int_equal(commit(store, stage).queued, 0);
	assert_int_equal(store_ledger(store).accepted, 60000);
	store_audit(store);
	stage_free(stage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(queues_all_in_order_with_one_time),
		STORE_TEST(keeps_what_was_told_about_a_row),
		STORE_TEST(never_files_a_row_under_anothers_name),
		STORE_TEST(leaves_no_file_behind),
		STORE_TEST(queues_keys_once),
		STORE_TEST(stores_nothing_when_it_does_not_fit),
		STORE_TEST(looks_for_room_before_it_writes),
		STORE_TEST(queues_nothing_where_the_key_of_the_whole_is_known),
		STORE_TEST(is_as_good_as_new_once_cleared),
		STORE_TEST(an_empty_stage_is_no_failure),
		STORE_TEST(says_where_it_cannot_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
