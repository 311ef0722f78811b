/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/deadletter.h"
#include "queue/lane.h"
#include "queue/metric.h"

#include "store_fixture.h"

static const struct death DEATH = { .cause = "code",
	.code = 1017,
	.message = "Dimension verification failed",
	.scope = "series",
	.http_status = 200,
	.attempt_id = 12,
	.alone = true,
	.contrast = "request 11 was accepted",
	.evidence = "request 12 got code 1017",
	.died_at = 9000 };

static int64_t
lane(struct store *store, const char *ns)
{
	int64_t id;

	assert_int_equal(lane_intern(store->db, ns, "", "default", &id), 0);
	return id;
}

static void
kill_row(struct store *store, const char *ns, int64_t id, int code, int64_t at)
{
	struct death death = DEATH;

	death.code = code;
	death.died_at = at;
	if (code == -1)
		death.cause = "late";
	assert_int_equal(
	    deadletter_move(store->db, lane(store, ns), id, &death), 1);
}

struct seen {
	int count;
	int64_t ids[16];
	struct deadletter_row row;
	char texts[512];
};

static int
see(void *cookie, const struct deadletter_row *row)
{
	struct seen *seen = cookie;

	seen->row = *row;
	snprintf(seen->texts, sizeof(seen->texts),
	    "%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s", row->ns, row->region,
	    row->account, row->metric, row->dimensions, row->value, row->cause,
	    row->scope, row->message,
	    row->contrast == NULL ? "-" : row->contrast, row->evidence);
	seen->ids[seen->count++] = row->id;
	return 0;
}

static void
moves_the_row_whole(void **state)
{
	struct store *store = *state;
	const struct entry_dimension dimension = { "ip", "1" };
	struct entry entry = store_entry("cvm", "cpu", 0.5);
	struct seen seen = { 0 };
	int64_t id;

	entry.region = "gz";
	entry.dimensions = &dimension;
	entry.dimension_count = 1;
	entry.observed_at = 500;
	entry.max_age_ms = 60000;
	store_begin(store);
	assert_int_equal(store_add(store, &entry, 1000, &id), 0);
	store_commit(store);
	assert_int_equal(metric_attempted(store->db, 1, id), 0);
	assert_int_equal(deadletter_move(store->db, 1, id, &DEATH), 1);
	assert_int_equal(deadletter_show(store->db, id, see, &seen), 1);
	assert_string_equal(seen.texts,
	    "cvm|gz|default|cpu|{\"ip\":\"1\"}|0.5|code|series|"
	    "Dimension verification failed|request 11 was accepted|"
	    "request 12 got code 1017");
	assert_int_equal(seen.row.id, id);
	assert_int_equal(seen.row.code, 1017);
	assert_int_equal(seen.row.attempts, 1);
	assert_int_equal(seen.row.accepted_at, 1000);
	assert_int_equal(seen.row.observed_at, 500);
	assert_int_equal(seen.row.expires_at, 61000);
	assert_int_equal(seen.row.died_at, 9000);
	assert_int_equal(seen.row.http_status, 200);
	assert_int_equal(seen.row.attempt_id, 12);
	assert_int_equal(seen.row.replays, 0);
	assert_int_equal(seen.row.origin_id, -1);
	assert_true(seen.row.alone);
	assert_int_equal(store_ledger(store).pending, 0);
	assert_int_equal(store_ledger(store).dead, 1);
	store_audit(store);
}

static void
leaves_alone_a_row_no_longer_queued(void **state)
{
	struct store *store = *state;
	int64_t id = store_put(store, "cvm", "cpu", 1);

	assert_int_equal(deadletter_move(store->db, 1, id + 1, &DEATH), 0);
	assert_int_equal(deadletter_move(store->db, 2, id, &DEATH), 0);
	assert_int_equal(store_ledger(store).dead, 0);
	store_audit(store);
}

