#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/db.h"
#include "options.h"
#include "output.h"

struct config;
struct fault;

/** One call of monspool: what the options that stand before or after any command said,
 * and the words that are left. */
struct cli {
	struct output output;
	const char *queue, *config_file; /* NULL: not given */
	bool json, quiet, help, version;
	bool ignores_pipe; /* SIGPIPE, before it began */
	bool ignores_size; /* SIGXFSZ; later always, so that a write says it */
	int verbose;
	int color;                      /* enum output_color */
	int progress;                   /* enum progress_when */
	int64_t busy_timeout_ms;        /* -1: not given */
	const struct option_set *given; /* the command's own options */
	char **words;
	int word_count;
};

/** A command.  Its options are read into ${target} before ${run}, which
 * returns the exit code. */
struct command {
	const char *name;  /* "put", "dead list" */
	const char *usage; /* lines, without "monspool " in front */
	const char *summary;
	const char *notes;            /* lines below the options, or NULL */
	const struct option *options; /* NULL: none */
	void *target;
	int words_most; /* or one of those below */
	int (*run)(struct cli *cli);
};
#define COMMAND_ANY_WORDS (-1)
#define COMMAND_OTHER_PROGRAM (-2) /* all that follows is its */
#define COMMAND_OWN_WORDS (-3) /* from the first word on, options included */

extern const struct command COMMAND_INIT, COMMAND_PUT, COMMAND_RUN,
    COMMAND_STATUS, COMMAND_LIST, COMMAND_SHOW, COMMAND_HOLD, COMMAND_HOLD_LIST,
    COMMAND_HOLD_SET, COMMAND_HOLD_RELEASE, COMMAND_HOLD_PROBE,
    COMMAND_DEAD_LIST, COMMAND_DEAD, COMMAND_DEAD_SHOW, COMMAND_DEAD_EXPORT,
    COMMAND_DEAD_PURGE, COMMAND_DEAD_REPLAY, COMMAND_DEAD_EDIT,
    COMMAND_DEAD_EXPLAIN, COMMAND_DEAD_IMPORT, COMMAND_EXPLAIN, COMMAND_AUDIT,
    COMMAND_CONFIG_CHECK, COMMAND_DEMO, COMMAND_FORWARD, COMMAND_RECEIVER,
    COMMAND_HELP, COMMAND_VERSION;
extern const struct command COMMAND_CONFIG_SHOW, COMMAND_CONFIG_INIT,
    COMMAND_CONFIG_EXPLAIN;

/** All commands, ended by NULL. */
extern const struct command *const COMMANDS[];
/** The options that go with every command. */
extern const struct option GLOBAL_OPTIONS[];

/** Tell ${fault} and return its exit code. */
int cli_fail(const struct cli *cli, const struct fault *fault);

/** Which queue: --queue > MONSPOOL_QUEUE > the configuration > built in.  0,
 * or -1 with ${fault}; the path lives as long as the process. */
int cli_queue_path(
    const struct cli *cli, const char **path, struct fault *fault);

/** Read the configuration file that counts into ${config}, warnings told.  0,
 * or -1 with ${fault}: the first problem. */
int cli_read_config(
    const struct cli *cli, struct config *config, struct fault *fault);

/** Open that queue and load its copy of the settings.  NULL with ${fault}. */
struct db *cli_open(const struct cli *cli, enum db_kind kind,
    struct config *config, struct fault *fault);

/** Replace the process by ${program}, found beside this one, in ../sbin or the
 * PATH; returns only on failure, with ${fault}. */
int cli_exec(const char *program, char **argv, struct fault *fault);
/** Find it: its path into ${path}.  0 or -1. */
int cli_find_program(
    const char *program, char *path, size_t size, struct fault *fault);
/** What to type to run this program again: its bare name where the PATH leads
 * to it, else its path, from here where it lies below; may be in ${path}. */
const char *cli_own_name(char *path, size_t size);

#endif
