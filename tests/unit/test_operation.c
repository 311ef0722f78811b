/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/deadletter.h"
#include "queue/lane.h"
#include "queue/metric.h"
#include "queue/operation.h"
#include "queue/operation_group.h"
#include "queue/purge.h"
#include "queue/replay.h"

#include "store_fixture.h"

#define NOW_MS INT64_C(1700000100000)
#define DAY_MS INT64_C(86400000)

/* Let ${count} rows of lane 1 die, from ${first} on. */
static void
bury(struct store *store, int64_t first, int count)
{
	const struct death death = { .cause = "code",
		.code = 1016,
		.message = "Invalid Namespace",
		.scope = "namespace",
		.attempt_id = -1,
		.died_at = NOW_MS };
	int i;

	for (i = 0; i < count; i++)
		assert_int_equal(
		    deadletter_move(store->db, 1, first + i, &death), 1);
}

static int64_t
new_operation(struct store *store, enum operation_kind kind)
{
	struct operation_row row = { .kind = kind,
		.state = OPERATION_CHOOSING,
		.asked_by = "me",
		.selection = "code 1016",
		.asked_at = NOW_MS,
		.matched = 12,
		.skipped = 2,
		.canary = 1,
		.rate = 0.5 };

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(operation_new(store->db, &row), 0);
	assert_int_equal(db_commit(store->db), 0);
	return row.id;
}

static int64_t
new_group(struct store *store, int64_t operation_id,
    enum operation_group_state state, int64_t first, int count)
{
	struct operation_group_row row = { .operation_id = operation_id,
		.lane_id = 1,
		.code = 1016,
		.state = state };
	int64_t ids[64];
	int i;

	for (i = 0; i < count; i++)
		ids[i] = first + i;
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(operation_group_new(store->db, &row, "cpu"), 0);
	assert_int_equal(
	    operation_group_add(store->db, row.id, ids, (size_t)count), 0);
	assert_int_equal(db_commit(store->db), 0);
	return row.id;
}

static struct operation_row
load(struct store *store, int64_t id)
{
	struct operation_row row;

	assert_int_equal(operation_load(store->db, id, &row), 1);
	return row;
}

static void
set(struct store *store, int64_t id, enum operation_state state)
{
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(operation_set(store->db, id, state, NOW_MS + 1), 1);
	assert_int_equal(db_commit(store->db), 0);
}

static struct operation_group_row
first_group(struct store *store, int64_t operation_id)
{
	struct operation_group_row row;

	assert_int_equal(
	    operation_group_list(store->db, operation_id, 0, &row, 1), 1);
	return row;
}

/* Deliver rows as the forwarder does. */
static void
deliver(struct store *store, int64_t first, int64_t last)
{
	int64_t gone;

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(
	    operation_group_delivered(store->db, 1, first, last), 0);
	gone = metric_remove_range(store->db, 1, first, last);
	assert_int_equal(gone, last - first + 1);
	assert_int_equal(lane_count(store->db, 1, -gone), 0);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_PENDING, LEDGER_DELIVERED, gone), 0);
	assert_int_equal(db_commit(store->db), 0);
}

/* ---- operations ---- */

static void
keeps_what_was_asked_for(void **state)
{
	struct store *store = *state;
	int64_t id = new_operation(store, OPERATION_REPLAY);
	struct operation_row row = load(store, id), listed[2];

	assert_int_equal(row.kind, OPERATION_REPLAY);
	assert_int_equal(row.state, OPERATION_CHOOSING);
	assert_string_equal(row.asked_by, "me");
	assert_string_equal(row.selection, "code 1016");
	assert_int_equal(row.asked_at, NOW_MS);
	assert_int_equal(row.ended_at, -1);
	assert_int_equal(row.matched, 12);
	assert_int_equal(row.skipped, 2);
	assert_int_equal(row.canary, 1);
	assert_true(row.rate == 0.5);
	assert_int_equal(row.groups, 0);
	assert_int_equal(operation_list(store->db, 0, listed, 2), 1);
	assert_int_equal(listed[0].id, id);
	assert_int_equal(operation_load(store->db, id + 1, &row), 0);
}

static void
an_ended_one_changes_no_more(void **state)
{
	struct store *store = *state;
	int64_t id = new_operation(store, OPERATION_PURGE);
	struct operation_row row;

	set(store, id, OPERATION_DONE);
	row = load(store, id);
	assert_int_equal(row.ended_at, NOW_MS + 1);
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(
	    operation_set(store->db, id, OPERATION_RUNNING, NOW_MS + 2), 0);
	assert_int_equal(db_commit(store->db), 0);
	assert_int_equal(operation_cancel(store->db, id, NOW_MS), 0);
	assert_int_equal(load(store, id).state, OPERATION_DONE);
	assert_int_equal(operation_list(store->db, 0, &row, 1), 0);
}

