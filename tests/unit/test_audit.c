/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/deadletter.h"

#include "store_fixture.h"

static void
finds_nothing_in_a_queue_that_is_right(void **state)
{
	struct store *store = *state;
	const struct death death = {
		.cause = "code", .scope = "row", .attempt_id = -1
	};
	struct audit audit;

	store_fill(store, "cvm", "cpu", 10);
	store_fill(store, "pc", "cpu", 5);
	assert_int_equal(deadletter_move(store->db, 1, 3, &death), 1);
	assert_int_equal(audit_run(store->db, true, &audit), 0);
	assert_int_equal(audit.problem_count, 0);
	assert_int_equal(audit.counted_pending, 14);
	assert_int_equal(audit.counted_dead, 1);
	assert_int_equal(audit.ledger.accepted, 15);
}

static void
names_everything_that_is_wrong(void **state)
{
	static const struct {
		const char *damage, *says;
	} CASES[] = {
		{ "DELETE FROM metric WHERE id = 2",
		    "the ledger says 10 pending rows, there are 9" },
		{ "UPDATE lane SET pending = 7",
		    "lane 1 says 7 pending rows, there are 10" },
		{ "UPDATE ledger SET delivered = 1",
		    "accepted is 10, but pending and all ends are 11" },
		{ "UPDATE ledger SET last_id = 12",
		    "the last id is 12, but accepted, replayed and missing"
		    " ids are 10" },
		{ "UPDATE metric SET id = 99 WHERE id = 4",
		    "1 pending rows have an id that was never given" },
		{ "UPDATE metric SET id = -1 WHERE id = 4",
		    "1 pending rows have an id that was never given" },
		{ "UPDATE metric SET lane_id = 5 WHERE id = 4",
		    "1 pending rows are in a lane that does not exist" },
		{ "UPDATE metric SET series_id = 5 WHERE id = 4",
		    "1 pending rows have no series in their lane" },
		{ "INSERT INTO gap VALUES (50, 51, 0, '')",
		    "the ledger says 0 missing ids, there are 2" },
		{ "INSERT INTO origin (id, origin_id, replays) VALUES (50, 1, "
		  "1)",
		    "1 records of a replay belong to no row" },
		{ "INSERT INTO former VALUES (50, 1, 1)",
		    "1 former ids belong to no row" },
		{ "INSERT INTO edit (row_id, series_id, edited_at, edited_by,"
		  " operation_id) VALUES (50, 1, 0, 'me', 1)",
		    "1 records of an edit belong to no row" },
		{ "INSERT INTO operation_row (group_id, row_id) VALUES (5, 1)",
		    "1 rows are named by a replay that is over" },
		{ "INSERT INTO dead_letter SELECT id, series_id, value, 0,"
		  " NULL, NULL, 0, 0, 'code', NULL, 'row', '', NULL, NULL, 0,"
		  " NULL, '' FROM metric WHERE id = 2",
		    "1 rows are both pending and dead" },
		{ "DELETE FROM lane",
		    "1 series are in a lane that does not exist" },
		{ "INSERT INTO lane (id, namespace, region, account)"
		  " VALUES (9, 'x', '', 'y'); INSERT INTO metric (lane_id, id,"
		  " series_id, value, accepted_at) VALUES (9, 3, 1, '1', 0)",
		    "pending rows have an id that another has, too" },
	};
	struct audit audit;
	struct store *store = *state;
	bool said;
	size_t i;
	int at;

	store_fill(store, "cvm", "cpu", 10);
	store_run(store, "PRAGMA foreign_keys = OFF");
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		assert_int_equal(db_begin(store->db), 0);
		store_run(store, CASES[i].damage);
		assert_int_equal(audit_run(store->db, true, &audit), 0);
		said = false;
		for (at = 0; at < audit.problem_count; at++)
			if (strstr(audit.problems[at], CASES[i].says) != NULL)
				said = true;
		if (!said)
			fail_msg("%s: %s", CASES[i].says,
			    audit.problem_count > 0 ? audit.problems[0] : "-");
		db_rollback(store->db);
		store_audit(store);
	}
}

static void
counts_more_problems_than_it_words(void **state)
{
	struct store *store = *state;
	struct audit audit;

	store_run(store,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    "  WHERE i < 20)"
	    " INSERT INTO lane (namespace, region, account, pending)"
	    " SELECT 'n' || i, '', 'default', 5 FROM n");
	assert_int_equal(audit_run(store->db, false, &audit), 0);
	assert_int_equal(audit.problem_count, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(finds_nothing_in_a_queue_that_is_right),
		STORE_TEST(names_everything_that_is_wrong),
		STORE_TEST(counts_more_problems_than_it_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
