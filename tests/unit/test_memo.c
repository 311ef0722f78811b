/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "queue/memo.h"

static void
knows_a_text_by_all_of_its_bytes(void **state)
{
	struct memo *memo = memo_new();
	bool known;
	int slot, other;

	(void)state;
	slot = memo_slot(memo, "a\0b", 3, &known);
	assert_false(known);
	assert_int_equal(memo_slot(memo, "a\0b", 3, &known), slot);
	assert_true(known);
	other = memo_slot(memo, "a\0c", 3, &known);
	assert_false(known);
	assert_int_not_equal(other, slot);
	memo_slot(memo, "a", 1, &known);
	assert_false(known);
	memo_free(memo);
}

static void
forgets_what_it_is_told_to(void **state)
{
	struct memo *memo = memo_new();
	bool known;

	(void)state;
	memo_forget(memo, memo_slot(memo, "a", 1, &known));
	memo_slot(memo, "a", 1, &known);
	assert_false(known);
	memo_slot(memo, "b", 1, &known);
	memo_clear(memo);
	memo_slot(memo, "a", 1, &known);
	assert_false(known);
	memo_slot(memo, "b", 1, &known);
	assert_false(known);
	memo_free(memo);
	memo_free(NULL);
}

/* A slot belongs to the text that took it last, however full the table is. */
static void
gives_a_slot_to_one_text_at_a_time(void **state)
{
	static int owner[MEMO_SLOTS];
	struct memo *memo = memo_new();
	unsigned seed = 7;
	int i, n, slot, hits = 0;
	char text[16];
	bool known;

	(void)state;
	for (i = 0; i < 200000; i++) {
		seed = seed * 1664525u + 1013904223u;
		n = (int)(seed >> 8) % (2 * MEMO_SLOTS);
		snprintf(text, sizeof(text), "%d", n);
		slot = memo_slot(memo, text, strlen(text), &known);
		assert_in_range(slot, 0, MEMO_SLOTS - 1);
		if (known)
			assert_int_equal(owner[slot], n);
		owner[slot] = n;
		hits += known;
	}
	assert_true(hits > 50000);
	memo_free(memo);
}

/* Large texts drop the table instead of growing without bound. */
static void
holds_a_bounded_number_of_bytes(void **state)
{
	struct memo *memo = memo_new();
	char *large = calloc(1, 64 << 10);
	bool known;
	int i;

	(void)state;
	assert_non_null(large);
	for (i = 0; i < 100; i++) {
		large[0] = (char)i;
		memo_slot(memo, large, 64 << 10, &known);
		assert_false(known);
	}
	large[0] = 0; /* the first: long gone */
	memo_slot(memo, large, 64 << 10, &known);
	assert_false(known);
	large[0] = 99;
	memo_slot(memo, large, 64 << 10, &known);
	assert_true(known);
	free(large);
	memo_free(memo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_a_text_by_all_of_its_bytes),
		cmocka_unit_test(forgets_what_it_is_told_to),
		cmocka_unit_test(gives_a_slot_to_one_text_at_a_time),
		cmocka_unit_test(holds_a_bounded_number_of_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
