#include <string.h>

#include "base/config.h"
#include "base/config_lines.h"
#include "base/configfile.h"
#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "jsonline.h"
#include "lines.h"
#include "table.h"

#define VALUE_MOST 1024

static struct show_options {
	bool origin;
} options;

/* What is read, and how it is shown. */
struct showing {
	const struct cli *cli;
	struct config config;
	struct configfile found;
	struct config_lines lines;
	struct table *table; /* --origin, for people */
	struct text text;    /* else */
	char section[300];   /* shown last */
};

/* One value; ${name} is that of a repeated section, or NULL. */
struct setting {
	const char *section, *name, *key;
	char value[VALUE_MOST];
	const char *origin; /* NULL: built in */
	long line;
};

static void
add_json(struct showing *showing, const struct setting *setting)
{
	struct text text = { 0 };

	jsonline_open(&text, NULL, '{');
	jsonline_text(&text, "section", setting->section);
	jsonline_text(&text, "key", setting->key);
	jsonline_text(&text, "value", setting->value);
	jsonline_text(&text, "origin",
	    setting->origin != NULL ? setting->origin : "default");
	jsonline_optional(&text, "line", setting->line, 0);
	jsonline_text(&text, "name", setting->name);
	text_adds(&text, "}\n");
	text_add(&showing->text, text.data, text.len);
	text_free(&text);
}

static void
add_head(struct text *head, const struct setting *setting)
{
	text_addf(head, "[%s", setting->section);
	if (setting->name != NULL) {
		text_adds(head, " \"");
		text_add_escaped(head, setting->name, strlen(setting->name));
		text_addc(head, '"');
	}
	text_addc(head, ']');
}

/* As a file would have it. */
static void
add_line(struct showing *showing, const struct setting *setting)
{
	struct text *text = &showing->text, head = { 0 };

	add_head(&head, setting);
	if (strcmp(text_string(&head), showing->section) != 0) {
		if (text->len > 0)
			text_addc(text, '\n');
		text_addf(text, "%s\n", text_string(&head));
		snprintf(showing->section, sizeof(showing->section), "%s",
		    text_string(&head));
	}
	text_free(&head);
	text_addf(
	    text, "%s =%s", setting->key, setting->value[0] != '\0' ? " " : "");
	text_add_escaped(text, setting->value, strlen(setting->value));
	text_addc(text, '\n');
}

static void
add_row(struct showing *showing, const struct setting *setting)
{
	struct text cell = { 0 };

	text_adds(&cell, setting->section);
	if (setting->name != NULL) {
		text_addc(&cell, '.');
		text_add_escaped(&cell, setting->name, strlen(setting->name));
	}
	text_addf(&cell, ".%s", setting->key);
	table_cell(showing->table, text_string(&cell));
	table_cell(showing->table, lines_escaped(setting->value));
	text_clear(&cell);
	if (setting->origin == NULL)
		text_adds(&cell, "default");
	else
		text_add_escaped(
		    &cell, setting->origin, strlen(setting->origin));
	if (setting->line > 0)
		text_addf(&cell, ":%ld", setting->line);
	table_cell(showing->table, text_string(&cell));
	text_free(&cell);
}

static void
add(struct showing *showing, const char *section, const char *name,
    const char *key)
{
	struct setting setting = {
		.section = section, .name = name, .key = key
	};
	char variable[CONFIG_NAME];

	if (config_get(&showing->config, section, name, key, setting.value,
		sizeof(setting.value)))
		return; /* not set for this name */
	setting.origin = configfile_origin(&showing->found, &showing->lines,
	    section, name, key, variable, &setting.line);
	if (showing->cli->queue != NULL && strcmp(section, "queue") == 0 &&
	    strcmp(key, "path") == 0) {
		setting.origin = "--queue";
		setting.line = 0;
	}
	if (showing->cli->json)
		add_json(showing, &setting);
	else if (showing->table != NULL)
		add_row(showing, &setting);
	else
		add_line(showing, &setting);
}

/* ---- sections that repeat ---- */

/* The keys of one section for all of its names, name by name. */
static void
add_named(
    struct showing *showing, const struct config_key *first, const char *name)
{
	const struct config_key *key;

