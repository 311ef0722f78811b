#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
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
#include "stop.h"

/* A person who typed the bare command would wait for nothing. */
static bool
would_hang(const struct cli *cli)
{
	return !put_is_one(&PUT_OPTIONS_TARGET) && cli->word_count == 0 &&
	    isatty(STDIN_FILENO) == 1;
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
	jsonline_int(&text, "rejected", put->rejected);
	jsonline_optional(&text, "first_id", result->first_id, -1);
	jsonline_optional(&text, "last_id", result->last_id, -1);
	if (put->options->check)
		jsonline_int(&text, "valid", put->valid);
	if (put->options->per_line) {
		jsonline_text(&text, "through_file", put->through_file);
		jsonline_optional(&text, "through_line", put->through_line, 0);
	}
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
add_count(struct text *text, int64_t count, const char *what)
{
	char number[NUMBER_TEXT_SIZE];

	if (count > 0)
		text_addf(
		    text, ", %s %s", number_print_grouped(number, count), what);
}

/* What became of the good rows. */
static void
add_queued(struct text *text, const struct put *put)
{
	const struct writer_result *result = &put->result;
	char rows[NUMBER_TEXT_SIZE];

	number_print_grouped(
	    rows, put->options->check ? put->valid : result->queued);
	if (put->options->check)
		text_addf(text, "%s valid, nothing queued", rows);
	else if (result->queued == 1)
		text_addf(text, "queued 1 (id %" PRId64 ")", result->first_id);
	else if (result->queued > 1)
		text_addf(text, "queued %s (ids %" PRId64 " to %" PRId64 ")",
		    rows, result->first_id, result->last_id);
	else
		text_adds(text, "queued nothing");
}

static void
print_note(const struct put *put)
{
	struct text text = { 0 };

	add_queued(&text, put);
	add_count(&text, put->result.duplicates, "already known");
	add_count(&text, put->rejected, "rejected");
	if (put->through_file != NULL) {
		text_adds(&text, "; done up to ");
		text_add_escaped(
		    &text, put->through_file, strlen(put->through_file));
		if (put->through_line > 0)
			text_addf(&text, ":%ld", put->through_line);
	}
	fprintf(stderr, "%s\n", text_string(&text));
	text_free(&text);
}

/* What is committed is committed: an answer that gets lost leaves the caller
 * without knowing, and that has a name. */
static int
answer_lost(const struct put *put, struct fault *fault)
{
	if (put->result.queued > 0) {
		fault->kind = FAULT_OUTCOME_UNKNOWN;
		fault_why(fault,
		    "queued all the same: %" PRId64 " (ids %" PRId64
		    " to %" PRId64 ")",
		    put->result.queued, put->result.first_id,
		    put->result.last_id);
	}
	return cli_fail(put->cli, fault);
}

/* Say what was done, and what was not; ${result} is put_one()'s or
 * put_many()'s, with ${fault}.  The exit code. */
static int
report(const struct put *put, int result, const struct fault *fault)
{
	const struct cli *cli = put->cli;
	bool one = put_is_one(put->options), check = put->options->check;
	struct fault lost = { 0 };

	if (result != 0 && !put->options->per_line)
		return cli_fail(cli, fault);
	if (cli->json)
		print_json(put);
	else if (!cli->quiet && (!one || check || isatty(STDERR_FILENO) == 1))
		print_note(put);
	if (output_flush(&lost))
		return answer_lost(put, &lost);
	return result == 0 ? 0 : cli_fail(cli, fault);
}

static int
put_run(struct cli *cli)
{
	static struct config config;
	static struct put put = { .options = &PUT_OPTIONS_TARGET,
		.config = &config,
		.result = { .first_id = -1, .last_id = -1 } };
	struct put_options *options = &PUT_OPTIONS_TARGET;
	struct fault fault = { 0 };
	int result;

	put.cli = cli;
	if (would_hang(cli))
		return help_usage(cli, &COMMAND_PUT);
	signal(SIGPIPE, SIG_IGN);
	if (put_check_options(cli, options, &fault) ||
	    put_split_dimensions(&put, &fault) || check_stdout(cli, &fault))
		return cli_fail(cli, &fault);
	put.db = cli_open(
	    cli, options->check ? DB_READER : DB_WRITER, &config, &fault);
	if (put.db == NULL)
		return cli_fail(cli, &fault);
	put.strict = options->strict ||
	    (!options->lenient && config.checks.strict);
	put.now_ms = clock_wall_ms();
	result = put_is_one(options) ? put_one(&put, &fault)
				     : put_many(&put, &fault);
	db_close(put.db);
	result = report(&put, result, &fault);
	if (fault.kind == FAULT_INTERRUPTED)
		stop_end();
	return result;
}

const struct command COMMAND_PUT = {
	.name = "put",
	.usage = "put -n NAMESPACE -m METRIC [-d K=V]... VALUE\n"
		 "put [-f FORMAT] [OPTIONS] [FILE|-]...",
	.summary = "queue one metric, or many from files",
	.notes = "Exit 0: every row is committed and synced.  Many rows are "
		 "taken all or\nnone, or with --per-line as many as are good "
		 "(exit 65 if some are not).\nA negative value goes after "
		 "\"--\".\nA signal (^C) ends an import in good order: "
		 "nothing is queued, or with\n--per-line what it then says "
		 "(exit 75; ^C ends it by that signal).\n\n"
		 "ndjson: namespace, metric, dimensions (an object), value, "
		 "region, account,\n  key, observed_at, max_age\n"
		 "csv: a header of namespace, metric, value, region, account, "
		 "key, observed_at;\n  other columns are dimensions",
	.options = PUT_OPTIONS,
	.target = &PUT_OPTIONS_TARGET,
	.words_most = COMMAND_ANY_WORDS,
	.run = put_run,
};
