#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "cli.h"
#include "help.h"
#include "progress.h"

const struct command *const COMMANDS[] = {
	&COMMAND_INIT,
	&COMMAND_PUT,
	&COMMAND_RUN,
	&COMMAND_STATUS,
	&COMMAND_LIST,
	&COMMAND_SHOW,
	&COMMAND_HOLD,
	&COMMAND_HOLD_LIST,
	&COMMAND_HOLD_SET,
	&COMMAND_HOLD_RELEASE,
	&COMMAND_HOLD_PROBE,
	&COMMAND_DEAD,
	&COMMAND_DEAD_LIST,
	&COMMAND_DEAD_SHOW,
	&COMMAND_DEAD_EXPLAIN,
	&COMMAND_DEAD_EDIT,
	&COMMAND_DEAD_REPLAY,
	&COMMAND_DEAD_EXPORT,
	&COMMAND_DEAD_IMPORT,
	&COMMAND_DEAD_PURGE,
	&COMMAND_EXPLAIN,
	&COMMAND_AUDIT,
	&COMMAND_CONFIG_CHECK,
	&COMMAND_CONFIG_SHOW,
	&COMMAND_CONFIG_INIT,
	&COMMAND_CONFIG_EXPLAIN,
	&COMMAND_DEMO,
	&COMMAND_FORWARD,
	&COMMAND_RECEIVER,
	&COMMAND_HELP,
	&COMMAND_VERSION,
	NULL,
};
#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(*COMMANDS))

static const char *const WHEN[] = { "auto", "always", "never", NULL };

static struct cli cli = {
	.output = { .program = "monspool" },
	.busy_timeout_ms = -1,
};

#define GLOBAL(member) .offset = offsetof(struct cli, member)
const struct option GLOBAL_OPTIONS[] = {
	{ .letter = 'Q',
	    .name = "queue",
	    .argument = "PATH",
	    .take = option_text,
	    GLOBAL(queue),
	    .help = "the queue file" },
	{ .letter = 'C',
	    .name = "config",
	    .argument = "FILE",
	    .take = option_text,
	    GLOBAL(config_file),
	    .help = "the configuration file" },
	{ .letter = 'j',
	    .name = "json",
	    .take = option_flag,
	    GLOBAL(json),
	    .help = "machine output, errors too" },
	{ .letter = 'q',
	    .name = "quiet",
	    .take = option_flag,
	    GLOBAL(quiet),
	    .help = "no notes or progress; errors stay" },
	{ .letter = 'v',
	    .name = "verbose",
	    .take = option_count,
	    GLOBAL(verbose),
	    .help = "say more (repeatable)" },
	{ .name = "color",
	    .argument = "WHEN",
	    .take = option_choice,
	    GLOBAL(color),
	    .choices = WHEN,
	    .help = "auto, always or never" },
	{ .name = "progress",
	    .argument = "WHEN",
	    .take = option_choice,
	    GLOBAL(progress),
	    .choices = WHEN,
	    .help = "auto, always or never" },
	{ .name = "busy-timeout",
	    .argument = "D",
	    .take = option_span,
	    GLOBAL(busy_timeout_ms),
	    .help = "how long to wait for other writers (5s)" },
	{ .letter = 'h',
	    .name = "help",
	    .take = option_flag,
	    GLOBAL(help),
	    .help = "this help" },
	{ .letter = 'V',
	    .name = "version",
	    .take = option_flag,
	    GLOBAL(version),
	    .help = "the version; --json: of all parts" },
	{ 0 },
};

static struct option_set globals = { .options = GLOBAL_OPTIONS,
	.target = &cli };

/* The program name that "dead" and its synonym go by. */
static const char *
canonical(const char *word)
{
	return strcmp(word, "dlq") == 0 ? "dead" : word;
}

/* The command whose name is ${first}, or ${first} and ${second}. */
static const struct command *
find_command(const char *first, const char *second)
{
	const struct command *const *command;
	size_t len = strlen(first);

	for (command = COMMANDS; *command != NULL; command++) {
		if (strncmp((*command)->name, first, len) != 0)
			continue;
		if (second == NULL && (*command)->name[len] == '\0')
			return *command;
		if (second != NULL && (*command)->name[len] == ' ' &&
		    strcmp((*command)->name + len + 1, second) == 0)
			return *command;
	}
	return NULL;
}

/* Whether ${first} is the first of two words of some command; collects the second
 * ones, or all first ones when ${first} is NULL. */
static size_t
known_words(const char *first, char words[][32])
{
	const struct command *const *command;
	size_t count = 0, len = first != NULL ? strlen(first) + 1 : 0;
	const char *name;

	for (command = COMMANDS; *command != NULL; command++) {
		name = (*command)->name;
		if (len > 0 &&
		    (strncmp(name, first, len - 1) != 0 ||
			name[len - 1] != ' '))
			continue;
		snprintf(words[count++], 32, "%.*s",
		    (int)strcspn(name + len, " "), name + len);
	}
	return count;
}

