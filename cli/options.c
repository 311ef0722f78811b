#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"

#define KNOWN_MOST 128
#define HELP_COLUMN 34

/* An option as it was found on the command line. */
struct found {
	struct option_set *set;
	size_t row;
	const struct option *option;
};

int
option_flag(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	(void)value;
	(void)fault;
	*(bool *)slot = true;
	return 0;
}

int
option_count(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	(void)value;
	(void)fault;
	++*(int *)slot;
	return 0;
}

int
option_text(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	(void)fault;
	*(const char **)slot = value;
	return 0;
}

int
option_list(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	struct option_list *list = slot;
	const char **items;

	(void)option;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	list->items = items;
	list->items[list->count++] = value;
	return 0;
}

/* Say that ${value} is not what the option takes. */
static int
refuse(struct fault *fault, const char *value, const char *what)
{
	struct text shown = { 0 };

	text_add_escaped(&shown, value, strlen(value));
	fault_set(fault, FAULT_USAGE, "\"%.100s\" is no %s",
	    text_string(&shown), what);
	text_free(&shown);
	return -1;
}

int
option_span(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_ms(value, slot) == 0)
		return 0;
	refuse(fault, value, "duration");
	fault_hint(fault, "durations are written 500ms, 30s, 5m, 1h30m, 7d");
	return -1;
}

int
option_time(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_time(value, clock_wall_ms(), slot) == 0)
		return 0;
	refuse(fault, value, "time");
	fault_hint(fault,
	    "times are written 2026-11-24T10:00:00Z, @UNIX, "
	    "-2h, \"2h ago\", today, yesterday");
	return -1;
}

int
option_bytes(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_bytes(value, slot) == 0)
		return 0;
	refuse(fault, value, "size");
	fault_hint(fault, "sizes are written 65536, 64K, 1M, 2G");
	return -1;
}

int
option_whole(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (number_read_whole(value, 0, INT64_MAX, slot) == 0)
		return 0;
	refuse(fault, value, "whole number");
	fault_hint(fault, "it takes a number from 0 up");
	return -1;
}

int
option_choice(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	struct text choices = { 0 };
	int i;

	for (i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], value) == 0) {
			*(int *)slot = i;
			text_free(&choices);
			return 0;
		}
		text_addf(
		    &choices, "%s%s", i > 0 ? ", " : "", option->choices[i]);
	}
	refuse(fault, value, "choice");
	fault_hint(fault, "it may be %s", text_string(&choices));
	text_free(&choices);
	return -1;
}

int
options_unknown(const char *what, const char *word, const char *const *known,
    size_t count, struct fault *fault)
{
	const char *dashes = strcmp(what, "option") == 0 ? "--" : "";
	const char *near = text_nearest(word, known, count);
	struct text shown = { 0 };

	text_add_escaped(&shown, word, strlen(word));
	fault_set(fault, FAULT_USAGE, "unknown %s %s%.120s", what, dashes,
	    text_string(&shown));
	text_free(&shown);
	if (near != NULL)
		fault_hint(fault, "did you mean %s%s?", dashes, near);
	else
		fault_hint(fault, "--help lists what is known");
	return -1;
}

static int
unknown_name(const struct option_scan *scan, const char *name, size_t len,
    struct fault *fault)
{
	const char *known[KNOWN_MOST];
	const struct option *option;
	struct text word = { 0 };
	size_t count = 0, i;

	for (i = 0; i < scan->set_count; i++)
		for (option = scan->sets[i]->options;
		     option->name != NULL && count < KNOWN_MOST; option++)
			known[count++] = option->name;
	text_add(&word, name, len);
	options_unknown("option", text_string(&word), known, count, fault);
	text_free(&word);
	return -1;
}

static int
unknown_letter(char letter, struct fault *fault)
{
	if (letter > ' ' && letter <= '~')
		fault_set(fault, FAULT_USAGE, "unknown option -%c", letter);
	else
		fault_set(fault, FAULT_USAGE, "unknown option");
	if (letter >= '0' && letter <= '9')
		fault_hint(fault, "a negative value goes after \"--\": -- -%c",
		    letter);
	else
		fault_hint(fault, "--help lists what is known");
	return -1;
}

/* Find by name when ${letter} is 0, else by letter. */
static bool
find(const struct option_scan *scan, const char *name, size_t len, char letter,
    struct found *found)
{
	const struct option *option;
	size_t i;

	for (i = 0; i < scan->set_count; i++) {
		found->set = scan->sets[i];
		for (option = found->set->options; option->name != NULL;
		     option++) {
			if (letter != 0 ? option->letter != letter
					: strlen(option->name) != len ||
				    memcmp(option->name, name, len) != 0)
				continue;
			found->option = option;
			found->row = (size_t)(option - found->set->options);
			return true;
		}
	}
	return false;
}

