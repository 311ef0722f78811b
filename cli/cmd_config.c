#include "base/config.h"
#include "base/configfile.h"
#include "base/fault.h"
#include "cli.h"
#include "problems.h"

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
		return problems_report(&cli->output, &found);
	}
	(void)configfile_read(path, &config, &found);
	return problems_report(&cli->output, &found);
}

const struct command COMMAND_CONFIG_CHECK = {
	.name = "config check",
	.usage = "config check [FILE]",
	.summary = "read the configuration and tell every fault",
	.words_most = 1,
	.run = config_check_run,
};
