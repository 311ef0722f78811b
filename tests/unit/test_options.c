/* links: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../cli/options.c"

#define WORDS_MOST 12

static const char *const WHEN[] = { "auto", "always", "never", NULL };

static struct values {
	const char *queue, *ns;
	struct option_list dimensions;
	int64_t span, size, number;
	int verbose, when;
	bool json, drain;
} values;

/* Of an option whose argument may be left out. */
static int
take_drain(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	(void)fault;
	*(bool *)slot = true;
	values.queue = value;
	return 0;
}

#define SLOT(member) .offset = offsetof(struct values, member)
static const struct option GLOBALS[] = {
	{ .letter = 'Q',
	    .name = "queue",
	    .argument = "PATH",
	    .help = "the queue file",
	    .take = option_text,
	    SLOT(queue) },
	{ .letter = 'j',
	    .name = "json",
	    .help = "machine output",
	    .take = option_flag,
	    SLOT(json) },
	{ .letter = 'v',
	    .name = "verbose",
	    .help = "say more",
	    .take = option_count,
	    SLOT(verbose) },
	{ 0 },
};
static const struct option OWN[] = {
	{ .letter = 'n',
	    .name = "namespace",
	    .argument = "NS",
	    .help = "its",
	    .take = option_text,
	    SLOT(ns) },
	{ .letter = 'd',
	    .name = "dimension",
	    .argument = "K=V",
	    .help = "repeats",
	    .take = option_list,
	    .repeats = true,
	    SLOT(dimensions) },
	{ .name = "older-than",
	    .argument = "D",
	    .help = "span",
	    .take = option_span,
	    SLOT(span) },
	{ .name = "max-size",
	    .argument = "N",
	    .help = "size",
	    .take = option_bytes,
	    SLOT(size) },
	{ .name = "limit",
	    .argument = "N",
	    .help = "number",
	    .take = option_whole,
	    SLOT(number) },
	{ .name = "color",
	    .argument = "WHEN",
	    .help = "choice",
	    .take = option_choice,
	    .choices = WHEN,
	    SLOT(when) },
	{ .name = "drain",
	    .argument = "D",
	    .help = "optional",
	    .optional = true,
	    .take = take_drain,
	    SLOT(drain) },
	{ 0 },
};

static struct option_set globals = { .options = GLOBALS, .target = &values };
static struct option_set own = { .options = OWN, .target = &values };
static struct fault fault;

