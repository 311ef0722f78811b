/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The module itself with an allocator that fails after so many calls, in
 * place of the library's copy. */
static int left;

static void *
poor_calloc(size_t count, size_t size)
{
	return left-- > 0 ? calloc(count, size) : NULL;
}

static void *
poor_realloc(void *old, size_t size)
{
	return left-- > 0 ? realloc(old, size) : NULL;
}
#define calloc poor_calloc
#define realloc poor_realloc
#include "../../spool/protocol/batch.c"
#undef calloc
#undef realloc

static const struct batch_limits AMPLE = {
	.max_rows = 1000, .max_bytes = 100000, .envelope = 200
};

static enum batch_added
add(struct batch *batch, int64_t id)
{
	struct batch_row row = { .id = id };

	return batch_add(batch, &row, "{\"value\":", 9, "1", 1);
}

static void
makes_no_batch_without_memory(void **state)
{
	(void)state;
	left = 0;
	assert_null(batch_new(&AMPLE));
}

static void
stays_as_it_was_when_memory_runs_out(void **state)
{
	struct batch *batch;
	int64_t id = 0;
	size_t bytes;

	(void)state;
	left = 2; /* the batch, and its first rows */
	batch = batch_new(&AMPLE);
	assert_non_null(batch);
	do
		bytes = batch->bytes;
	while (add(batch, ++id) == BATCH_ADDED);
	assert_true(id > 1);
	assert_int_equal(batch->count, id - 1);
	assert_int_equal(batch->bytes, bytes);
	assert_int_equal(batch->items.len, 11 * batch->count);
	assert_int_equal(add(batch, id), BATCH_NO_MEMORY);
	left = 1;
	assert_int_equal(add(batch, id), BATCH_ADDED);
	assert_int_equal(batch->rows[batch->count - 1].id, id);
	batch_free(batch);
}

static void
picks_nothing_rather_than_a_part(void **state)
{
	static const size_t BOTH[] = { 0, 1 };
	struct batch *batch, *picked;

	(void)state;
	left = 2;
	batch = batch_new(&AMPLE);
	assert_int_equal(add(batch, 1), BATCH_ADDED);
	assert_int_equal(add(batch, 2), BATCH_ADDED);
	left = 0;
	assert_null(batch_pick(batch, BOTH, 2));
	left = 1;
	assert_null(batch_pick(batch, BOTH, 2));
	left = 2;
	picked = batch_pick(batch, BOTH, 2);
	assert_non_null(picked);
	assert_int_equal(picked->count, 2);
	batch_free(picked);
	batch_free(batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_no_batch_without_memory),
		cmocka_unit_test(stays_as_it_was_when_memory_runs_out),
		cmocka_unit_test(picks_nothing_rather_than_a_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
