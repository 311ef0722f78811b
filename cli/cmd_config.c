#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/configfile.h"
#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "jsonline.h"

static size_t
told(size_t count)
{
	return count < CONFIGFILE_PROBLEMS ? count : CONFIGFILE_PROBLEMS;
}

static void
add_fault_json(struct text *text, const struct fault *fault)
{
	jsonline_open(text, NULL, '{');
	jsonline_text(text, "file", fault->file);
	jsonline_optional(text, "line", fault->line, 0);
	jsonline_text(text, "message", fault->message);
	jsonline_text(text, "hint", fault->hint);
	jsonline_close(text, '}');
}

static void
print_json(const struct configfile *found)
{
	struct text text = { 0 };
	size_t i;

	jsonline_open(&text, NULL, '{');
	jsonline_bool(&text, "ok", found->problem_count == 0);
	jsonline_open(&text, "problems", '[');
	for (i = 0; i < told(found->problem_count); i++)
		add_fault_json(&text, &found->problems[i]);
	jsonline_close(&text, ']');
	jsonline_open(&text, "warnings", '[');
	for (i = 0; i < told(found->warning_count); i++)
		add_fault_json(&text, &found->warnings[i]);
	jsonline_close(&text, ']');
	jsonline_text(
	    &text, "file", found->path[0] != '\0' ? found->path : NULL);
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
print_ok(const struct configfile *found)
{
	struct text text = { 0 };

	if (found->path[0] == '\0')
		text_adds(&text, "no configuration file: built-in settings");
	else
		text_add_escaped(&text, found->path, strlen(found->path));
	text_adds(&text, ": ok\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static int
report(const struct cli *cli, const struct configfile *found)
{
	struct output people = cli->output;
	size_t i;

	for (i = 0; i < told(found->warning_count) && !cli->json; i++)
		output_note(&people, &found->warnings[i]);
	if (cli->json)
		print_json(found);
	else if (found->problem_count == 0)
		print_ok(found);
	if (found->problem_count == 0)
		return 0;
	for (i = 1; i < told(found->problem_count) && !cli->json; i++)
		output_fault(&people, &found->problems[i - 1]);
	return cli_fail(cli, &found->problems[cli->json ? 0 : i - 1]);
}

static int
config_check_run(struct cli *cli)
{
	static struct config config;
	static struct configfile found;
	const char *named = cli->word_count > 0 ? cli->words[0]
						: cli->config_file;
	struct fault fault = { 0 };
	char path[CONFIG_PATH];

	if (configfile_find(named, path, sizeof(path), &fault)) {
		found.problems[found.problem_count++] = fault;
		return report(cli, &found);
	}
	(void)configfile_read(path, &config, &found);
	return report(cli, &found);
}

const struct command COMMAND_CONFIG_CHECK = {
	.name = "config check",
	.usage = "config check [FILE]",
	.summary = "read the configuration and tell every fault",
	.words_most = 1,
	.run = config_check_run,
};