/* Whoever asked for them was killed; a replay is the forwarder's to end. */
static void
ends_what_was_left_behind_when_there_is_a_new_one(void **state)
{
	struct store *store = *state;
	int64_t choosing = new_operation(store, OPERATION_REPLAY);
	int64_t replay = new_operation(store, OPERATION_REPLAY);
	int64_t edit = new_operation(store, OPERATION_EDIT);
	int64_t fresh;

	set(store, replay, OPERATION_RUNNING);
	set(store, edit, OPERATION_RUNNING);
	store_run(store, "UPDATE operation SET moved_at = moved_at - 61000");
	fresh = new_operation(store, OPERATION_EDIT);
	assert_int_equal(load(store, choosing).state, OPERATION_CANCELLED);
	assert_int_equal(load(store, edit).state, OPERATION_CANCELLED);
	assert_int_equal(load(store, replay).state, OPERATION_RUNNING);
	assert_int_equal(load(store, fresh).ended_at, -1);
}

static void
finds_an_import_that_was_cut_short(void **state)
{
	struct store *store = *state;
	int64_t id = new_operation(store, OPERATION_IMPORT);
	struct operation_row row;

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(operation_count(store->db, id, 5, 1, NOW_MS), 0);
	assert_int_equal(db_commit(store->db), 0);
	assert_int_equal(
	    operation_find_import(store->db, "code 1016", &row), 1);
	assert_int_equal(row.id, id);
	assert_int_equal(row.done, 5);
	assert_int_equal(row.skipped, 3);
	assert_int_equal(operation_find_import(store->db, "other", &row), 0);
	assert_int_equal(operation_cancel(store->db, id, NOW_MS), 1);
	assert_int_equal(
	    operation_find_import(store->db, "code 1016", &row), 1);
	assert_int_equal(operation_reopen(store->db, id, NOW_MS), 0);
	assert_int_equal(load(store, id).state, OPERATION_RUNNING);
	set(store, id, OPERATION_DONE);
	assert_int_equal(
	    operation_find_import(store->db, "code 1016", &row), 1);
	assert_int_equal(row.state, OPERATION_DONE);
}

/* ---- replays ---- */

struct pages {
	int count;
	struct metric_row rows[64];
};

static int
on_row(void *cookie, const struct metric_row *row)
{
	struct pages *pages = cookie;

	pages->rows[pages->count++] = *row;
	return 0;
}

static int
read_dead(void *cookie, const struct deadletter_row *row)
{
	struct deadletter_row *copy = cookie;

	*copy = *row;
	return 0;
}

static int64_t
replay(struct store *store, const int64_t *ids, size_t count, bool alone)
{
	int64_t moved;

	assert_int_equal(db_begin(store->db), 0);
	moved = replay_rows(store->db, ids, count, 0, alone);
	assert_int_equal(db_commit(store->db), 0);
	return moved;
}

static void
a_replayed_row_keeps_all_but_its_id(void **state)
{
	struct store *store = *state;
	struct deadletter_row dead;
	struct pages pages = { 0 };
	int64_t id = store_put(store, "cvm", "cpu", 0.25), ids[2];

	store_run(store,
	    "UPDATE metric SET attempts = 7, observed_at = 11,"
	    " expires_at = 22");
	bury(store, id, 1);
	ids[0] = id;
	ids[1] = id + 50; /* not dead */
	assert_int_equal(replay(store, ids, 2, true), 1);
	assert_int_equal(metric_page(store->db, 1, 0, 9, on_row, &pages), 1);
	assert_int_equal(pages.rows[0].id, id + 1);
	assert_int_equal(pages.rows[0].accepted_at, 1700000000000);
	assert_int_equal(pages.rows[0].attempts, 7);
	assert_int_equal(pages.rows[0].observed_at, 11);
	assert_int_equal(pages.rows[0].expires_at, 22);
	assert_true(pages.rows[0].replayed && pages.rows[0].alone);
	assert_int_equal(store_ledger(store).replayed, 1);
	assert_int_equal(store_ledger(store).pending, 1);
	store_audit(store);
	/* Dead again, it is still known where it comes from. */
	bury(store, id + 1, 1);
	ids[0] = id + 1;
	assert_int_equal(replay(store, ids, 1, false), 1);
	bury(store, id + 2, 1);
	assert_int_equal(
	    deadletter_show(store->db, id + 2, read_dead, &dead), 1);
	assert_int_equal(dead.origin_id, id);
	assert_int_equal(dead.replays, 2);
	assert_int_equal(store_ledger(store).accepted, 1);
	store_audit(store);
}

