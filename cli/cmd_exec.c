#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "cli.h"

#define GLOBALS_MOST 16

/* The arguments of the other program. */
struct arguments {
	char **argv;
	int count;
};

static void
push(struct arguments *arguments, const char *word)
{
	/* execv() takes char *, and changes nothing. */
	union {
		const char *constant;
		char *plain;
	} both = { .constant = word };

	arguments->argv[arguments->count++] = both.plain;
}

static void
push_option(struct arguments *arguments, const char *name, const char *value)
{
	if (value == NULL)
		return;
	push(arguments, name);
	push(arguments, value);
}

/* What stood before the command's name goes along. */
static void
push_globals(struct arguments *arguments, const struct cli *cli)
{
	int i;

	push_option(arguments, "--queue", cli->queue);
	push_option(arguments, "--config", cli->config_file);
	if (cli->json)
		push(arguments, "-j");
	if (cli->quiet)
		push(arguments, "-q");
	for (i = 0; i < cli->verbose && i < 4; i++)
		push(arguments, "-v");
	if (cli->version)
		push(arguments, "--version");
}

static int
run(struct cli *cli, const char *program)
{
	struct arguments arguments = { 0 };
	struct fault fault = { 0 };
	int i;

	if (cli->busy_timeout_ms != -1) {
		fault_set(&fault, FAULT_USAGE,
		    "--busy-timeout does not go with %s", cli->output.command);
		fault_hint(&fault,
		    "[queue] busy_timeout of the configuration "
		    "file is the forwarder's");
		return cli_fail(cli, &fault);
	}
	arguments.argv = calloc(
	    (size_t)cli->word_count + GLOBALS_MOST, sizeof(*arguments.argv));
	if (arguments.argv == NULL) {
		fault_set(&fault, FAULT_INTERNAL, "out of memory");
		return cli_fail(cli, &fault);
	}
	push(&arguments, program);
	push_globals(&arguments, cli);
	for (i = 0; i < cli->word_count; i++)
		push(&arguments, cli->words[i]);
	cli_exec(program, arguments.argv, &fault);
	free(arguments.argv);
	return cli_fail(cli, &fault);
}

static int
forward_run(struct cli *cli)
{
	return run(cli, "monspoold");
}

static int
receiver_run(struct cli *cli)
{
	return run(cli, "monspool-receiver");
}

const struct command COMMAND_FORWARD = {
	.name = "forward",
	.usage = "forward ...",
	.summary = "run monspoold, which delivers what is queued",
	.notes = "Options are those of monspoold: monspoold --help",
	.words_most = COMMAND_OTHER_PROGRAM,
	.run = forward_run,
};

const struct command COMMAND_RECEIVER = {
	.name = "receiver",
	.usage = "receiver ...",
	.summary = "run monspool-receiver, an emulator on loopback",
	.notes = "Options are those of monspool-receiver: monspool-receiver "
		 "--help",
	.words_most = COMMAND_OTHER_PROGRAM,
	.run = receiver_run,
};
