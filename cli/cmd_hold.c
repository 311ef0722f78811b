#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/lane.h"
#include "cli.h"
#include "hold_change.h"
#include "hold_print.h"
#include "lanes.h"

static struct hold_options {
	const char *reason;
	int64_t for_ms;
	bool all, dry_run;
} options = { .for_ms = -1 };

static void
say(const struct cli *cli, const char *what, const char *hint)
{
	struct fault note = { 0 };

	fault_set(&note, FAULT_NONE, "%s", what);
	if (hint != NULL)
		fault_hint(&note, "%s", hint);
	output_note(&cli->output, &note);
}

/* ---- hold list ---- */

static void
keep_held(struct lanes *lanes)
{
	size_t i, kept = 0;

	for (i = 0; i < lanes->count; i++)
		if (lanes->rows[i].state == LANE_HELD)
			lanes->rows[kept++] = lanes->rows[i];
	lanes->count = kept;
}

static int
hold_list_run(struct cli *cli)
{
	static struct config config;
	struct lanes lanes = { 0 };
	struct fault fault = { 0 };
	struct db *db;
	int failed;

	if ((db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	failed = lanes_read(&lanes, db, &fault);
	db_close(db);
	keep_held(&lanes);
	if (!failed)
		hold_print(cli, &lanes);
	if (!failed && lanes.count == 0 && !cli->json)
		say(cli, "no lane is held", NULL);
	lanes_free(&lanes);
	return failed ? cli_fail(cli, &fault) : 0;
}

/* ---- hold set, release, probe ---- */

static void
explain(const struct cli *cli, const struct hold_change *change)
{
	if (change->lanes.count == 0 && change->wish.ask == LANE_ASK_PROBE)
		say(cli, "no such lane is held with rows to send",
		    "monspool status");
	else if (change->lanes.count == 0)
		say(cli, "no such lane is held", "monspool status");
	else if (options.dry_run)
		say(cli, "nothing was changed", NULL);
	else if (change->unseen)
		say(cli, "the forwarder has not taken it up yet",
		    "it does as soon as it can: monspool hold list");
	else if (!change->running && change->wish.ask == LANE_ASK_PROBE)
		say(cli, "no forwarder runs; the next one sends the row", NULL);
}

static int
run_change(struct cli *cli, enum lane_ask what)
{
	static struct config config;
	static struct hold_change change = { .config = &config };
	struct fault fault = { 0 };
	int failed;

	change.wish.ask = what;
	change.wish.until = options.for_ms < 0
	    ? -1
	    : clock_wall_ms() + options.for_ms;
	if (options.reason != NULL)
		snprintf(change.wish.reason, sizeof(change.wish.reason), "%s",
		    options.reason);
	change.dry_run = options.dry_run;
	if (options.all)
		change.pattern.ns[0] = '*';
	else if (lanes_pattern(&change.pattern, cli->words[0], &fault))
		return cli_fail(cli, &fault);
	change.db = cli_open(
	    cli, options.dry_run ? DB_READER : DB_WRITER, &config, &fault);
	if (change.db == NULL)
		return cli_fail(cli, &fault);
	failed = hold_change_make(&change, &fault);
	db_close(change.db);
	if (!failed) {
		hold_print(cli, &change.lanes);
		explain(cli, &change);
	}
	lanes_free(&change.lanes);
	return failed ? cli_fail(cli, &fault) : 0;
}

static int
refuse(
    struct cli *cli, enum fault_kind kind, const char *what, const char *hint)
{
	struct fault fault = { 0 };

	fault_set(&fault, kind, "%s", what);
	fault_hint(&fault, "%s", hint);
	return cli_fail(cli, &fault);
}

static int
hold_set_run(struct cli *cli)
{
	const char *example =
	    "monspool hold set cvm --reason \"new metrics\" --for 2h";
	const char *reason = options.reason;

	if (cli->word_count == 0)
		return refuse(
		    cli, FAULT_USAGE, "which lane is to be held?", example);
	if (reason == NULL || reason[0] == '\0')
		return refuse(
		    cli, FAULT_USAGE, "--reason says why it is held", example);
	if (strlen(reason) >= LANE_TEXT)
		return refuse(
		    cli, FAULT_TOO_LONG, "the reason is too long", example);
	if (text_utf8_bad(reason, strlen(reason)) != -1 ||
	    text_control(reason, strlen(reason)) != -1)
		return refuse(cli, FAULT_BAD_UTF8,
		    "the reason is not plain text", example);
	if (options_given(cli->given, "for") && options.for_ms == 0)
		return refuse(cli, FAULT_USAGE, "--for needs a span", example);
	return run_change(cli, LANE_ASK_HOLD);
}

static int
hold_release_run(struct cli *cli)
{
	if (cli->word_count == 0 && !options.all)
		return refuse(cli, FAULT_NOTHING_SELECTED,
		    "which lane is to be released?",
		    "monspool hold release cvm, or --all");
	if (cli->word_count > 0 && options.all)
		return refuse(cli, FAULT_USAGE,
		    "--all and a lane exclude each other", "give one of them");
	return run_change(cli, LANE_ASK_RELEASE);
}

static int
hold_probe_run(struct cli *cli)
{
	if (cli->word_count == 0)
		return refuse(cli, FAULT_USAGE, "which lane is to be probed?",
		    "monspool hold probe cvm");
	return run_change(cli, LANE_ASK_PROBE);
}

/* ---- the commands ---- */

#define SLOT(member) .offset = offsetof(struct hold_options, member)
#define DRY_RUN \
	{ \
		.name = "dry-run", .take = option_flag, SLOT(dry_run), \
		.help = "show the lanes that are meant, change nothing" \
	}

static const struct option SET_OPTIONS[] = {
	{ .name = "reason",
	    .argument = "TEXT",
	    .take = option_text,
	    SLOT(reason),
	    .help = "why, for whoever finds it held" },
	{ .name = "for",
	    .argument = "D",
	    .take = option_span,
	    SLOT(for_ms),
	    .help = "end it by itself after D" },
	DRY_RUN,
	{ 0 },
};
static const struct option RELEASE_OPTIONS[] = {
	{ .name = "all",
	    .take = option_flag,
	    SLOT(all),
	    .help = "every lane that is held" },
	DRY_RUN,
	{ 0 },
};
static const struct option PROBE_OPTIONS[] = { DRY_RUN, { 0 } };

#define LANE_NOTES \
	"LANE is NAMESPACE[/REGION[/ACCOUNT]], globs allowed; missing parts" \
	" match all,\n\"-\" is the empty region.  Rows of a held lane stay" \
	" pending."

const struct command COMMAND_HOLD = {
	.name = "hold",
	.usage = "hold [list]\nhold set LANE --reason TEXT [--for D]\n"
		 "hold release LANE|--all\nhold probe LANE",
	.summary = "the lanes that are held, and why",
	.run = hold_list_run,
};
const struct command COMMAND_HOLD_LIST = {
	.name = "hold list",
	.usage = "hold list",
	.summary = "the lanes that are held, and why",
	.run = hold_list_run,
};
const struct command COMMAND_HOLD_SET = {
	.name = "hold set",
	.usage = "hold set LANE --reason TEXT [--for D]",
	.summary = "send nothing of a lane until it is released",
	.notes = LANE_NOTES
	"\nA lane without rows so far needs all three parts.",
	.options = SET_OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = hold_set_run,
};
const struct command COMMAND_HOLD_RELEASE = {
	.name = "hold release",
	.usage = "hold release LANE|--all",
	.summary = "let held lanes send again, whoever holds them",
	.notes = LANE_NOTES,
	.options = RELEASE_OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = hold_release_run,
};
const struct command COMMAND_HOLD_PROBE = {
	.name = "hold probe",
	.usage = "hold probe LANE",
	.summary = "have one row of a held lane sent now",
	.notes = LANE_NOTES
	"\nAn accepted row ends a hold of the forwarder's, never an"
	" operator's.",
	.options = PROBE_OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = hold_probe_run,
};
