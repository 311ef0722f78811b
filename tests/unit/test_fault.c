/* links: base */
#include "base/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The exit codes of interface.md section 1, by name. */
static const struct {
	enum fault_kind kind;
	const char *name;
	int exit;
} KINDS[] = { { FAULT_NONE, "", 0 }, { FAULT_USAGE, "usage", 64 },
	{ FAULT_NEEDS_CONFIRMATION, "needs_confirmation", 64 },
	{ FAULT_NOTHING_SELECTED, "nothing_selected", 64 },
	{ FAULT_BAD_JSON, "bad_json", 65 }, { FAULT_BAD_UTF8, "bad_utf8", 65 },
	{ FAULT_BAD_NAME, "bad_name", 65 },
	{ FAULT_BAD_VALUE, "bad_value", 65 }, { FAULT_BAD_ROW, "bad_row", 65 },
	{ FAULT_MISSING_MEMBER, "missing_member", 65 },
	{ FAULT_UNKNOWN_MEMBER, "unknown_member", 65 },
	{ FAULT_DUPLICATE_MEMBER, "duplicate_member", 65 },
	{ FAULT_TOO_LONG, "too_long", 65 },
	{ FAULT_TOO_MANY_DIMENSIONS, "too_many_dimensions", 65 },
	{ FAULT_TOO_LARGE, "too_large", 65 },
	{ FAULT_NOT_FOUND, "not_found", 66 },
	{ FAULT_QUEUE_MISSING, "queue_missing", 66 },
	{ FAULT_UNREACHABLE, "unreachable", 69 },
	{ FAULT_INTERNAL, "internal", 70 },
	{ FAULT_CANNOT_CREATE, "cannot_create", 73 },
	{ FAULT_IO_ERROR, "io_error", 74 },
	{ FAULT_DISK_FULL, "disk_full", 74 }, { FAULT_CORRUPT, "corrupt", 74 },
	{ FAULT_QUEUE_FOREIGN, "queue_foreign", 74 },
	{ FAULT_QUEUE_NEWER, "queue_newer", 74 },
	{ FAULT_LEDGER_BROKEN, "ledger_broken", 74 },
	{ FAULT_OUTCOME_UNKNOWN, "outcome_unknown", 74 },
	{ FAULT_QUEUE_BUSY, "queue_busy", 75 },
	{ FAULT_QUEUE_FULL, "queue_full", 75 },
	{ FAULT_FORWARDER_RUNNING, "forwarder_running", 75 },
	{ FAULT_ROWS_LEFT, "rows_left", 75 },
	{ FAULT_INTERRUPTED, "interrupted", 75 },
	{ FAULT_NO_PERMISSION, "no_permission", 77 },
	{ FAULT_UNSAFE_KEY_FILE, "unsafe_key_file", 77 },
	{ FAULT_BAD_CONFIG, "bad_config", 78 } };

static void
names_every_kind_as_the_interface_does(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(COUNT(KINDS), FAULT_KINDS);
	for (i = 0; i < COUNT(KINDS); i++) {
		assert_string_equal(fault_name(KINDS[i].kind), KINDS[i].name);
		assert_int_equal(fault_exit(KINDS[i].kind), KINDS[i].exit);
	}
}

static void
forgets_what_it_held(void **state)
{
	struct fault fault;

	(void)state;
	memset(&fault, 'x', sizeof(fault));
	assert_int_equal(
	    fault_set(&fault, FAULT_BAD_VALUE, "row %d is %s", 7, "bad"), -1);
	assert_int_equal(fault.kind, FAULT_BAD_VALUE);
	assert_string_equal(fault.message, "row 7 is bad");
	assert_string_equal(fault.why, "");
	assert_string_equal(fault.hint, "");
	assert_string_equal(fault.field, "");
	assert_string_equal(fault.file, "");
	assert_int_equal(fault.line + fault.column, 0);
	assert_int_equal(fault.sqlite_code + fault.sys_errno, 0);
}

