/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/deadletter.h"
#include "queue/edit.h"
#include "queue/lane.h"
#include "queue/metric.h"
#include "queue/replay.h"
#include "queue/reshape.h"
#include "queue/series.h"

#include "store_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Put a row with two dimensions and let it die. */
static int64_t
bury(struct store *store, const char *ns, const char *metric)
{
	static const struct entry_dimension DIMENSIONS[] = {
		{ "ip", "10.0.0.1" }, { "disk_nam", "größe" }
	};
	const struct death death = { .cause = "code",
		.code = 1017,
		.scope = "series",
		.attempt_id = -1,
		.died_at = 9000 };
	struct entry entry = store_entry(ns, metric, 0.5);
	int64_t id, lane_id;

	entry.dimensions = DIMENSIONS;
	entry.dimension_count = 2;
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_commit(store);
	assert_int_equal(
	    lane_intern(store->db, ns, "", "default", &lane_id), 0);
	assert_int_equal(deadletter_move(store->db, lane_id, id, &death), 1);
	return id;
}

struct shape {
	char text[512];
	int64_t series_id, lane_id;
};

static int
see(void *cookie, const struct deadletter_row *row)
{
	struct shape *shape = cookie;

	snprintf(shape->text, sizeof(shape->text), "%s|%s|%s|%s|%s|%s", row->ns,
	    row->region, row->account, row->metric, row->dimensions,
	    row->value);
	shape->series_id = row->series_id;
	shape->lane_id = row->lane_id;
	return 0;
}

static struct shape
shape_of(struct store *store, int64_t id)
{
	struct shape shape;

	assert_int_equal(deadletter_show(store->db, id, see, &shape), 1);
	return shape;
}

static struct edit
change(struct store *store, const struct reshape_change *changes, size_t count,
    const int64_t *ids, size_t id_count)
{
	struct edit edit = { .changes = changes,
		.change_count = count,
		.config = &store->config,
		.operation_id = 3,
		.edited_by = "me",
		.now_ms = 12345 };

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(edit_rows(store->db, &edit, ids, id_count), 0);
	assert_int_equal(db_commit(store->db), 0);
	return edit;
}

static void
changes_what_it_is_told_to(void **state)
{
	static const struct {
		struct reshape_change changes[3];
		size_t count;
		const char *becomes;
	} CASES[] = {
		{ { { .verb = RESHAPE_NAMESPACE, .value = "cvm_prod" } }, 1,
		    "cvm_prod||default|cpu|{\"disk_nam\":\"größe\",\"ip\":"
		    "\"10.0.0.1\"}|0.5" },
		{ { { .verb = RESHAPE_METRIC, .value = "load" } }, 1,
		    "cvm||default|load|{\"disk_nam\":\"größe\",\"ip\":"
		    "\"10.0.0.1\"}|0.5" },
		{ { { .verb = RESHAPE_REGION, .value = "sh" } }, 1,
		    "cvm|sh|default|cpu|{\"disk_nam\":\"größe\",\"ip\":"
		    "\"10.0.0.1\"}|0.5" },
		{ { { .verb = RESHAPE_RENAME,
		      .key = "disk_nam",
		      .value = "zdisk" } },
		    1,
		    "cvm||default|cpu|{\"ip\":\"10.0.0.1\",\"zdisk\":"
		    "\"größe\"}|0.5" },
		{ { { .verb = RESHAPE_DROP, .key = "ip" } }, 1,
		    "cvm||default|cpu|{\"disk_nam\":\"größe\"}|0.5" },
		{ { { .verb = RESHAPE_SET, .key = "ip", .value = "::1" } }, 1,
		    "cvm||default|cpu|{\"disk_nam\":\"größe\",\"ip\":\"::1\"}"
		    "|0.5" },
		{ { { .verb = RESHAPE_SET, .key = "a", .value = "\"" } }, 1,
		    "cvm||default|cpu|{\"a\":\"\\\"\",\"disk_nam\":\"größe\","
		    "\"ip\":\"10.0.0.1\"}|0.5" },
		/* Cut between characters: ö has two bytes. */
		{ { { .verb = RESHAPE_TRUNCATE,
		      .key = "disk_nam",
		      .most = 3 } },
		    1,
		    "cvm||default|cpu|{\"disk_nam\":\"gr\",\"ip\":"
		    "\"10.0.0.1\"}|0.5" },
		{ { { .verb = RESHAPE_DROP, .key = "ip" },
		      { .verb = RESHAPE_RENAME,
			  .key = "disk_nam",
			  .value = "ip" },
		      { .verb = RESHAPE_NAMESPACE, .value = "b" } },
		    3, "b||default|cpu|{\"ip\":\"größe\"}|0.5" },
	};
	struct store *store = *state;
	struct edit edit;
	int64_t id;
	size_t i;

	for (i = 0; i < COUNT(CASES); i++) {
		id = bury(store, "cvm", "cpu");
		edit = change(store, CASES[i].changes, CASES[i].count, &id, 1);
		assert_int_equal(edit.edited, 1);
		assert_string_equal(shape_of(store, id).text, CASES[i].becomes);
	}
	store_audit(store);
}