/* Parse words separated by single spaces, kept until the next call. */
static struct option_scan
parse(const char *line, bool stop_at_word, int *result)
{
	static char copy[256];
	static char *argv[WORDS_MOST];
	static struct option_set *sets[] = { &globals, &own };
	struct option_scan scan = { .sets = sets,
		.set_count = 2,
		.stop_at_word = stop_at_word,
		.argv = argv };
	char *word;

	free(values.dimensions.items);
	memset(&values, 0, sizeof(values));
	memset(&fault, 0, sizeof(fault));
	globals.seen = own.seen = 0;
	strcpy(copy, line);
	for (word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
		argv[scan.argc++] = word;
	*result = options_parse(&scan, &fault);
	return scan;
}

static void
reads_every_way_of_writing_an_option(void **state)
{
	static const char *const LINES[] = {
		"--namespace cvm",
		"--namespace=cvm",
		"-n cvm",
		"-ncvm",
		"-jncvm",
		"-jvn cvm",
	};
	size_t i;
	int result;

	(void)state;
	for (i = 0; i < sizeof(LINES) / sizeof(*LINES); i++) {
		parse(LINES[i], false, &result);
		assert_int_equal(result, 0);
		assert_string_equal(values.ns, "cvm");
	}
	assert_true(values.json);
	assert_int_equal(values.verbose, 1);
}

static void
keeps_words_in_order_and_takes_anything_after_two_dashes(void **state)
{
	struct option_scan scan;
	int result;

	(void)state;
	scan = parse("one -j - two -- -5 --json", false, &result);
	assert_int_equal(result, 0);
	assert_int_equal(scan.word_count, 5);
	assert_string_equal(scan.argv[0], "one");
	assert_string_equal(scan.argv[1], "-");
	assert_string_equal(scan.argv[2], "two");
	assert_string_equal(scan.argv[3], "-5");
	assert_string_equal(scan.argv[4], "--json");
}

static void
stops_at_the_first_word_when_told(void **state)
{
	struct option_scan scan;
	int result;

	(void)state;
	scan = parse("-Q q.db put --unheard-of", true, &result);
	assert_int_equal(result, 0);
	assert_int_equal(scan.next, 2);
	assert_string_equal(scan.argv[scan.next], "put");
}

static void
reads_values_by_their_kind(void **state)
{
	int result;

	(void)state;
	parse("--older-than=1h30m --max-size 64K --limit=0 --color never "
	      "-d a=1 -d b=2 --drain -vv",
	    false, &result);
	assert_int_equal(result, 0);
	assert_int_equal(values.span, 5400000);
	assert_int_equal(values.size, 65536);
	assert_int_equal(values.number, 0);
	assert_int_equal(values.when, 2);
	assert_int_equal(values.dimensions.count, 2);
	assert_string_equal(values.dimensions.items[1], "b=2");
	assert_int_equal(values.verbose, 2);
	assert_true(values.drain);
	assert_null(values.queue);
	assert_true(options_given(&own, "color"));
	assert_false(options_given(&own, "namespace"));
	parse("--drain=50s", false, &result);
	assert_string_equal(values.queue, "50s");
}

static void
refuses_what_it_does_not_know_and_names_the_nearest(void **state)
{
	static const struct {
		const char *line, *message, *hint;
	} CASES[] = {
		{ "--name cvm", "unknown option --name", "" },
		{ "--namespac=cvm", "unknown option --namespac",
		    "did you mean --namespace?" },
		{ "--jsno", "unknown option --jsno", "did you mean --json?" },
		{ "-x", "unknown option -x", "" },
		{ "-5", "unknown option -5", "\"--\"" },
		{ "--json=yes", "--json takes no value", "--json" },
		{ "--queue", "--queue needs PATH", "--queue=PATH" },
		{ "-jQ", "--queue needs PATH", "" },
		{ "-Qa -Qb", "--queue is given twice", "" },
		{ "--limit -3", "--limit: \"-3\" is no whole number", "" },
		{ "--older-than soon", "--older-than: \"soon\" is no duration",
		    "30s" },
		{ "--max-size 1.5X", "--max-size: \"1.5X\" is no size", "64K" },
		{ "--color red", "--color: \"red\" is no choice",
		    "auto, always, never" },
	};
	size_t i;
	int result;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		parse(CASES[i].line, false, &result);
		assert_int_equal(result, -1);
		assert_int_equal(fault.kind, FAULT_USAGE);
		assert_string_equal(fault.message, CASES[i].message);
		assert_string_not_equal(fault.hint, "");
		assert_non_null(strstr(fault.hint, CASES[i].hint));
	}
}

static void
helps_with_one_line_an_option(void **state)
{
	struct text text = { 0 };
	const struct option *option;
	size_t lines = 0, options = 0, i;

	(void)state;
	options_help(OWN, &text);
	for (i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	for (option = OWN; option->name != NULL; option++, options++) {
		assert_non_null(strstr(text.data, option->name));
		assert_non_null(strstr(text.data, option->help));
	}
	assert_int_equal(lines, options);
	assert_non_null(strstr(text.data, "-n, --namespace NS"));
	assert_non_null(strstr(text.data, "--drain[=D]"));
	text_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_way_of_writing_an_option),
		cmocka_unit_test(
		    keeps_words_in_order_and_takes_anything_after_two_dashes),
		cmocka_unit_test(stops_at_the_first_word_when_told),
		cmocka_unit_test(reads_values_by_their_kind),
		cmocka_unit_test(
		    refuses_what_it_does_not_know_and_names_the_nearest),
		cmocka_unit_test(helps_with_one_line_an_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
