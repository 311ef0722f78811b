#include <inttypes.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "cli.h"
#include "help.h"
#include "jsonline.h"
#include "put.h"

static const char *const FORMATS[] = { "auto", "ndjson", "api", NULL };

static struct put_options options = { .observed_at = -1, .max_age_ms = -1 };

#define SLOT(member) .offset = offsetof(struct put_options, member)
static const struct option OPTIONS[] = {
	{ .letter = 'n',
	    .name = "namespace",
	    .argument = "NS",
	    .take = option_text,
	    SLOT(ns),
	    .help = "of the metric; or for rows that carry none" },
	{ .letter = 'r',
	    .name = "region",
	    .argument = "R",
	    .take = option_text,
	    SLOT(region),
	    .help = "of the metric; or for rows that carry none" },
	{ .letter = 'a',
	    .name = "account",
	    .argument = "NAME",
	    .take = option_text,
	    SLOT(account),
	    .help = "that signs; or for rows that carry none" },
	{ .letter = 'm',
	    .name = "metric",
	    .argument = "NAME",
	    .take = option_text,
	    SLOT(metric),
	    .help = "put one metric" },
	{ .letter = 'd',
	    .name = "dimension",
	    .argument = "K=V",
	    .take = option_list,
	    SLOT(dimensions),
	    .repeats = true,
	    .help = "of the one metric (repeatable)" },
	{ .name = "value",
	    .argument = "VALUE",
	    .take = option_text,
	    SLOT(value),
	    .help = "of the one metric" },
	{ .letter = 'D',
	    .name = "default-dimension",
	    .argument = "K=V",
	    .take = option_list,
	    SLOT(defaults),
	    .repeats = true,
	    .help = "added to rows that lack the key (repeatable)" },
	{ .letter = 'f',
	    .name = "format",
	    .argument = "F",
	    .take = option_choice,
	    SLOT(format),
	    .choices = FORMATS,
	    .help = "auto, ndjson or api" },
	{ .name = "atomic",
	    .take = option_flag,
	    SLOT(atomic),
	    .help = "all input or nothing (the default)" },
	{ .name = "check",
	    .take = option_flag,
	    SLOT(check),
	    .help = "check everything, queue nothing" },
	{ .name = "observed",
	    .argument = "T",
	    .take = option_time,
	    SLOT(observed_at),
	    .help = "when it was measured: kept, not sent" },
	{ .name = "max-age",
	    .argument = "D",
	    .take = option_span,
	    SLOT(max_age_ms),
	    .help = "expires if it is not sent within D" },
	{ .name = "strict",
	    .take = option_flag,
	    SLOT(strict),
	    .help = "refuse what the receiver is sure to refuse" },
	{ .name = "lenient",
	    .take = option_flag,
	    SLOT(lenient),
	    .help = "pass it with a note" },
	{ 0 },
};

/* Split "K=V"; the first '=' parts them. */
static int
split(const char *option, const char *pair, struct entry_dimension *dimension,
    struct fault *fault)
{
	const char *equals = strchr(pair, '=');
	char *key;