static void
leaves_the_row_when_the_copy_fails(void **state)
{
	struct store *store = *state;
	int64_t id = store_put(store, "cvm", "cpu", 1);

	/* its place among the dead is taken */
	store_run(store,
	    "INSERT INTO dead_letter SELECT id, series_id, value, 0, NULL,"
	    " NULL, 0, 0, 'code', NULL, 'row', '', NULL, NULL, 0, NULL, ''"
	    " FROM metric");
	assert_int_equal(deadletter_move(store->db, 1, id, &DEATH), -1);
	assert_string_not_equal(db_error(store->db), "");
	assert_int_equal(db_depth(store->db), 0);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM metric"), 1);
	assert_int_equal(store_ledger(store).pending, 1);
	assert_int_equal(store_ledger(store).dead, 0);
}

static void
leaves_both_when_the_ledger_would_go_below_zero(void **state)
{
	struct store *store = *state;
	int64_t id = store_put(store, "cvm", "cpu", 1);

	store_run(store, "UPDATE ledger SET pending = 0");
	assert_int_equal(deadletter_move(store->db, 1, id, &DEATH), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_LEDGER_BROKEN);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM metric"), 1);
	assert_int_equal(
	    store_ask(store, "SELECT count(*) FROM dead_letter"), 0);
	assert_int_equal(store_ask(store, "SELECT pending FROM lane"), 1);
}

static void
leaves_the_others_of_a_bracket_when_one_fails(void **state)
{
	struct store *store = *state;

	store_fill(store, "cvm", "cpu", 2);
	store_run(store,
	    "INSERT INTO dead_letter SELECT id, series_id, value, 0, NULL,"
	    " NULL, 0, 0, 'code', NULL, 'row', '', NULL, NULL, 0, NULL, ''"
	    " FROM metric WHERE id = 2");
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(deadletter_move(store->db, 1, 1, &DEATH), 1);
	assert_int_equal(deadletter_move(store->db, 1, 2, &DEATH), -1);
	assert_int_equal(db_commit(store->db), 0);
	assert_int_equal(store_ledger(store).dead, 1);
	assert_int_equal(store_ledger(store).pending, 1);
}

static void
keeps_the_origin_of_a_replayed_row(void **state)
{
	struct store *store = *state;
	struct seen seen = { 0 };
	int64_t id = store_put(store, "cvm", "cpu", 1);

	store_run(store,
	    "INSERT INTO origin (id, origin_id, replays) VALUES (1, 77, 2)");
	assert_int_equal(deadletter_move(store->db, 1, id, &DEATH), 1);
	assert_int_equal(deadletter_show(store->db, id, see, &seen), 1);
	assert_int_equal(seen.row.replays, 2);
	assert_int_equal(seen.row.origin_id, 77);
	store_audit(store);
}

/* Rows 1..6: namespace, metric, code and time of death by the table. */
static void
fill(struct store *store)
{
	static const struct {
		const char *ns, *metric;
		int code;
		int64_t died_at;
	} ROWS[] = {
		{ "cvm", "cpu", 1017, 6000 },
		{ "cvm", "mem", 1016, 5000 },
		{ "cvm_prd", "cpu", 1016, 4000 },
		{ "pc", "cpu", -1, 3000 },
		{ "pc", "disk", 1020, 2000 },
		{ "pc", "cpu", 1017, 1000 },
	};
	const struct entry_dimension dimension = { "ip", "10.0.0.1" };
	struct entry entry;
	int64_t id;
	size_t i;

	for (i = 0; i < 6; i++) {
		entry = store_entry(ROWS[i].ns, ROWS[i].metric, (double)i);
		if (i == 2) {
			entry.dimensions = &dimension;
			entry.dimension_count = 1;
		}
		store_begin(store);
		assert_int_equal(
		    store_add(store, &entry, 100 * (int64_t)(i + 1), &id), 0);
		store_commit(store);
		kill_row(store, ROWS[i].ns, id, ROWS[i].code, ROWS[i].died_at);
	}
	store_run(store,
	    "INSERT INTO origin (id, origin_id, replays) VALUES (5, 1, 3)");
}