static void
a_row_that_was_never_replayed_is_not_marked(void **state)
{
	struct store *store = *state;
	struct pages pages = { 0 };
	int64_t id = store_put(store, "cvm", "cpu", 1);

	bury(store, id, 1);
	assert_int_equal(replay(store, &id, 1, false), 1);
	store_fill(store, "cvm", "cpu", 2);
	assert_int_equal(metric_page(store->db, 1, 0, 9, on_row, &pages), 3);
	assert_true(pages.rows[0].replayed && !pages.rows[0].alone);
	assert_false(pages.rows[1].replayed || pages.rows[2].replayed);
}

static void
canaries_go_before_the_rest(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 10);
	int64_t id = new_operation(store, OPERATION_REPLAY);
	struct operation_group_row group;
	struct pages pages = { 0 };

	bury(store, first, 10);
	new_group(store, id, GROUP_WAITING, first, 10);
	set(store, id, OPERATION_WAITING);
	group = first_group(store, id);
	assert_int_equal(group.matched, 10);
	assert_int_equal(operation_group_move(store->db, &group, 2, NOW_MS), 2);
	group = first_group(store, id);
	assert_int_equal(group.state, GROUP_CANARY);
	assert_int_equal(operation_group_pends(store->db, &group), 1);
	assert_int_equal(load(store, id).state, OPERATION_RUNNING);
	assert_int_equal(metric_page(store->db, 1, 0, 9, on_row, &pages), 2);
	assert_true(pages.rows[0].alone && pages.rows[1].alone);
	deliver(store, first + 10, first + 11);
	group = first_group(store, id);
	assert_int_equal(group.delivered, 2);
	assert_int_equal(operation_group_pends(store->db, &group), 0);
	assert_int_equal(operation_group_judge(store->db, &group, true), 0);
	group = first_group(store, id);
	assert_int_equal(group.state, GROUP_MOVING);
	assert_int_equal(
	    operation_group_move(store->db, &group, 100, NOW_MS), 8);
	assert_int_equal(operation_group_list(store->db, id, 0, &group, 1), 0);
	pages.count = 0;
	assert_int_equal(metric_page(store->db, 1, 0, 9, on_row, &pages), 8);
	assert_false(pages.rows[0].alone);
	store_audit(store);
	/* It is over when the last of them is. */
	assert_int_equal(operation_settle(store->db, id, NOW_MS), 0);
	deliver(store, first + 12, first + 19);
	assert_int_equal(operation_settle(store->db, id, NOW_MS), 1);
	assert_int_equal(load(store, id).state, OPERATION_DONE);
	assert_int_equal(load(store, id).delivered, 10);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM origin"), 0);
	store_audit(store);
}

static void
a_refused_group_has_nothing_more_to_move(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 5);
	int64_t id = new_operation(store, OPERATION_REPLAY);
	struct operation_group_row group;

	bury(store, first, 5);
	new_group(store, id, GROUP_WAITING, first, 5);
	group = first_group(store, id);
	assert_int_equal(operation_group_move(store->db, &group, 1, NOW_MS), 1);
	bury(store, first + 5, 1);
	group = first_group(store, id);
	assert_int_equal(group.refused_again, 1);
	assert_int_equal(operation_group_judge(store->db, &group, false), 0);
	assert_int_equal(operation_settle(store->db, id, NOW_MS), 1);
	assert_int_equal(load(store, id).canaries_refused, 1);
	assert_int_equal(load(store, id).refused_again, 1);
	assert_int_equal(store_ledger(store).dead, 5);
	assert_int_equal(
	    store_ask(store, "SELECT count(*) FROM operation_row"), 0);
	store_audit(store);
}

static void
passes_over_rows_that_are_dead_no_longer(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 5);
	int64_t id = new_operation(store, OPERATION_REPLAY);
	int64_t gone[] = { first, first + 3 };
	struct operation_group_row group;

	bury(store, first, 5);
	new_group(store, id, GROUP_WAITING, first, 5);
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(purge_rows(store->db, gone, 2), 2);
	assert_int_equal(db_commit(store->db), 0);
	group = first_group(store, id);
	/* The canary was purged: the next one is. */
	assert_int_equal(operation_group_move(store->db, &group, 1, NOW_MS), 0);
	assert_int_equal(first_group(store, id).state, GROUP_WAITING);
	assert_int_equal(operation_group_move(store->db, &group, 1, NOW_MS), 1);
	group = first_group(store, id);
	assert_int_equal(operation_group_judge(store->db, &group, true), 0);
	group = first_group(store, id);
	assert_int_equal(operation_group_move(store->db, &group, 9, NOW_MS), 2);
	assert_int_equal(load(store, id).skipped, 2 + 2);
	assert_int_equal(load(store, id).replayed, 3);
	store_audit(store);
}

