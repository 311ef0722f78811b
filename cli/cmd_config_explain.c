#include <string.h>

#include "base/config_environment.h"
#include "base/config_table.h"
#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "config_text.h"
#include "jsonline.h"
#include "lines.h"
#include "table.h"

#define KEYS_MOST 128

/* Whether ${word} names the key, or its section. */
static bool
is_named(const char *word, const struct config_entry *entry)
{
	const char *section = entry->shown.section, *key = entry->shown.key;
	size_t len = strlen(section);

	if (word == NULL)
		return true;
	if (strncmp(word, section, len) != 0)
		return false;
	if (word[len] == '\0')
		return true;
	return word[len] == '.' &&
	    (strcmp(word + len + 1, key) == 0 || strcmp(key, "*") == 0);
}

static int
refuse(const char *word, struct fault *fault)
{
	const struct config_entry *entry;
	char names[2 * KEYS_MOST][64], shown[100];
	const char *words[2 * KEYS_MOST], *nearest;
	size_t count = 0;

	for (entry = CONFIG_ENTRIES;
	     entry->shown.section != NULL && count + 1 < 2 * KEYS_MOST;
	     entry++) {
		words[count] = names[count];
		snprintf(names[count++], 64, "%s.%s", entry->shown.section,
		    entry->shown.key);
		words[count++] = entry->shown.section;
	}
	text_shown(shown, sizeof(shown), word, strlen(word));
	fault_set(
	    fault, FAULT_NOT_FOUND, "no key or section is called %s", shown);
	nearest = text_nearest(word, words, count);
	fault_hint(fault, "monspool config explain%s%s",
	    nearest != NULL ? " " : "", nearest != NULL ? nearest : "");
	return -1;
}

static void
add_json(struct text *text, const struct config_entry *entry)
{
	struct text type = { 0 }, section = { 0 };
	char variable[CONFIG_NAME];

	config_text_type(&type, entry);
	config_text_section(&section, entry);
	config_environment_name(
	    entry->shown.section, entry->shown.key, variable);
	jsonline_open(text, NULL, '{');
	jsonline_text(text, "section", entry->shown.section);
	jsonline_text(text, "key", entry->shown.key);
	jsonline_text(text, "type", text_string(&type));
	jsonline_text(text, "default", entry->shown.fallback);
	jsonline_text(text, "meaning", entry->shown.help);
	jsonline_text(text, "written_below", text_string(&section));
	jsonline_text(text, "variable", variable);
	jsonline_bool(text, "copied_to_queue", entry->shown.for_writers);
	jsonline_bool(text, "no_effect_yet", entry->shown.no_effect_yet);
	text_adds(text, "}\n");
	text_free(&type);
	text_free(&section);
}

static void
add_row(struct table *table, const struct config_entry *entry)
{
	struct text cell = { 0 };

	text_addf(&cell, "%s.%s", entry->shown.section, entry->shown.key);
	table_cell(table, text_string(&cell));
	table_cell(table, entry->shown.fallback);
	table_cell(table, entry->shown.help);
	text_free(&cell);
}

/* One key, in full. */
static void
add_text(struct text *text, const struct config_entry *entry)
{
	char variable[CONFIG_NAME];

	config_environment_name(
	    entry->shown.section, entry->shown.key, variable);
	text_addf(text, "%s.%s: %s\n", entry->shown.section, entry->shown.key,
	    entry->shown.help);
	text_adds(text, "value       ");
	config_text_type(text, entry);
	text_addf(text, "\ndefault     %s\n",
	    entry->shown.fallback[0] != '\0' ? entry->shown.fallback
					     : "(none)");
	text_adds(text, "written     below ");
	config_text_section(text, entry);
	text_addf(text, ", or as %s\n", variable);
	if (entry->shown.for_writers)
		text_adds(text,
		    "copied      into the queue by init and monspoold: writers"
		    " obey the copy\n");
	if (entry->shown.no_effect_yet)
		text_adds(text, "effect      none yet\n");
}

/* The keys that ${word} names. */
static size_t
find(const char *word, const struct config_entry **found)
{
	const struct config_entry *entry;
	size_t count = 0;

	for (entry = CONFIG_ENTRIES;
	     entry->shown.section != NULL && count < KEYS_MOST; entry++)
		if (is_named(word, entry))
			found[count++] = entry;
	return count;
}

static void
print_table(
    const struct cli *cli, const struct config_entry **found, size_t count)
{
	static const struct table_column COLUMNS[] = {
		{ "KEY", false },
		{ "DEFAULT", false },
		{ "MEANING", false },
		{ NULL, false },
	};
	struct table *table = table_new(
	    COLUMNS, output_colored((enum output_color)cli->color, stdout));
	size_t i;

	for (i = 0; i < count; i++)
		add_row(table, found[i]);
	table_print(table);
	table_free(table);
}

static int
config_explain_run(struct cli *cli)
{
	const char *word = cli->word_count > 0 ? cli->words[0] : NULL;
	const struct config_entry *found[KEYS_MOST];
	size_t count = find(word, found), i;
	struct fault fault = { 0 };
	struct text text = { 0 };

	if (count == 0) {
		refuse(word, &fault);
		return cli_fail(cli, &fault);
	}
	if (!cli->json && count > 1) {
		print_table(cli, found, count);
		return 0;
	}
	for (i = 0; i < count; i++) {
		text_clear(&text);
		if (cli->json)
			add_json(&text, found[i]);
		else
			add_text(&text, found[i]);
		output_data(text_string(&text), text.len);
	}
	text_free(&text);
	return 0;
}

const struct command COMMAND_CONFIG_EXPLAIN = {
	.name = "config explain",
	.usage = "config explain [SECTION[.KEY]]",
	.summary = "type, default and meaning of keys",
	.words_most = 1,
	.run = config_explain_run,
};