static struct deadletter_filter
all(void)
{
	return (struct deadletter_filter){ .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };
}

static void
lists_what_the_filter_lets_through(void **state)
{
	struct store *store = *state;
	struct deadletter_filter filters[15];
	static const char *const EXPECTED[15] = { "123456", "1346", "45", "123",
		"346", "3", "12", "456", "12", "56", "5", "4", "3456", "123",
		"34" };
	struct seen seen;
	char ids[16];
	int i, at;

	for (i = 0; i < 15; i++)
		filters[i] = all();
	filters[1].metric_glob = "c?u";
	filters[2].codes = "[1020,null]";
	filters[3].ns_glob = "cvm*";
	filters[4].metric_glob = "cpu";
	filters[4].until = 4000;
	filters[5].dimension_key = "ip";
	filters[5].dimension_value = "10.0.0.1";
	filters[6].since = 5000;
	filters[7].accepted_after = 300;
	filters[8].accepted_before = 300;
	filters[9].ns_glob = "pc";
	filters[9].causes = "[\"code\",\"http\"]";
	filters[10].replays_least = 3;
	filters[11].causes = "[\"late\"]";
	filters[12].first_id = 3;
	filters[13].last_id = 3;
	filters[14].first_id = 3;
	filters[14].last_id = 4;
	fill(store);
	for (i = 0; i < 15; i++) {
		memset(&seen, 0, sizeof(seen));
		assert_int_equal(deadletter_list(store->db, &filters[i],
				     DEADLETTER_BY_ID, -1, see, &seen),
		    strlen(EXPECTED[i]));
		for (at = 0; at < seen.count; at++)
			ids[at] = (char)('0' + seen.ids[at]);
		ids[seen.count] = '\0';
		assert_string_equal(ids, EXPECTED[i]);
	}
}

static void
lists_in_three_orders_up_to_a_limit(void **state)
{
	static const int64_t BY_AGE[] = { 6, 5, 4 }, BY_CODE[] = { 4, 2, 3 };
	struct store *store = *state;
	struct deadletter_filter filter = all();
	struct seen seen = { 0 };

	fill(store);
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_AGE,
			     3, see, &seen),
	    3);
	assert_memory_equal(seen.ids, BY_AGE, sizeof(BY_AGE));
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_CODE,
			     3, see, &seen),
	    3);
	assert_memory_equal(seen.ids, BY_CODE, sizeof(BY_CODE));
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_CODE,
			     0, see, &seen),
	    0);
}

static void
takes_names_as_data_in_filters(void **state)
{
	struct store *store = *state;
	struct deadletter_filter filter = all();
	struct seen seen = { 0 };

	fill(store);
	filter.ns_glob = "'); DROP TABLE metric;--";
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_ID,
			     -1, see, &seen),
	    0);
	filter = all();
	filter.codes = "not json";
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_ID,
			     -1, see, &seen),
	    -1);
	store_audit(store);
}

struct meddler {
	struct store *store;
	int count;
};

/* What is shown may change meanwhile: no statement is open. */
static int
remove_next(void *cookie, const struct deadletter_row *row)
{
	struct meddler *meddler = cookie;

	(void)row;
	meddler->count++;
	store_run(meddler->store,
	    "DELETE FROM dead_letter WHERE id = (SELECT max(id) FROM"
	    " dead_letter)");
	assert_true(sqlite3_get_autocommit(db_handle(meddler->store->db)));
	return 0;
}

static void
skips_rows_that_leave_while_it_lists(void **state)
{
	struct store *store = *state;
	struct deadletter_filter filter = all();
	struct meddler meddler = { .store = store };

	fill(store);
	assert_int_equal(deadletter_list(store->db, &filter, DEADLETTER_BY_ID,
			     -1, remove_next, &meddler),
	    3);
	assert_int_equal(meddler.count, 3);
}