/* Two replays name the same rows: the first that comes moves them. */
static void
a_row_is_replayed_by_one_of_two(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 4);
	int64_t one = new_operation(store, OPERATION_REPLAY);
	int64_t two = new_operation(store, OPERATION_REPLAY);
	struct operation_group_row group;

	bury(store, first, 4);
	new_group(store, one, GROUP_MOVING, first, 4);
	new_group(store, two, GROUP_MOVING, first, 4);
	group = first_group(store, one);
	assert_int_equal(operation_group_move(store->db, &group, 3, NOW_MS), 3);
	group = first_group(store, two);
	assert_int_equal(operation_group_move(store->db, &group, 9, NOW_MS), 1);
	group = first_group(store, one);
	assert_int_equal(operation_group_move(store->db, &group, 9, NOW_MS), 0);
	deliver(store, first + 4, first + 7);
	assert_int_equal(operation_settle(store->db, one, NOW_MS), 1);
	assert_int_equal(operation_settle(store->db, two, NOW_MS), 1);
	assert_int_equal(load(store, one).delivered, 3);
	assert_int_equal(load(store, two).delivered, 1);
	store_audit(store);
}

static void
a_cancelled_one_names_no_rows(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 4);
	int64_t id = new_operation(store, OPERATION_REPLAY);
	struct operation_group_row group;

	bury(store, first, 4);
	new_group(store, id, GROUP_MOVING, first, 4);
	group = first_group(store, id);
	assert_int_equal(operation_group_move(store->db, &group, 1, NOW_MS), 1);
	assert_int_equal(operation_cancel(store->db, id, NOW_MS), 1);
	assert_int_equal(operation_group_move(store->db, &group, 9, NOW_MS), 0);
	assert_int_equal(load(store, id).state, OPERATION_CANCELLED);
	/* What was moved is still counted. */
	deliver(store, first + 4, first + 4);
	assert_int_equal(load(store, id).delivered, 1);
	store_audit(store);
}

/* ---- purges ---- */

static void
a_purge_takes_everything_of_a_row_along(void **state)
{
	struct store *store = *state;
	int64_t id = store_put(store, "cvm", "cpu", 1), ids[2];

	bury(store, id, 1);
	assert_int_equal(replay(store, &id, 1, false), 1);
	bury(store, id + 1, 1);
	store_run(store,
	    "INSERT INTO edit (row_id, series_id, edited_at, edited_by,"
	    "  operation_id) VALUES (2, 1, 0, 'me', 1)");
	ids[0] = id; /* long gone */
	ids[1] = id + 1;
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(purge_rows(store->db, ids, 2), 1);
	assert_int_equal(db_commit(store->db), 0);
	assert_int_equal(store_ledger(store).purged, 1);
	assert_int_equal(store_ledger(store).dead, 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM origin"), 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM edit"), 0);
	store_audit(store);
}

static void
a_purge_that_is_rolled_back_leaves_all(void **state)
{
	struct store *store = *state;
	int64_t id = store_put(store, "cvm", "cpu", 1);

	bury(store, id, 1);
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(purge_rows(store->db, &id, 1), 1);
	db_rollback(store->db);
	assert_int_equal(store_ledger(store).dead, 1);
	store_audit(store);
}

static void
bounds_take_the_longest_dead_first(void **state)
{
	struct store *store = *state;
	int64_t first = store_fill(store, "cvm", "cpu", 10), lane_id;

	bury(store, first, 10);
	store_run(store,
	    "UPDATE dead_letter SET died_at = 1760000000100 - id,"
	    "  accepted_at = 1760000000000");
	assert_int_equal(purge_bounds(store->db, 0, -1, 9), 0);
	assert_int_equal(
	    purge_bounds(store->db, 10, INT64_C(1760000000090), 9), 0);
	assert_int_equal(purge_bounds(store->db, 7, 0, 2), 2);
	assert_int_equal(purge_bounds(store->db, 7, 0, 9), 1);
	assert_int_equal(store_ledger(store).dead, 7);
	assert_int_equal(deadletter_lane(store->db, first, &lane_id), 1);
	assert_int_equal(deadletter_lane(store->db, first + 9, &lane_id), 0);
	assert_int_equal(
	    purge_bounds(store->db, 0, INT64_C(1760000000100) - first - 4, 9),
	    2);
	assert_int_equal(store_ledger(store).purged, 5);
	store_audit(store);
}