static void
leaves_rows_that_are_so_already(void **state)
{
	static const struct reshape_change CHANGES[] = {
		{ .verb = RESHAPE_NAMESPACE, .value = "cvm" },
		{ .verb = RESHAPE_RENAME, .key = "none", .value = "other" },
		{ .verb = RESHAPE_DROP, .key = "none" },
		{ .verb = RESHAPE_TRUNCATE, .key = "ip", .most = 100 },
	};
	struct store *store = *state;
	int64_t id = bury(store, "cvm", "cpu");
	struct shape before = shape_of(store, id);
	struct edit edit = change(store, CHANGES, COUNT(CHANGES), &id, 1);

	assert_int_equal(edit.unchanged, 1);
	assert_int_equal(edit.edited, 0);
	assert_int_equal(shape_of(store, id).series_id, before.series_id);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM edit"), 0);
}

static void
leaves_rows_that_put_would_refuse(void **state)
{
	static const struct reshape_change CHANGES[] = {
		{ .verb = RESHAPE_NAMESPACE, .value = "with-dash" },
		{ .verb = RESHAPE_METRIC, .value = "" },
		{ .verb = RESHAPE_REGION, .value = "SH" },
		{ .verb = RESHAPE_RENAME, .key = "ip", .value = "disk_nam" },
		{ .verb = RESHAPE_SET, .key = "ip", .value = "a\x1b[31m" },
		{ .verb = RESHAPE_SET, .key = "\xff", .value = "x" },
	};
	struct store *store = *state;
	int64_t id = bury(store, "cvm", "cpu");
	struct shape before = shape_of(store, id);
	size_t i;

	for (i = 0; i < COUNT(CHANGES); i++) {
		struct edit edit = change(store, &CHANGES[i], 1, &id, 1);

		assert_int_equal(edit.invalid, 1);
		assert_string_equal(shape_of(store, id).text, before.text);
	}
	store->config.checks.strict = false;
	assert_int_equal(change(store, &CHANGES[0], 1, &id, 1).edited, 1);
	store_audit(store);
}

struct edits {
	int count;
	char texts[4][128];
};

static int
on_edit(void *cookie, const struct edit_row *row)
{
	struct edits *edits = cookie;

	snprintf(edits->texts[edits->count++], 128, "%s/%s %lld %lld %s",
	    row->ns, row->metric, (long long)row->edited_at,
	    (long long)row->operation_id, row->edited_by);
	return 0;
}

