/* links: forward */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "forward/isolate.h"
#include "protocol/batch.h"

#define MOST 200

/* ${count} rows; row i has id i + 1 and is of series i % ${series}. */
static struct batch *
make_batch(size_t count, size_t series)
{
	struct batch_limits limits = { .max_rows = MOST, .max_bytes = 100000 };
	struct batch *batch = batch_new(&limits);
	struct batch_row row = { 0 };
	size_t i;

	assert_non_null(batch);
	for (i = 0; i < count; i++) {
		row.id = (int64_t)i + 1;
		row.series_id = (int64_t)(i % series) + 1;
		assert_int_equal(
		    batch_add(batch, &row, "{\"v\":", 5, "1", 1), BATCH_ADDED);
	}
	return batch;
}

/* A receiver that refuses guilty units, and what came of each row. */
struct trial {
	enum isolate_by by;
	bool guilty[MOST + 1]; /* by id, or by series */
	int taken[MOST + 1], refused[MOST + 1];
	int requests;
};

static bool
is_refused(const struct trial *trial, const struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		if (trial->guilty[trial->by == ISOLATE_SERIES
			    ? batch->rows[i].series_id
			    : batch->rows[i].id])
			return true;
	return false;
}

static void
note(int *counts, const struct batch *batch)
{
	size_t i;

	for (i = 0; i < batch->count; i++)
		counts[batch->rows[i].id]++;
}

/* Isolate in ${batch}, which was refused (one request), and is taken. */
static void
run(struct trial *trial, struct batch *batch)
{
	struct isolation *isolation = isolation_new(batch, trial->by);
	bool failed;

	assert_non_null(isolation);
	trial->requests = 1;
	assert_true(isolation_split(isolation));
	while ((batch = isolation_take(isolation, &failed)) != NULL) {
		trial->requests++;
		if (!is_refused(trial, batch))
			note(trial->taken, batch);
		else if (!isolation_split(isolation))
			note(trial->refused, batch);
		batch_free(batch);
	}
	assert_false(failed);
	assert_true(isolation_empty(isolation));
	isolation_free(isolation);
}

static void
check_fates(const struct trial *trial, size_t count, size_t series)
{
	size_t i;
	bool guilty;

	for (i = 0; i < count; i++) {
		guilty = trial->guilty[trial->by == ISOLATE_SERIES
			? i % series + 1
			: i + 1];
		assert_int_equal(trial->taken[i + 1], !guilty);
		assert_int_equal(trial->refused[i + 1], guilty);
	}
}

static void
finds_one_guilty_row_at_any_place(void **state)
{
	size_t count, at;

	(void)state;
	for (count = 2; count <= 40; count++)
		for (at = 1; at <= count; at++) {
			struct trial trial = { .by = ISOLATE_ROWS };

			trial.guilty[at] = true;
			run(&trial, make_batch(count, 7));
			check_fates(&trial, count, 7);
			assert_true(
			    trial.requests <= 2 * (log2((double)count) + 2));
		}
}

/* contract.md C5: 2 k (log2(n/k) + 2), and never over 2 n - 1. */
static void
stays_within_the_bound_for_any_number_of_guilty(void **state)
{
	size_t count, k, i;

	(void)state;
	srand(17);
	for (count = 2; count <= MOST; count += 9)
		for (k = 1; k <= count; k++) {
			struct trial trial = { .by = ISOLATE_ROWS };
			double n = (double)count;

			for (i = 0; i < k;) {
				size_t at = (size_t)rand() % count + 1;

				i += !trial.guilty[at];
				trial.guilty[at] = true;
			}
			run(&trial, make_batch(count, 3));
			check_fates(&trial, count, 3);
			assert_true(trial.requests <= 2 * (int)count - 1);
			assert_true(trial.requests <=
			    2 * (double)k * (log2(n / (double)k) + 2));
		}
}

static void
rows_of_a_series_stay_together(void **state)
{
	struct trial trial = { .by = ISOLATE_SERIES };

	(void)state;
	trial.guilty[3] = trial.guilty[11] = true;
	run(&trial, make_batch(100, 12));
	check_fates(&trial, 100, 12);
	assert_true(trial.requests <= 2 * 2 * (log2(12.0 / 2) + 2));
}

static void
earlier_rows_go_first_and_ids_ascend(void **state)
{
	struct isolation *isolation;
	struct batch *part;
	int64_t last = 0;
	bool failed;
	size_t i;

	(void)state;
	isolation = isolation_new(make_batch(9, 3), ISOLATE_ROWS);
	assert_true(isolation_split(isolation));
	while ((part = isolation_take(isolation, &failed)) != NULL) {
		for (i = 0; i < part->count; i++) {
			assert_true(part->rows[i].id > last);
			last = part->rows[i].id;
		}
		batch_free(part);
	}
	assert_int_equal(last, 9);
	isolation_free(isolation);
}

static void
a_part_that_was_not_judged_comes_again(void **state)
{
	struct isolation *isolation;
	struct batch *first, *again;
	bool failed;

	(void)state;
	isolation = isolation_new(make_batch(4, 4), ISOLATE_ROWS);
	assert_true(isolation_split(isolation));
	first = isolation_take(isolation, &failed);
	assert_int_equal(isolation_units(isolation), 2);
	isolation_return(isolation);
	again = isolation_take(isolation, &failed);
	assert_int_equal(again->count, first->count);
	assert_int_equal(again->rows[0].id, first->rows[0].id);
	batch_free(first);
	batch_free(again);
	isolation_free(isolation);
}

static void
a_single_unit_is_not_split(void **state)
{
	struct isolation *isolation;

	(void)state;
	isolation = isolation_new(make_batch(5, 1), ISOLATE_SERIES);
	assert_int_equal(isolation_units(isolation), 1);
	assert_false(isolation_split(isolation));
	assert_true(isolation_empty(isolation));
	isolation_free(isolation);
	isolation_free(NULL);
}

static void
counts_units(void **state)
{
	struct batch *batch = make_batch(10, 4);

	(void)state;
	assert_int_equal(isolate_count(batch, ISOLATE_ROWS), 10);
	assert_int_equal(isolate_count(batch, ISOLATE_SERIES), 4);
	batch_free(batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_one_guilty_row_at_any_place),
		cmocka_unit_test(
		    stays_within_the_bound_for_any_number_of_guilty),
		cmocka_unit_test(rows_of_a_series_stay_together),
		cmocka_unit_test(earlier_rows_go_first_and_ids_ascend),
		cmocka_unit_test(a_part_that_was_not_judged_comes_again),
		cmocka_unit_test(a_single_unit_is_not_split),
		cmocka_unit_test(counts_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