/* ---- what is past ---- */

static int64_t
count(struct store *store, const char *sql)
{
	struct sqlite3_stmt *stmt = db_prepare(store->db, sql);
	int64_t rows;

	assert_non_null(stmt);
	assert_int_equal(db_step(store->db, stmt), DB_ROW);
	rows = db_column_int(stmt, 0);
	db_reset(stmt);
	return rows;
}

/* ${rows} with an id from ${first} on that ended ${days} before NOW_MS, each
 * with a group. */
static void
fill_past(struct store *store, int first, int rows, int days)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n (i) AS (SELECT %d UNION ALL"
	    "  SELECT i + 1 FROM n WHERE i < %d)"
	    "INSERT INTO operation (id, kind, state, asked_by, asked_at,"
	    "  moved_at, ended_at, selection)"
	    " SELECT i, 'replay', 'done', 'me', %lld, %lld, %lld, '' FROM n;"
	    "INSERT INTO operation_group (operation_id, lane_id, metric, state)"
	    " SELECT id, 1, 'cpu', 'moved' FROM operation WHERE id >= %d",
	    first, first + rows - 1, (long long)NOW_MS - days * DAY_MS,
	    (long long)NOW_MS - days * DAY_MS,
	    (long long)NOW_MS - days * DAY_MS, first);
	store_run(store, sql);
}

static void
remembers_the_latest_however_old(void **state)
{
	struct store *store = *state;
	int i;

	fill_past(store, 1, 1500, 90);
	for (i = 0; i < 100; i++)
		(void)new_operation(store, OPERATION_EDIT);
	assert_int_equal(count(store, "SELECT min(id) FROM operation"), 601);
	assert_int_equal(count(store, "SELECT count(*) FROM operation"), 1000);
	assert_int_equal(
	    count(store, "SELECT count(*) FROM operation_group"), 900);
}

static void
remembers_a_month_however_many(void **state)
{
	struct store *store = *state;
	int i;

	fill_past(store, 1, 300, 31);
	fill_past(store, 301, 3000, 29);
	for (i = 0; i < 50; i++)
		(void)new_operation(store, OPERATION_EDIT);
	assert_int_equal(count(store, "SELECT min(id) FROM operation"), 301);
	assert_int_equal(count(store, "SELECT count(*) FROM operation"), 3050);
}

static void
remembers_no_more_than_there_is_room_for(void **state)
{
	struct store *store = *state;

	fill_past(store, 1, 16, 1);
	fill_past(store, 99999, 2, 1);
	(void)new_operation(store, OPERATION_EDIT);
	assert_int_equal(count(store, "SELECT min(id) FROM operation"), 2);
}

static void
forgets_none_that_is_open(void **state)
{
	struct store *store = *state;
	int i;

	fill_past(store, 1, 1500, 90);
	store_run(store,
	    "UPDATE operation SET ended_at = NULL, state = 'running'"
	    " WHERE id = 7");
	for (i = 0; i < 100; i++)
		(void)new_operation(store, OPERATION_EDIT);
	assert_int_equal(count(store, "SELECT min(id) FROM operation"), 7);
	assert_int_equal(load(store, 7).state, OPERATION_RUNNING);
	assert_int_equal(count(store, "SELECT count(*) FROM operation"), 1001);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(keeps_what_was_asked_for),
		STORE_TEST(an_ended_one_changes_no_more),
		STORE_TEST(ends_what_was_left_behind_when_there_is_a_new_one),
		STORE_TEST(finds_an_import_that_was_cut_short),
		STORE_TEST(a_replayed_row_keeps_all_but_its_id),
		STORE_TEST(a_row_that_was_never_replayed_is_not_marked),
		STORE_TEST(canaries_go_before_the_rest),
		STORE_TEST(a_refused_group_has_nothing_more_to_move),
		STORE_TEST(passes_over_rows_that_are_dead_no_longer),
		STORE_TEST(a_row_is_replayed_by_one_of_two),
		STORE_TEST(a_cancelled_one_names_no_rows),
		STORE_TEST(a_purge_takes_everything_of_a_row_along),
		STORE_TEST(a_purge_that_is_rolled_back_leaves_all),
		STORE_TEST(bounds_take_the_longest_dead_first),
		STORE_TEST(remembers_the_latest_however_old),
		STORE_TEST(remembers_a_month_however_many),
		STORE_TEST(remembers_no_more_than_there_is_room_for),
		STORE_TEST(forgets_none_that_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