static void
keeps_every_original(void **state)
{
	static const struct reshape_change FIRST = { .verb = RESHAPE_NAMESPACE,
		.value = "b" };
	static const struct reshape_change SECOND = { .verb = RESHAPE_METRIC,
		.value = "m" };
	struct store *store = *state;
	int64_t id = bury(store, "a", "cpu"), lane_id = -1, cursor = 0;
	struct shape before = shape_of(store, id);
	struct edits edits = { 0 };

	change(store, &FIRST, 1, &id, 1);
	change(store, &SECOND, 1, &id, 1);
	assert_int_equal(edit_list(store->db, id, on_edit, &edits), 2);
	assert_string_equal(edits.texts[0], "a/cpu 12345 3 me");
	assert_string_equal(edits.texts[1], "b/cpu 12345 3 me");
	assert_int_equal(edit_lane_before(store->db, id, 9000, &lane_id), 1);
	assert_int_equal(lane_id, before.lane_id);
	assert_int_equal(edit_lane_before(store->db, id, 99999, &lane_id), 0);
	assert_int_equal(series_collect(store->db, &cursor, 100), 0);
	store_audit(store);
}

static void
originals_go_with_the_row_when_it_is_delivered(void **state)
{
	static const struct reshape_change CHANGE = { .verb = RESHAPE_NAMESPACE,
		.value = "b" };
	struct store *store = *state;
	int64_t id = bury(store, "a", "cpu"), new_id = id + 1, lane_id;
	struct edits edits = { 0 };

	change(store, &CHANGE, 1, &id, 1);
	lane_id = shape_of(store, id).lane_id;
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(replay_rows(store->db, &id, 1, 0, false), 1);
	assert_int_equal(db_commit(store->db), 0);
	store_audit(store);
	assert_int_equal(edit_list(store->db, id, on_edit, &edits), 0);
	assert_int_equal(edit_list(store->db, new_id, on_edit, &edits), 1);
	assert_string_equal(edits.texts[0], "a/cpu 12345 3 me");
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(
	    metric_remove_range(store->db, lane_id, new_id, new_id), 1);
	assert_int_equal(lane_count(store->db, lane_id, -1), 0);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_PENDING, LEDGER_DELIVERED, 1), 0);
	assert_int_equal(db_commit(store->db), 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM edit"), 0);
	store_audit(store);
}

static void
a_failed_edit_leaves_all_its_rows(void **state)
{
	static const struct reshape_change CHANGE = { .verb = RESHAPE_NAMESPACE,
		.value = "b" };
	struct store *store = *state;
	int64_t ids[2] = { bury(store, "a", "cpu"), bury(store, "a", "mem") };
	struct edit edit = { .changes = &CHANGE,
		.change_count = 1,
		.config = &store->config,
		.operation_id = 3,
		.edited_by = NULL, /* the table refuses that */
		.now_ms = 1 };

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(edit_rows(store->db, &edit, ids, 2), -1);
	db_rollback(store->db);
	assert_memory_equal(shape_of(store, ids[0]).text, "a|", 2);
	assert_memory_equal(shape_of(store, ids[1]).text, "a|", 2);
	store_audit(store);
}

static void
passes_over_rows_that_are_not_dead(void **state)
{
	static const struct reshape_change CHANGE = { .verb = RESHAPE_NAMESPACE,
		.value = "b" };
	struct store *store = *state;
	int64_t id = store_put(store, "a", "cpu", 1);
	struct edit edit = change(store, &CHANGE, 1, &id, 1);

	assert_int_equal(edit.edited + edit.unchanged + edit.invalid, 0);
	store_audit(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(changes_what_it_is_told_to),
		STORE_TEST(leaves_rows_that_are_so_already),
		STORE_TEST(leaves_rows_that_put_would_refuse),
		STORE_TEST(keeps_every_original),
		STORE_TEST(originals_go_with_the_row_when_it_is_delivered),
		STORE_TEST(a_failed_edit_leaves_all_its_rows),
		STORE_TEST(passes_over_rows_that_are_not_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
