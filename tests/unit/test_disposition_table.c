/* links: protocol */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The module itself with an allocator that can fail, in place of the
 * library's copy. */
static void *
poor_calloc(size_t count, size_t size)
{
	(void)count;
	(void)size;
	return NULL;
}
#define calloc poor_calloc
#include "../../spool/protocol/disposition_table.c"
#undef calloc

static void
says_when_memory_is_short(void **state)
{
	struct fault fault = { 0 };

	(void)state;
	assert_null(dispositions_new(NULL, 0, &fault));
	assert_int_equal(fault.kind, FAULT_INTERNAL);
	assert_string_not_equal(fault.message, "");
	assert_null(dispositions_new(NULL, 0, NULL));
}

static void
has_codes_in_ascending_order(void **state)
{
	size_t i;

	(void)state;
	for (i = 1; i < DISPOSITION_CODE_COUNT; i++)
		assert_true(
		    DISPOSITION_CODES[i - 1].code < DISPOSITION_CODES[i].code);
}

static void
names_each_row_once(void **state)
{
	const size_t codes = DISPOSITION_CODE_COUNT;
	const size_t count = codes + DISPOSITION_FAILURE_COUNT;
	const char *a, *b;
	size_t i, j;

	(void)state;
	for (i = 0; i < count; i++) {
		for (j = 0; j < i; j++) {
			a = i < codes ? DISPOSITION_CODES[i].name
				      : DISPOSITION_FAILURES[i - codes].name;
			b = j < codes ? DISPOSITION_CODES[j].name
				      : DISPOSITION_FAILURES[j - codes].name;
			assert_string_not_equal(a, b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_when_memory_is_short),
		cmocka_unit_test(has_codes_in_ascending_order),
		cmocka_unit_test(names_each_row_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