static int
unknown_command(const char *first, const char *word, struct fault *fault)
{
	char words[COMMAND_COUNT][32];
	const char *known[COMMAND_COUNT];
	size_t count = known_words(first, words), i;

	for (i = 0; i < count; i++)
		known[i] = words[i];
	return options_unknown("command", word, known, count, fault);
}

/* "monspool dead" alone. */
static int
half_command(const char *first, struct fault *fault)
{
	char words[COMMAND_COUNT][32];
	size_t count = known_words(first, words), i;

	fault_set(fault, FAULT_USAGE, "%s needs a second word", first);
	fault_hint(fault, "monspool %s %s", first, words[0]);
	for (i = 1; i < count && strlen(fault->hint) < 200; i++)
		snprintf(fault->hint + strlen(fault->hint),
		    sizeof(fault->hint) - strlen(fault->hint),
		    ", monspool %s %s", first, words[i]);
	return -1;
}

/* Read options up to the next word and step over it.  The word, or NULL with
 * ${*failed} telling why. */
static const char *
next_word(char ***argv, int *argc, bool *failed, struct fault *fault)
{
	struct option_set *sets[] = { &globals };
	struct option_scan scan = { .sets = sets,
		.set_count = 1,
		.stop_at_word = true,
		.argv = *argv,
		.argc = *argc };
	const char *word;

	*failed = options_parse(&scan, fault) != 0;
	if (*failed || scan.next >= scan.argc)
		return NULL;
	word = scan.argv[scan.next];
	*argv += scan.next + 1;
	*argc -= scan.next + 1;
	return word;
}

/* Find the command; NULL with ${fault}, or without one when none is named. */
static const struct command *
read_command(char ***argv, int *argc, struct fault *fault)
{
	char words[COMMAND_COUNT][32];
	const struct command *command;
	const char *first, *second;
	bool failed;

	if ((first = next_word(argv, argc, &failed, fault)) == NULL)
		return NULL;
	first = canonical(first);
	command = find_command(first, NULL);
	if (known_words(first, words) == 0) {
		if (command == NULL)
			unknown_command(NULL, first, fault);
		return command;
	}
	cli.output.command = first;
	if ((second = next_word(argv, argc, &failed, fault)) == NULL) {
		if (!failed && command == NULL && !cli.help)
			half_command(first, fault);
		return failed ? NULL : command;
	}
	if ((command = find_command(first, second)) == NULL)
		unknown_command(first, second, fault);
	return command;
}

/* Read the rest of the line as the options and words of ${command}. */
static int
read_arguments(const struct command *command, struct option_set *own,
    char **argv, int argc, struct fault *fault)
{
	struct option_set *sets[] = { &globals, own };
	struct option_scan scan = { .sets = sets,
		.set_count = own->options != NULL ? 2 : 1,
		.stop_at_word = command->words_most == COMMAND_OWN_WORDS,
		.argv = argv,
		.argc = argc };

	cli.words = argv;
	cli.word_count = argc;
	if (command->words_most == COMMAND_OTHER_PROGRAM)
		return 0;
	if (options_parse(&scan, fault))
		return -1;
	if (scan.stop_at_word) {
		cli.words = argv + scan.next;
		cli.word_count = argc - scan.next;
		cli.output.json = cli.json; /* a "-j" behind it is not ours */
		return 0;
	}
	cli.word_count = scan.word_count;
	if (cli.help || command->words_most == COMMAND_ANY_WORDS ||
	    scan.word_count <= command->words_most)
		return 0;
	fault_set(fault, FAULT_USAGE, "unexpected word \"%.100s\"",
	    argv[command->words_most]);
	fault_hint(fault, "monspool %s --help", command->name);
	return -1;
}

static int
run(char **argv, int argc, struct fault *fault)
{
	const struct command *command = read_command(&argv, &argc, fault);
	struct option_set own = { 0 };

	if (fault->kind != FAULT_NONE)
		return cli_fail(&cli, fault);
	if (command == NULL && cli.version)
		return COMMAND_VERSION.run(&cli);
	if (command == NULL && cli.help)
		return help_overview();
	if (command == NULL)
		return help_missing_command(&cli);
	cli.output.command = command->name;
	own.options = command->options;
	own.target = command->target;
	if (read_arguments(command, &own, argv, argc, fault))
		return cli_fail(&cli, fault);
	if (cli.help)
		return help_command(command);
	cli.given = &own;
	cli.output.quiet = cli.quiet;
	progress_set((enum progress_when)cli.progress);
	return cli.version ? COMMAND_VERSION.run(&cli) : command->run(&cli);
}

/* Errors of the very command line are told as asked, wherever --json stands. */
static void
find_json(char **argv, int argc)
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 ||
		    strcmp(argv[i], "-j") == 0)
			cli.output.json = true;
}

int
main(int argc, char **argv)
{
	struct fault fault = { 0 };
	int code;

	output_guard();
	cli.ignores_pipe = signal(SIGPIPE, SIG_DFL) == SIG_IGN;
	cli.ignores_size = signal(SIGXFSZ, SIG_IGN) == SIG_IGN;
	find_json(argv + 1, argc - 1);
	code = run(argv + 1, argc - 1, &fault);
	if (output_flush(&fault) && code == 0)
		code = cli_fail(&cli, &fault);
	return code;
}
