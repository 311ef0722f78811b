#include <inttypes.h>

#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "cli.h"
#include "dead_import.h"
#include "help.h"
#include "jsonline.h"

static struct dead_import_options {
	bool replay;
} options;

static const struct option OPTIONS[] = {
	{ .name = "replay",
	    .take = option_flag,
	    .offset = offsetof(struct dead_import_options, replay),
	    .help = "into the queue, to be sent, not to the dead" },
	{ 0 },
};

static void
print_json(const struct dead_import *import)
{
	struct text text = { 0 };

	jsonline_open(&text, NULL, '{');
	jsonline_optional(&text, "operation", import->operation.id, 0);
	jsonline_int(
	    &text, "imported", import->operation.done - import->resumed);
	jsonline_int(&text, "resumed", import->resumed);
	jsonline_optional(&text, "first_id", import->first_id, -1);
	jsonline_optional(&text, "last_id", import->last_id, -1);
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
print_text(const struct dead_import *import)
{
	struct text text = { 0 };
	char rows[NUMBER_TEXT_SIZE], before[NUMBER_TEXT_SIZE];

	text_addf(&text, "imported %s rows %s",
	    number_print_grouped(
		rows, import->operation.done - import->resumed),
	    import->replay ? "into the queue" : "as dead letters");
	if (import->first_id != -1)
		text_addf(&text, " (ids %" PRId64 " to %" PRId64 ")",
		    import->first_id, import->last_id);
	if (import->resumed > 0)
		text_addf(&text, "; %s were imported before it was cut short",
		    number_print_grouped(before, import->resumed));
	text_addc(&text, '\n');
	output_data(text_string(&text), text.len);
	text_free(&text);
}

/* The same lines again are other rows: whoever did not mean that is told. */
static void
tell_repeated(const struct dead_import *import)
{
	struct fault note = { 0 };

	if (import->repeats == 0)
		return;
	fault_set(&note, FAULT_NONE,
	    "the same rows were imported before (operation %" PRId64
	    "); now they are there twice",
	    import->repeats);
	if (!import->replay)
		fault_hint(&note,
		    "if that was not meant: monspool dead purge --cause"
		    " import %" PRId64 "-%" PRId64,
		    import->first_id, import->last_id);
	output_note(&import->cli->output, &note);
}

static int
dead_import_run(struct cli *cli)
{
	static struct dead_import import;
	struct fault fault = { 0 };
	int result;

	if (cli->word_count == 0)
		return help_usage(cli, &COMMAND_DEAD_IMPORT);
	import.cli = cli;
	import.replay = options.replay;
	import.db = cli_open(cli, DB_WRITER, &import.config, &fault);
	if (import.db == NULL)
		return cli_fail(cli, &fault);
	result = dead_import_read(&import, cli->words[0], &fault);
	if (result == 0)
		result = dead_import_store(&import, &fault);
	if (result == 0 && cli->json)
		print_json(&import);
	else if (result == 0)
		print_text(&import);
	if (result == 0)
		tell_repeated(&import);
	dead_import_free(&import);
	db_close(import.db);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_DEAD_IMPORT = {
	.name = "dead import",
	.usage = "dead import [--replay] FILE|-",
	.summary = "an export back into the dead letters, or the queue",
	.notes =
	    "All lines are checked before one is stored.  The rows count as "
	    "accepted, under\nnew ids.  One that was killed is simply run "
	    "again.",
	.options = OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = dead_import_run,
};