static void
keeps_the_rest_when_it_is_told_more(void **state)
{
	struct fault fault;

	(void)state;
	fault_set(&fault, FAULT_BAD_NAME, "what");
	fault_why(&fault, "because of %d", 1);
	fault_hint(&fault, "try %d", 2);
	fault_field(&fault, "Metric");
	assert_string_equal(fault.message, "what");
	assert_string_equal(fault.why, "because of 1");
	assert_string_equal(fault.hint, "try 2");
	assert_string_equal(fault.field, "Metric");
}

static void
takes_nobody_to_tell(void **state)
{
	(void)state;
	assert_int_equal(fault_set(NULL, FAULT_USAGE, "x"), -1);
	assert_int_equal(fault_errno(NULL, ENOENT, "x"), -1);
	fault_hint(NULL, "x");
	fault_why(NULL, "x");
	fault_field(NULL, "x");
}

static void
sorts_the_errors_of_the_system(void **state)
{
	static const struct {
		int error;
		enum fault_kind kind;
	} CASES[] = { { EACCES, FAULT_NO_PERMISSION },
		{ EPERM, FAULT_NO_PERMISSION }, { ENOSPC, FAULT_DISK_FULL },
		{ EDQUOT, FAULT_DISK_FULL }, { ENOENT, FAULT_NOT_FOUND },
		{ EIO, FAULT_IO_ERROR }, { EROFS, FAULT_IO_ERROR } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(
		    fault_errno(&fault, CASES[i].error, "cannot open %s", "it"),
		    -1);
		assert_int_equal(fault.kind, CASES[i].kind);
		assert_int_equal(fault.sys_errno, CASES[i].error);
		assert_string_equal(fault.message, "cannot open it");
		assert_string_equal(fault.why, strerror(CASES[i].error));
	}
}

/* Messages end up in JSON: what is cut stays UTF-8. */
static void
cuts_between_characters(void **state)
{
	char words[600];
	struct fault fault;
	size_t start, at;

	(void)state;
	for (start = 0; start < 4; start++) {
		memset(words, 'x', start);
		for (at = start; at + 4 < sizeof(words); at += 4)
			memcpy(words + at, "\xf0\x9f\x98\x80", 4);
		words[at] = '\0';
		fault_set(&fault, FAULT_BAD_VALUE, "%s", words);
		fault_hint(&fault, "%s", words);
		assert_int_equal(
		    text_utf8_bad(fault.message, strlen(fault.message)), -1);
		assert_true(strlen(fault.message) + 4 >= sizeof(fault.message));
		assert_int_equal(
		    text_utf8_bad(fault.hint, strlen(fault.hint)), -1);
		fault_field(&fault, words);
		assert_int_equal(
		    text_utf8_bad(fault.field, strlen(fault.field)), -1);
	}
}

static void
says_which_limit_to_raise(void **state)
{
	static const struct {
		int error;
		const char *hint;
	} CASES[] = { { EMFILE, "ulimit -n" }, { ENFILE, "fs.file-max" },
		{ EFBIG, "ulimit -f" }, { ENOMEM, "ulimit -v" } };
	struct fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		fault_errno(&fault, CASES[i].error, "cannot");
		assert_non_null(strstr(fault.hint, CASES[i].hint));
	}
	fault_errno(&fault, EIO, "cannot");
	assert_string_equal(fault.hint, "");
	fault_errno(NULL, EMFILE, "cannot");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_which_limit_to_raise),
		cmocka_unit_test(names_every_kind_as_the_interface_does),
		cmocka_unit_test(forgets_what_it_held),
		cmocka_unit_test(keeps_the_rest_when_it_is_told_more),
		cmocka_unit_test(takes_nobody_to_tell),
		cmocka_unit_test(sorts_the_errors_of_the_system),
		cmocka_unit_test(cuts_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
