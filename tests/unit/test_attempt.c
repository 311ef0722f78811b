/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/attempt.h"

#include "store_fixture.h"

static int64_t
record(struct store *store, int64_t lane_id, int64_t first, int64_t last,
    const char *ids, int64_t kept)
{
	struct attempt_row row = { .lane_id = lane_id,
		.first_id = first,
		.last_id = last,
		.ids = ids,
		.rows = last - first + 1,
		.bytes = 100,
		.started_at = 1000,
		.took_ms = 12,
		.http_status = 200,
		.code = 1017,
		.message = "Dimension verification failed",
		.outcome = "isolate",
		.counted = true };

	assert_int_equal(attempt_record(store->db, &row, kept), 0);
	return row.id;
}

struct seen {
	int64_t ids[16];
	int count;
	bool whole;
};

static int
see(void *cookie, const struct attempt_row *row)
{
	struct seen *seen = cookie;

	seen->ids[seen->count++] = row->id;
	seen->whole = row->bytes == 100 && row->started_at == 1000 &&
	    row->took_ms == 12 && row->http_status == 200 &&
	    row->code == 1017 && row->counted &&
	    strcmp(row->message, "Dimension verification failed") == 0 &&
	    strcmp(row->outcome, "isolate") == 0;
	return 0;
}

static void
are_found_by_the_rows_they_carried(void **state)
{
	struct store *store = *state;
	struct seen seen = { 0 };
	int64_t all = record(store, 1, 10, 20, NULL, 100), some;

	record(store, 2, 10, 20, NULL, 100);
	record(store, 1, 16, 20, NULL, 100);
	some = record(store, 1, 11, 20, "11-12,15,20", 100);
	record(store, 1, 11, 20, "11-14,20", 100);
	assert_int_equal(attempt_list(store->db, 1, 15, see, &seen), 2);
	assert_int_equal(seen.ids[0], all);
	assert_int_equal(seen.ids[1], some);
	assert_true(seen.whole);
	assert_int_equal(attempt_list(store->db, 1, 9, see, &seen), 0);
	assert_int_equal(attempt_list(store->db, 1, 21, see, &seen), 0);
}

static void
without_an_answer_keep_none(void **state)
{
	struct store *store = *state;
	struct attempt_row row = { .lane_id = 1, .code = -1 };

	assert_int_equal(attempt_record(store->db, &row, 10), 0);
	assert_int_equal(store_ask(store,
			     "SELECT count(*) FROM attempt WHERE code IS NULL"
			     " AND http_status IS NULL AND ids IS NULL"),
	    1);
}

static void
are_a_ring(void **state)
{
	struct store *store = *state;
	int i;

	for (i = 0; i < 30; i++)
		record(store, 1, i, i, NULL, 10);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM attempt"), 10);
	assert_int_equal(store_ask(store, "SELECT max(id) FROM attempt"), 30);
	record(store, 1, 1, 1, NULL, 4);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM attempt"), 4);
}

static void
write_ids_as_ranges(void **state)
{
	static const int64_t IDS[] = { 104, 105, 106, 120, 130, 131 };
	char *text;

	(void)state;
	text = attempt_ids(IDS, 6);
	assert_string_equal(text, "104-106,120,130-131");
	assert_true(attempt_ids_hold(text, 104));
	assert_true(attempt_ids_hold(text, 105));
	assert_true(attempt_ids_hold(text, 120));
	assert_true(attempt_ids_hold(text, 131));
	assert_false(attempt_ids_hold(text, 103));
	assert_false(attempt_ids_hold(text, 107));
	assert_false(attempt_ids_hold(text, 132));
	free(text);
	text = attempt_ids(IDS, 1);
	assert_string_equal(text, "104");
	free(text);
	text = attempt_ids(NULL, 0);
	assert_string_equal(text, "");
	assert_false(attempt_ids_hold(text, 0));
	free(text);
}

static void
read_no_ids_from_other_text(void **state)
{
	static const char *const TEXTS[] = { "x", "1;2", "1-", "-", ",", "1 2",
		"1-2-3", "99999999999999999999999" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
		assert_false(attempt_ids_hold(TEXTS[i], 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(are_found_by_the_rows_they_carried),
		STORE_TEST(without_an_answer_keep_none),
		STORE_TEST(are_a_ring),
		STORE_TEST(write_ids_as_ranges),
		STORE_TEST(read_no_ids_from_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