	for (key = first;
	     key->section != NULL && strcmp(key->section, first->section) == 0;
	     key++)
		add(showing, key->section, name, key->key);
}

static void
add_accounts(struct showing *showing, const struct config_key *first)
{
	const struct config *config = &showing->config;
	size_t i;

	for (i = 0; i < config->account_count; i++)
		add_named(
		    showing, first, i == 0 ? NULL : config->accounts[i].name);
}

static void
add_outboxes(struct showing *showing, const struct config_key *first)
{
	const struct config *config = &showing->config;
	size_t i;

	for (i = 0; i < config->outbox_count; i++)
		add_named(showing, first, config->outboxes[i].name);
}

static void
add_namespaces(struct showing *showing, const struct config_key *first)
{
	const struct config *config = &showing->config;
	size_t i;

	for (i = 0; i < config->namespace_count; i++)
		add_named(showing, first, config->namespaces[i].glob);
}

static void
add_codes(struct showing *showing, const struct config_key *first)
{
	const struct config *config = &showing->config;
	size_t i;

	for (i = 0; i < config->code_count; i++)
		add(showing, first->section, NULL, config->codes[i].name);
}

static void
add_plain(struct showing *showing, const struct config_key *first)
{
	add_named(showing, first, NULL);
}

static const struct {
	const char *section;
	void (*add)(struct showing *, const struct config_key *);
} REPEATED[] = {
	{ "account", add_accounts },
	{ "outbox", add_outboxes },
	{ "namespace", add_namespaces },
	{ "codes", add_codes },
	{ NULL, add_plain },
};

static void
add_section(struct showing *showing, const struct config_key *first)
{
	size_t i;

	for (i = 0; REPEATED[i].section != NULL; i++)
		if (strcmp(REPEATED[i].section, first->section) == 0)
			break;
	REPEATED[i].add(showing, first);
}

static void
add_all(struct showing *showing)
{
	const struct config_key *key;
	const char *section = "";

	for (key = config_keys(); key->section != NULL; key++) {
		if (strcmp(key->section, section) != 0)
			add_section(showing, key);
		section = key->section;
	}
}

/* ---- the command ---- */

static int
read_settings(struct showing *showing, struct fault *fault)
{
	const struct cli *cli = showing->cli;
	char path[CONFIG_PATH];
	size_t i;

	if (configfile_find(cli->config_file, path, sizeof(path), fault))
		return -1;
	if (configfile_read_lines(
		path, &showing->config, &showing->found, &showing->lines)) {
		*fault = showing->found.problems[0];
		return -1;
	}
	for (i = 0; i < showing->found.warning_count; i++)
		output_note(&cli->output, &showing->found.warnings[i]);
	if (cli->queue == NULL)
		return 0;
	return config_set(
	    &showing->config, "queue", NULL, "path", cli->queue, fault);
}

static int
config_show_run(struct cli *cli)
{
	static const struct table_column COLUMNS[] = {
		{ "KEY", false },
		{ "VALUE", false },
		{ "FROM", false },
		{ NULL, false },
	};
	static struct showing showing;
	struct fault fault = { 0 };

	showing.cli = cli;
	if (read_settings(&showing, &fault))
		return cli_fail(cli, &fault);
	if (options.origin && !cli->json)
		showing.table = table_new(COLUMNS,
		    output_colored((enum output_color)cli->color, stdout));
	add_all(&showing);
	if (showing.table != NULL)
		table_print(showing.table);
	table_free(showing.table);
	output_data(text_string(&showing.text), showing.text.len);
	text_free(&showing.text);
	return 0;
}

static const struct option OPTIONS[] = {
	{ .name = "origin",
	    .take = option_flag,
	    .offset = offsetof(struct show_options, origin),
	    .help = "and where each value came from" },
	{ 0 },
};

const struct command COMMAND_CONFIG_SHOW = {
	.name = "config show",
	.usage = "config show [--origin]",
	.summary = "the values in effect",
	.options = OPTIONS,
	.target = &options,
	.run = config_show_run,
};
