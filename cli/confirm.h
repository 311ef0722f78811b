#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include <stdbool.h>

struct cli;
struct text;

/** For commands that change things. */
struct confirm_options {
	bool yes, dry_run;
};

#define CONFIRM_SLOT(type, member) .offset = offsetof(type, member)
/** The two rows of an option table whose target has a member "confirm". */
#define CONFIRM_OPTIONS(type) \
	{ .letter = 'y', \
		.name = "yes", \
		.take = option_flag, \
		CONFIRM_SLOT(type, confirm.yes), \
		.help = "go ahead without a question" }, \
	{ \
		.name = "dry-run", .take = option_flag, \
		CONFIRM_SLOT(type, confirm.dry_run), \
		.help = "say what would be done, and do nothing" \
	}

/** Tell what would be done: as data for --dry-run, else as a note. */
void confirm_plan(const struct cli *cli, const struct confirm_options *options,
    const struct text *plan);

/**
 * confirm(cli, options, question):
 * Ask ${question}, which is followed by "[y/N]", unless --yes was given; the
 * plan was told already.  Return 0 to go ahead, or the exit code: 1 for a no, 64 where there
 * is no terminal.
 */
int confirm(const struct cli *cli, const struct confirm_options *options,
    const char *question);

#endif
