#ifndef CLI_DEAD_FILTER_H
#define CLI_DEAD_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/deadletter.h"
#include "options.h"
#include "selection.h"

struct db;
struct fault;
struct text;

/** What the filter options of the "dead" commands say; the first member of a
 * command's own options. */
struct dead_filter {
	const char *codes, *causes, *ns, *region, *account, *metric, *dimension;
	int64_t older_than, newer_than, since, until, replayed, operation;
	bool all;
	const char *key, *value; /* dimension, split */
};

/** Its value before any option was given. */
#define DEAD_FILTER_NONE \
	{ \
		.older_than = -1, .newer_than = -1, .since = -1, .until = -1, \
		.replayed = -1, .operation = 0 \
	}

/** From 1 up; int64_t. */
option_take option_number;

#define DEAD_SLOT(member) .offset = offsetof(struct dead_filter, member)
#define DEAD_WORD(word, wants, member, says) \
	{ \
		.name = (word), .argument = (wants), .take = option_text, \
		DEAD_SLOT(member), .help = (says) \
	}
#define DEAD_COUNT(word, wants, how, member, says) \
	{ \
		.name = (word), .argument = (wants), .take = (how), \
		DEAD_SLOT(member), .help = (says) \
	}

/** The rows of an option table. */
#define DEAD_FILTER_OPTIONS \
	DEAD_WORD("code", "CODES", codes, \
	    "1016,1017; none: refused without a code"), \
	    DEAD_WORD("cause", "C", causes, \
		"code, http, oversize, late, ambiguous, check, import"), \
	    DEAD_WORD("namespace", "G", ns, \
		"globs with * and ?, several joined by commas"), \
	    DEAD_WORD("region", "G", region, \
		"the same; - is a row without a region"), \
	    DEAD_WORD("account", "G", account, "the same"), \
	    DEAD_WORD("metric", "G", metric, "the same"), \
	    DEAD_WORD("dim", "K=V", dimension, "rows with this dimension"), \
	    DEAD_COUNT("older-than", "D", option_span, older_than, \
		"accepted longer ago than this"), \
	    DEAD_COUNT("newer-than", "D", option_span, newer_than, \
		"accepted within this span"), \
	    DEAD_COUNT("since", "T", option_time, since, \
		"died at or after this time"), \
	    DEAD_COUNT( \
		"until", "T", option_time, until, "died before this time"), \
	    DEAD_COUNT("replayed", "N", option_whole, replayed, \
		"replayed at least so often"), \
	    DEAD_COUNT("operation", "OP", option_number, operation, \
		"replayed or edited by this operation"), \
	{ \
		.name = "all", .take = option_flag, DEAD_SLOT(all), \
		.help = "every dead row" \
	}

/** What one command line selects: ids, or a filter. */
struct output;
struct dead_choice {
	struct dead_filter *filter;
	char **words; /* ids, ranges and -; joined with the filter by AND */
	int word_count;
	struct selection selection;  /* what the words say */
	const struct output *output; /* told how far a visit is; NULL: nobody */
};

/** That the filter can be read: 0, or -1 with ${fault}. */
int dead_filter_check(struct dead_filter *filter, struct fault *fault);
/** Read the words, too, and see that something is selected at all; else ${fault}
 * names --all. */
int dead_choice_read(struct dead_choice *choice, struct fault *fault);
void dead_choice_free(struct dead_choice *choice);

/** Visit what is selected, as deadletter_list().  A bare id that is not dead is
 * FAULT_NOT_FOUND, told before any row is visited.  0 or -1. */
int dead_choice_visit(struct dead_choice *choice, struct db *db,
    enum deadletter_order order, deadletter_visit *visit, void *cookie,
    struct fault *fault);

/** In words, for people: "code 1016, namespace cvm_prdo". */
void dead_choice_words(const struct dead_choice *choice, struct text *text);

#endif
