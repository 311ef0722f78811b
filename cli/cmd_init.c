#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/queue.h"
#include "queue/schema.h"
#include "cli.h"
#include "jsonline.h"

static struct init_options {
	const char *group;
	unsigned mode;
	bool any_filesystem;
} options;

/* "0660", octal. */
static int
option_mode(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	unsigned *mode = slot;
	char *end;
	unsigned long read = strtoul(value, &end, 8);

	(void)option;
	if (*value >= '0' && *value <= '7' && *end == '\0' &&
	    (read & ~0664UL) == 0 && (read & 0600) == 0600) {
		*mode = (unsigned)read;
		return 0;
	}
	fault_set(fault, FAULT_USAGE, "not a mode for a queue");
	fault_hint(fault,
	    "0660 for the group, 0600 for the owner alone; "
	    "others never write");
	return -1;
}

#define SLOT(member) .offset = offsetof(struct init_options, member)
static const struct option OPTIONS[] = {
	{ .name = "group",
	    .argument = "G",
	    .take = option_text,
	    SLOT(group),
	    .help = "whose members may use the queue" },
	{ .name = "mode",
	    .argument = "MODE",
	    .take = option_mode,
	    SLOT(mode),
	    .help = "of the files (0660)" },
	{ .name = "any-filesystem",
	    .take = option_flag,
	    SLOT(any_filesystem),
	    .help = "even one that is not known to be safe" },
	{ 0 },
};

static void
print(const struct cli *cli, const char *path, bool created)
{
	struct text text = { 0 };

	if (cli->json) {
		jsonline_open(&text, NULL, '{');
		jsonline_text(&text, "path", path);
		jsonline_bool(&text, "created", created);
		jsonline_int(&text, "schema", schema_latest());
		text_adds(&text, "}\n");
		output_data(text_string(&text), text.len);
	} else if (!cli->quiet) {
		text_adds(&text, created ? "created " : "refreshed ");
		text_add_escaped(&text, path, strlen(path));
		fprintf(stderr, "%s\n", text_string(&text));
	}
	text_free(&text);
}

/* PATH, or what --queue, the environment or the configuration says. */
static int
find_path(const struct cli *cli, const struct config *config, const char **path,
    struct fault *fault)
{
	const char *word = cli->word_count > 0 ? cli->words[0] : NULL;
	const char *environment = getenv("MONSPOOL_QUEUE");

	if (word != NULL && cli->queue != NULL &&
	    strcmp(word, cli->queue) != 0) {
		fault_set(fault, FAULT_USAGE,
		    "PATH and --queue name different files");
		fault_hint(fault, "give one of them");
		return -1;
	}
	if (word != NULL)
		*path = word;
	else if (cli->queue != NULL)
		*path = cli->queue;
	else if (environment != NULL && environment[0] != '\0')
		*path = environment;
	else
		*path = config->queue.path;
	return 0;
}

static int
init_run(struct cli *cli)
{
	static struct config config;
	struct queue_init init = { .group = options.group,
		.mode = options.mode,
		.any_filesystem = options.any_filesystem,
		.config = &config };
	struct fault fault = { 0 };
	bool created;

	if (cli_read_config(cli, &config, &fault) ||
	    find_path(cli, &config, &init.path, &fault))
		return cli_fail(cli, &fault);
	if (queue_init(&init, &created, &fault)) {
		/* Only the last directory is made: one above it is missing. */
		if (fault.kind == FAULT_NOT_FOUND) {
			fault.kind = FAULT_CANNOT_CREATE;
			fault_hint(&fault,
			    "make the directory above it first: "
			    "mkdir -p");
		}
		return cli_fail(cli, &fault);
	}
	print(cli, init.path, created);
	return 0;
}

const struct command COMMAND_INIT = {
	.name = "init",
	.usage = "init [PATH] [--group G] [--mode 0660] [--any-filesystem]",
	.summary = "create a queue, or refresh its modes and settings",
	.options = OPTIONS,
	.target = &options,
	.words_most = 1,
	.run = init_run,
};
