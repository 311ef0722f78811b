#include "help.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/text.h"
#include "queue/schema.h"
#include "cli.h"
#include "jsonline.h"

/* Only the queue shelf includes SQLite's header; this asks nothing of a queue. */
extern const char *sqlite3_libversion(void);

static int
print(struct text *text)
{
	output_data(text_string(text), text->len);
	text_free(text);
	return 0;
}

/* "usage: monspool put ..." with one line a form. */
static void
add_usage(struct text *text, const struct command *command)
{
	const char *line = command->usage, *prefix = "usage: ";
	size_t len;

	while (*line != '\0') {
		len = strcspn(line, "\n");
		text_addf(text, "%smonspool %.*s\n", prefix, (int)len, line);
		line += len + (line[len] == '\n');
		prefix = "       ";
	}
}

int
help_overview(void)
{
	const struct command *const *command;
	struct text text = { 0 };

	text_adds(&text,
	    "usage: monspool [GLOBAL] COMMAND [ARG...]\n\n"
	    "Queues metrics durably; monspoold delivers them.\n\n"
	    "Commands:\n");
	for (command = COMMANDS; *command != NULL; command++)
		text_addf(&text, "  %-14s %s\n", (*command)->name,
		    (*command)->summary);
	text_adds(&text, "\nOptions, before or after any command:\n");
	options_help(GLOBAL_OPTIONS, &text);
	text_adds(&text, "\nnext: monspool help put\n");
	return print(&text);
}

int
help_command(const struct command *command)
{
	struct text text = { 0 };

	add_usage(&text, command);
	text_addf(&text, "\n%s\n", command->summary);
	if (command->options != NULL) {
		text_adds(&text, "\nOptions:\n");
		options_help(command->options, &text);
	}
	if (command->notes != NULL)
		text_addf(&text, "\n%s\n", command->notes);
	if (command->words_most != COMMAND_OTHER_PROGRAM) {
		text_adds(&text, "\nOptions of every command:\n");
		options_help(GLOBAL_OPTIONS, &text);
	}
	return print(&text);
}

int
help_missing_command(const struct cli *cli)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_USAGE, "no command is given");
	fault_hint(&fault,
	    "monspool --help lists them; monspool demo shows "
	    "what it is for");
	return cli_fail(cli, &fault);
}

int
help_usage(const struct cli *cli, const struct command *command)
{
	struct text text = { 0 };
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_USAGE, "nothing to do");
	fault_hint(&fault, "monspool %s --help", command->name);
	if (cli->json)
		return cli_fail(cli, &fault);
	add_usage(&text, command);
	fputs(text_string(&text), stderr);
	text_free(&text);
	return fault_exit(FAULT_USAGE);
}

/* The command called by all words together. */
static const struct command *
find(const struct cli *cli)
{
	const struct command *const *command;
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", cli->words[0],
	    cli->word_count > 1 ? " " : "",
	    cli->word_count > 1 ? cli->words[1] : "");
	if (strncmp(name, "dlq", 3) == 0)
		snprintf(name, sizeof(name), "dead%s%s",
		    cli->word_count > 1 ? " " : "",
		    cli->word_count > 1 ? cli->words[1] : "");
	for (command = COMMANDS; *command != NULL; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

static int
help_run(struct cli *cli)
{
	const struct command *const *each, *command;
	const char *known[64];
	struct fault fault = { 0 };
	size_t count = 0;

	if (cli->word_count == 0)
		return help_overview();
	if ((command = find(cli)) != NULL)
		return help_command(command);
	for (each = COMMANDS; *each != NULL && count < 64; each++)
		known[count++] = (*each)->name;
	options_unknown("command", cli->words[0], known, count, &fault);
	return cli_fail(cli, &fault);
}

static int
version_run(struct cli *cli)
{
	struct text text = { 0 };

	if (!cli->json) {
		text_adds(&text, "monspool " MONSPOOL_VERSION "\n");
		return print(&text);
	}
	jsonline_open(&text, NULL, '{');
	jsonline_text(&text, "monspool", MONSPOOL_VERSION);
	jsonline_int(&text, "schema", schema_latest());
	jsonline_text(&text, "sqlite", sqlite3_libversion());
	jsonline_text(&text, "cjson", cJSON_Version());
	text_adds(&text, "}\n");
	return print(&text);
}

const struct command COMMAND_HELP = {
	.name = "help",
	.usage = "help [COMMAND]",
	.summary = "explain a command",
	.words_most = 2,
	.run = help_run,
};

const struct command COMMAND_VERSION = {
	.name = "version",
	.usage = "version [--json]",
	.summary = "print the version",
	.run = version_run,
};