	if (equals == NULL || equals == pair) {
		fault_set(fault, FAULT_USAGE, "--%s needs K=V", option);
		fault_hint(fault, "--%s ip=10.0.0.1", option);
		fault_field(fault, option);
		return -1;
	}
	if ((key = strdup(pair)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	key[equals - pair] = '\0';
	dimension->key = key;
	dimension->value = key + (equals - pair) + 1;
	return 0;
}

/* Split a list, with room for ${more} besides; the strings live as long as
 * the process. */
static int
split_list(const char *option, const struct option_list *list, size_t more,
    struct entry_dimension **dimensions, struct fault *fault)
{
	size_t i;

	*dimensions = calloc(list->count + more + 1, sizeof(**dimensions));
	if (*dimensions == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	for (i = 0; i < list->count; i++)
		if (split(option, list->items[i], &(*dimensions)[i], fault))
			return -1;
	return 0;
}

static int
split_dimensions(struct put *put, struct fault *fault)
{
	size_t i, j;

	if (split_list("dimension", &options.dimensions, options.defaults.count,
		&put->dimensions, fault) ||
	    split_list("default-dimension", &options.defaults, 0,
		&put->defaults, fault))
		return -1;
	for (i = 0; i < options.defaults.count; i++)
		for (j = 0; j < i; j++) {
			if (strcmp(put->defaults[i].key,
				put->defaults[j].key) != 0)
				continue;
			fault_set(fault, FAULT_DUPLICATE_MEMBER,
			    "-D gives a key twice");
			fault_hint(fault, "give each key once");
			fault_field(fault, "default-dimension");
			return -1;
		}
	return 0;
}

static int
usage(struct fault *fault, const char *what, const char *hint)
{
	fault_set(fault, FAULT_USAGE, "%s", what);
	fault_hint(fault, "%s", hint);
	return -1;
}

/* One metric is asked for by naming it. */
static bool
is_one(void)
{
	return options.metric != NULL || options.value != NULL;
}

/* Whether the words make sense together; takes VALUE from them. */
static int
check_one(const struct cli *cli, struct fault *fault)
{
	const char *example = "monspool put -n cvm -m diskusage -d "
			      "ip=10.0.0.1 30";

	if (cli->word_count > 1 ||
	    (cli->word_count == 1 && options.value != NULL))
		return usage(fault, "one metric takes one value", example);
	if (cli->word_count == 1)
		options.value = cli->words[0];
	if (options.value == NULL)
		return usage(fault, "the value is missing", example);
	if (options.ns == NULL)
		return usage(fault, "the namespace is missing (-n)", example);
	if (options.metric == NULL)
		return usage(
		    fault, "the metric's name is missing (-m)", example);
	if (options_given(cli->given, "format"))
		return usage(fault, "--format is for input of many rows",
		    "leave out -f, or -m");
	return 0;
}

static int
check_many(struct fault *fault)
{
	if (options.dimensions.count > 0)
		return usage(fault, "--dimension is for one metric (-m)",
		    "-D K=V adds a dimension to rows that lack it");
	return 0;
}

static int
check_options(const struct cli *cli, struct fault *fault)
{
	if (options.strict && options.lenient)
		return usage(fault, "--strict and --lenient exclude each other",
		    "give one of them");
	return is_one() ? check_one(cli, fault) : check_many(fault);
}

/* A person who typed the bare command would wait for nothing. */
static bool
would_hang(const struct cli *cli)
{
	return !is_one() && cli->word_count == 0 && isatty(STDIN_FILENO) == 1;
}

/* A result that cannot be told is refused while nothing is queued yet. */
static int
check_stdout(const struct cli *cli, struct fault *fault)
{
	int flags;

	if (!cli->json)
		return 0;
	flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags != -1 && (flags & O_ACCMODE) != O_RDONLY)
		return 0;
	fault_set(fault, FAULT_IO_ERROR, "standard output is closed");
	fault_why(fault, "nothing was queued");
	fault_hint(fault, "give it somewhere to write, or leave out --json");
	return -1;
}

static void
print_json(const struct put *put)
{
	const struct writer_result *result = &put->result;
	struct text text = { 0 };

	jsonline_open(&text, NULL, '{');
	jsonline_int(&text, "queued", result->queued);
	jsonline_int(&text, "duplicates", result->duplicates);
	jsonline_int(&text, "rejected", 0);
	jsonline_optional(&text, "first_id", result->first_id, -1);
	jsonline_optional(&text, "last_id", result->last_id, -1);
	if (options.check)
		jsonline_int(&text, "valid", put->valid);
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
print_note(const struct put *put)
{
	const struct writer_result *result = &put->result;
	char rows[NUMBER_TEXT_SIZE], known[NUMBER_TEXT_SIZE];

	number_print_grouped(rows, options.check ? put->valid : result->queued);
	if (options.check)
		fprintf(stderr, "%s valid, nothing queued\n", rows);
	else if (result->queued == 1)
		fprintf(stderr, "queued 1 (id %" PRId64 ")", result->first_id);
	else if (result->queued > 1)
		fprintf(stderr, "queued %s (ids %" PRId64 " to %" PRId64 ")",
		    rows, result->first_id, result->last_id);
	else
		fprintf(stderr, "queued nothing");
	if (options.check)
		return;
	if (result->duplicates > 0)
		fprintf(stderr, ", %s already known",
		    number_print_grouped(known, result->duplicates));
	fputc('\n', stderr);
}

/* Say what was done.  What is committed is committed: an answer that gets
 * lost leaves the caller without knowing, and that has a name. */
static int
report(const struct put *put)
{
	const struct cli *cli = put->cli;
	struct fault fault = { 0 };

	if (cli->json)
		print_json(put);
	else if (!cli->quiet &&
	    (!is_one() || options.check || isatty(STDERR_FILENO) == 1))
		print_note(put);
	if (output_flush(&fault) == 0)
		return 0;
	if (put->result.queued > 0) {
		fault.kind = FAULT_OUTCOME_UNKNOWN;
		fault_why(&fault,
		    "%" PRId64 " rows are queued all the same "
		    "(ids %" PRId64 " to %" PRId64 ")",
		    put->result.queued, put->result.first_id,
		    put->result.last_id);
	}
	return cli_fail(cli, &fault);
}

static int
put_run(struct cli *cli)
{
	static struct config config;
	static struct put put = { .options = &options,
		.config = &config,
		.result = { .first_id = -1, .last_id = -1 } };
	struct fault fault = { 0 };
	int result;

	put.cli = cli;
	if (would_hang(cli))
		return help_usage(cli, &COMMAND_PUT);
	signal(SIGPIPE, SIG_IGN);
	if (check_options(cli, &fault) || split_dimensions(&put, &fault) ||
	    check_stdout(cli, &fault))
		return cli_fail(cli, &fault);
	put.db = cli_open(
	    cli, options.check ? DB_READER : DB_WRITER, &config, &fault);
	if (put.db == NULL)
		return cli_fail(cli, &fault);
	put.strict = options.strict ||
	    (!options.lenient && config.checks.strict);
	put.now_ms = clock_wall_ms();
	result = is_one() ? put_one(&put, &fault) : put_many(&put, &fault);
	db_close(put.db);
	return result == 0 ? report(&put) : cli_fail(cli, &fault);
}

const struct command COMMAND_PUT = {
	.name = "put",
	.usage = "put -n NAMESPACE -m METRIC [-d K=V]... VALUE\n"
		 "put [-f FORMAT] [OPTIONS] [FILE|-]...",
	.summary = "queue one metric, or many from files",
	.notes = "Exit 0: every row is committed and synced.  Many rows are "
		 "taken all or\nnone.  A negative value goes after \"--\".",
	.options = OPTIONS,
	.target = &options,
	.words_most = COMMAND_ANY_WORDS,
	.run = put_run,
};