static void
shows_none_that_is_not_dead(void **state)
{
	struct store *store = *state;
	struct seen seen = { 0 };
	int64_t id = store_put(store, "cvm", "cpu", 1);

	assert_int_equal(deadletter_show(store->db, id, see, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void
note_recent(void *cookie, int64_t lane_id, int64_t rows)
{
	char *seen = cookie, text[32];

	snprintf(text, sizeof(text), "%d:%d ", (int)lane_id, (int)rows);
	strcat(seen, text);
}

static const char *
recent(struct store *store, int64_t after, int64_t until, int64_t most)
{
	static char seen[128];

	seen[0] = '\0';
	assert_int_equal(
	    deadletter_recent(store->db, after, until, most, note_recent, seen),
	    0);
	return seen;
}

static void
counts_who_died_lately_lane_by_lane(void **state)
{
	struct store *store = *state;
	int i;

	store_fill(store, "cvm", "cpu", 4);
	store_fill(store, "pc", "mem", 3);
	for (i = 1; i <= 7; i++)
		kill_row(store, i <= 4 ? "cvm" : "pc", i, i == 6 ? -1 : 1016,
		    i * 1000);
	assert_string_equal(recent(store, 1000, 7000, 100), "1:3 2:3 ");
	assert_string_equal(recent(store, 1000, 5999, 100), "1:3 2:1 ");
	assert_string_equal(recent(store, 1000, 7000, 4), "1:1 2:3 ");
	assert_string_equal(recent(store, 7000, 9000, 100), "");
	/* One became ready since, the other waits since. */
	store_run(store, "UPDATE lane SET since_at = 3000 WHERE id = 1");
	store_run(store,
	    "UPDATE lane SET since_at = 9000, state = 'waiting' WHERE id = 2");
	assert_string_equal(recent(store, 1000, 7000, 100), "1:2 2:3 ");
	store_run(store,
	    "UPDATE dead_letter SET cause = 'import' WHERE id IN (3, 4, 7)");
	assert_string_equal(recent(store, 1000, 7000, 100), "2:2 ");
}

/* It cannot stay: the forwarder would come upon it for ever. */
static void
takes_a_row_whose_series_is_lost(void **state)
{
	static const char *const LOST[] = { "series_id = 77", "series_id = -1",
		"series_id = 'x'",
		"series_id = (SELECT id FROM series WHERE metric = 'mem')" };
	struct store *store = *state;
	struct seen seen = { 0 };
	char sql[128];
	int i;

	store_fill(store, "cvm", "cpu", 4);
	store_fill(store, "pc", "mem", 1);
	for (i = 0; i < 4; i++) {
		snprintf(sql, sizeof(sql), "UPDATE metric SET %s WHERE id = %d",
		    LOST[i], i + 1);
		store_run(store, sql);
		kill_row(store, "cvm", i + 1, -1, 9000);
		assert_int_equal(
		    deadletter_show(store->db, i + 1, see, &seen), 1);
		assert_int_equal(seen.row.lane_id, lane(store, "cvm"));
	}
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM series"
			     " WHERE metric = '(lost)' AND wire = ''"),
	    1);
	store_audit(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(moves_the_row_whole),
		STORE_TEST(leaves_alone_a_row_no_longer_queued),
		STORE_TEST(leaves_the_row_when_the_copy_fails),
		STORE_TEST(leaves_both_when_the_ledger_would_go_below_zero),
		STORE_TEST(leaves_the_others_of_a_bracket_when_one_fails),
		STORE_TEST(keeps_the_origin_of_a_replayed_row),
		STORE_TEST(lists_what_the_filter_lets_through),
		STORE_TEST(lists_in_three_orders_up_to_a_limit),
		STORE_TEST(takes_names_as_data_in_filters),
		STORE_TEST(skips_rows_that_leave_while_it_lists),
		STORE_TEST(shows_none_that_is_not_dead),
		STORE_TEST(counts_who_died_lately_lane_by_lane),
		STORE_TEST(takes_a_row_whose_series_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
