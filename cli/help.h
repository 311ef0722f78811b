#ifndef CLI_HELP_H
#define CLI_HELP_H

struct cli;
struct command;

/* All of it is made from the tables.  Each returns an exit code. */

/** All commands, on standard output. */
int help_overview(void);
/** One command, on standard output. */
int help_command(const struct command *command);
/** No command was named: say so, and what there is. */
int help_missing_command(const struct cli *cli);
/** The command was called with too little: its usage on standard error, or as
 * an error in JSON. */
int help_usage(const struct cli *cli, const struct command *command);

#endif