/* Hand ${value} to the option's taker and put the option's name before what it says. */
static int
take(const struct found *found, const char *value, struct fault *fault)
{
	const struct option *option = found->option;
	uint64_t bit = UINT64_C(1) << (found->row % 64);
	struct fault inner = { 0 };
	char *slot = (char *)found->set->target + option->offset;

	if ((found->set->seen & bit) != 0 && option->argument != NULL &&
	    !option->repeats) {
		fault_set(
		    fault, FAULT_USAGE, "--%s is given twice", option->name);
		fault_hint(fault, "give it once");
		fault_field(fault, option->name);
		return -1;
	}
	found->set->seen |= bit;
	if (option->take(slot, option, value, &inner) == 0)
		return 0;
	fault_set(fault, inner.kind, "--%s: %s", option->name, inner.message);
	fault_hint(fault, "%s", inner.hint);
	fault_field(fault, option->name);
	return -1;
}

static int
needs_argument(const struct option *option, struct fault *fault)
{
	fault_set(fault, FAULT_USAGE, "--%s needs %s", option->name,
	    option->argument);
	fault_hint(fault, "--%s=%s", option->name, option->argument);
	fault_field(fault, option->name);
	return -1;
}

/* "--name", "--name=ARG" or "--name ARG" at argv[*at]. */
static int
parse_long(struct option_scan *scan, int *at, struct fault *fault)
{
	const char *name = scan->argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	struct found found;

	if (!find(scan, name, len, 0, &found))
		return unknown_name(scan, name, len, fault);
	if (found.option->argument == NULL && equals != NULL) {
		fault_set(fault, FAULT_USAGE, "--%s takes no value",
		    found.option->name);
		fault_hint(fault, "--%s", found.option->name);
		return -1;
	}
	if (equals != NULL)
		return take(&found, equals + 1, fault);
	if (found.option->argument == NULL || found.option->optional)
		return take(&found, NULL, fault);
	if (*at + 1 >= scan->argc)
		return needs_argument(found.option, fault);
	return take(&found, scan->argv[++*at], fault);
}

/* "-n", "-nARG", "-n ARG" or joined flags at argv[*at]. */
static int
parse_short(struct option_scan *scan, int *at, struct fault *fault)
{
	const char *letter;
	struct found found;

	for (letter = scan->argv[*at] + 1; *letter != '\0'; letter++) {
		if (!find(scan, NULL, 0, *letter, &found))
			return unknown_letter(*letter, fault);
		if (found.option->argument == NULL || found.option->optional) {
			if (take(&found, NULL, fault))
				return -1;
			continue;
		}
		if (letter[1] != '\0')
			return take(&found, letter + 1, fault);
		if (*at + 1 >= scan->argc)
			return needs_argument(found.option, fault);
		return take(&found, scan->argv[++*at], fault);
	}
	return 0;
}

int
options_parse(struct option_scan *scan, struct fault *fault)
{
	bool words_only = false;
	char *word;
	int at;

	scan->word_count = 0;
	for (at = 0; at < scan->argc; at++) {
		word = scan->argv[at];
		if (words_only || word[0] != '-' || word[1] == '\0') {
			if (scan->stop_at_word)
				break;
			scan->argv[scan->word_count++] = word;
		} else if (strcmp(word, "--") == 0)
			words_only = true;
		else if (word[1] == '-' ? parse_long(scan, &at, fault)
					: parse_short(scan, &at, fault))
			return -1;
	}
	scan->next = at;
	return 0;
}

bool
options_given(const struct option_set *set, const char *name)
{
	size_t i;

	for (i = 0; set->options[i].name != NULL; i++)
		if (strcmp(set->options[i].name, name) == 0)
			return (set->seen >> (i % 64) & 1) != 0;
	return false;
}

void
options_help(const struct option *options, struct text *text)
{
	size_t start;

	for (; options->name != NULL; options++) {
		start = text->len;
		if (options->letter != 0)
			text_addf(text, "  -%c, --%s", options->letter,
			    options->name);
		else
			text_addf(text, "      --%s", options->name);
		if (options->argument != NULL && options->optional)
			text_addf(text, "[=%s]", options->argument);
		else if (options->argument != NULL)
			text_addf(text, " %s", options->argument);
		do
			text_addc(text, ' ');
		while (!text->failed && text->len - start < HELP_COLUMN);
		text_addf(text, "%s\n", options->help);
	}
}
