#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct option;
struct text;

/*
 * The command line of all three programs, read from tables that also make the
 * help text.  Long options are taken in full only, as "--name=ARG" or
 * "--name ARG"; short ones as "-nARG" or "-n ARG", flags may be joined; "--"
 * ends options; a lone "-" is a word.
 */

/** Read ${value} (NULL where the option takes none) into ${slot}.  0, or -1
 * with ${fault}; the parser adds the option's name. */
typedef int option_take(void *slot, const struct option *option,
    const char *value, struct fault *fault);

struct option {
	char letter;          /* 0: none */
	const char *name;     /* without dashes; NULL ends a table */
	const char *argument; /* as help shows it; NULL: takes none */
	const char *help;
	option_take *take;
	size_t offset;              /* of its slot in the set's target */
	bool optional;              /* ARG only as "--name=ARG" */
	bool repeats;               /* may be given more than once */
	const char *const *choices; /* for option_choice(), NULL at its end */
};

/* Ready-made takers, and what their slot is. */
option_take option_flag;   /* bool */
option_take option_count;  /* int, one more each time */
option_take option_text;   /* const char *, borrowed from argv */
option_take option_list;   /* struct option_list */
option_take option_span;   /* int64_t, milliseconds */
option_take option_time;   /* int64_t, Unix milliseconds */
option_take option_bytes;  /* int64_t */
option_take option_whole;  /* int64_t, from 0 */
option_take option_choice; /* int, the index in choices */

struct option_list {
	const char **items; /* borrowed from argv */
	size_t count;
};

/** One table and the struct that its offsets go by. */
struct option_set {
	const struct option *options;
	void *target;
	uint64_t seen; /* zero at first: which rows were given */
};

/** Sets searched in order, and the words (no options) they were found among. */
struct option_scan {
	struct option_set **sets;
	size_t set_count;
	bool stop_at_word; /* leave everything from the first word on */
	char **argv;       /* without the program's name; reordered */
	int argc;
	int word_count; /* out: argv[0] to argv[word_count - 1] are words */
	int next;       /* out: the first of argv that was not looked at */
};

/** Read ${scan}->argv.  0, or -1 with ${fault} (FAULT_USAGE; the hint names the
 * nearest known option). */
int options_parse(struct option_scan *scan, struct fault *fault);

/** Whether the option called ${name} was given. */
bool options_given(const struct option_set *set, const char *name);

/** Add one line an option of ${options} to ${text}, for people. */
void options_help(const struct option *options, struct text *text);

/** FAULT_USAGE for a ${word} that is no known ${what} ("command"), with the nearest of
 * ${known} (${count} of them) as hint.  Return -1. */
int options_unknown(const char *what, const char *word,
    const char *const *known, size_t count, struct fault *fault);

#endif
