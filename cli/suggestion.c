#include "suggestion.h"

#include <inttypes.h>
#include <string.h>

#include "queue/deadletter.h"
#include "look_alike.h"

/* A word as a shell takes it. */
static void
add_word(struct text *text, const char *word)
{
	const char
	    *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		     "0123456789_-=.,:/@%+";
	size_t len = strlen(word), i;

	if (len > 0 && strspn(word, plain) == len) {
		text_adds(text, word);
		return;
	}
	text_addc(text, '\'');
	for (i = 0; i < len; i++)
		if (word[i] == '\'')
			text_adds(text, "'\\''");
		else
			text_addc(text, word[i]);
	text_addc(text, '\'');
}

static void
add_option(struct text *text, const char *option, const char *value)
{
	text_addf(text, " %s ", option);
	add_word(text, value);
}

/* "monspool dead VERB" on the rows that died like ${row}; ${ns} and ${metric} NULL are
 * not narrowed. */
static struct text *
begin(struct suggestions *suggestions, const char *verb,
    const struct deadletter_row *row, const char *ns, const char *metric)
{
	struct text *text = &suggestions->commands[suggestions->count];

	if (suggestions->count < SUGGESTIONS_MOST - 1)
		suggestions->count++;
	text_clear(text);
	text_addf(text, "monspool dead %s", verb);
	if (row->code < 0)
		text_addf(text, " %" PRId64, row->id);
	else
		text_addf(text, " --code %" PRId64, row->code);
	if (row->code >= 0 && ns != NULL)
		add_option(text, "--namespace", ns);
	if (row->code >= 0 && metric != NULL)
		add_option(text, "--metric", metric);
	return text;
}

static void
add_pair(
    struct text *text, const char *option, const char *key, const char *value)
{
	struct text pair = { 0 };

	text_addf(&pair, "%s=%s", key, value);
	add_option(text, option, text_string(&pair));
	text_free(&pair);
}

static void
add_dimension(struct text *text, const struct look_alike *one)
{
	if (one->given[0] == '\0')
		add_pair(text, "--set-dim", one->accepted, "VALUE");
	else if (one->accepted[0] == '\0')
		add_option(text, "--drop-dim", one->given);
	else
		add_pair(text, "--rename-dim", one->given, one->accepted);
}

/* The edit that the look-alikes suggest; the namespace that rows have then. */
static void
suggest_edit(struct suggestions *suggestions, const struct deadletter_row *row,
    const struct look_alikes *found)
{
	const char *kind = found->list[0].kind;
	const char *to = found->list[0].accepted;
	bool of_namespace = strcmp(kind, "namespace") == 0;
	bool of_metric = strcmp(kind, "metric") == 0;
	struct text *text;
	size_t i;

	text = begin(suggestions, "edit", row, row->ns,
	    of_namespace ? NULL : row->metric);
	if (of_namespace || of_metric)
		add_pair(text, "--set", kind, to);
	else
		for (i = 0; i < found->count; i++)
			add_dimension(text, &found->list[i]);
	(void)begin(suggestions, "replay", row, of_namespace ? to : row->ns,
	    of_namespace    ? NULL
		: of_metric ? to
			    : row->metric);
}

void
suggestions_make(struct suggestions *suggestions,
    const struct deadletter_row *row, const struct look_alikes *found)
{
	if (found->count > 0) {
		suggest_edit(suggestions, row, found);
		return;
	}
	if (row->code >= 0) {
		text_addf(&suggestions->commands[suggestions->count++],
		    "monspool explain %" PRId64, row->code);
		(void)begin(suggestions, "replay", row, row->ns, NULL);
		return;
	}
	(void)begin(suggestions, "replay", row, NULL, NULL);
}

void
suggestions_free(struct suggestions *suggestions)
{
	size_t i;

	for (i = 0; i < SUGGESTIONS_MOST; i++)
		text_free(&suggestions->commands[i]);
}
