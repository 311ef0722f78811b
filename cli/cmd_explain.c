#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "protocol/disposition.h"
#include "cli.h"
#include "jsonline.h"
#include "table.h"

/* The codes of API 2.0 come first in the table. */
#define CODE_LAST 1021

/* What is in force, and what is built in. */
struct tables {
	struct dispositions *ours, *built_in;
};

/* What becomes of a row, or a series, that gets the code alone. */
static const struct {
	const char *name, *words;
} LONE[] = {
	[LONE_SAME] = { "same", "" },
	[LONE_HOLD] = { "hold", "the lane is held" },
	[LONE_CONTRAST] = { "contrast",
	    "it dies if another request was accepted lately, else the lane is"
	    " held" },
	[LONE_DEAD] = { "dead", "it dies" },
};

/* Add a text of lines as an array, or as a list for people. */
static void
add_lines(struct text *text, const char *lines, bool json)
{
	char line[512];
	size_t len;

	while (lines != NULL && *lines != '\0') {
		len = strcspn(lines, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		if (json)
			jsonline_text(text, NULL, line);
		else
			text_addf(text, "  - %s\n", line);
		lines += len + (lines[len] == '\n');
	}
}

static const struct disposition *
built_in_row(const struct tables *tables, const char *name)
{
	const struct disposition *row = disposition_find(
	    tables->built_in, name);

	return row != NULL ? row
			   : disposition_find(tables->built_in, "unknown-code");
}

static void
add_json(struct text *text, const struct tables *tables,
    const struct disposition *row)
{
	const struct disposition *built_in = built_in_row(tables, row->name);

	jsonline_open(text, NULL, '{');
	jsonline_optional(text, "code", row->code, -1);
	jsonline_text(text, "name", row->name);
	jsonline_text(text, "text", row->text);
	jsonline_text(text, "verdict", verdict_name(row->verdict));
	jsonline_text(text, "default_verdict", verdict_name(built_in->verdict));
	jsonline_text(text, "scope", scope_name(row->scope));
	jsonline_text(text, "lone", LONE[row->lone].name);
	jsonline_text(text, "stored", stored_name(row->stored));
	jsonline_open(text, "causes", '[');
	add_lines(text, row->causes, true);
	jsonline_close(text, ']');
	jsonline_open(text, "try", '[');
	add_lines(text, row->cure, true);
	jsonline_close(text, ']');
	text_adds(text, "}\n");
}

static void
add_text(struct text *text, const struct tables *tables,
    const struct disposition *row)
{
	const struct disposition *built_in = built_in_row(tables, row->name);

	text_addf(text, "%s   %s\n", row->name, row->text);
	text_addf(text, "verdict   %s", verdict_name(row->verdict));
	if (row->verdict != built_in->verdict)
		text_addf(text, "   (by [codes]; built in: %s)",
		    verdict_name(built_in->verdict));
	text_addf(text, "\nscope     %s\n", scope_name(row->scope));
	if (row->lone != LONE_SAME)
		text_addf(text, "alone     %s\n", LONE[row->lone].words);
	text_addf(text, "stored    %s\n", stored_name(row->stored));
	text_adds(text, "likely causes\n");
	add_lines(text, row->causes, false);
	text_adds(text, "what to do\n");
	add_lines(text, row->cure, false);
}

static void
explain_one(const struct cli *cli, const struct tables *tables,
    const struct disposition *row)
{
	struct text text = { 0 };

	if (cli->json)
		add_json(&text, tables, row);
	else
		add_text(&text, tables, row);
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static int
explain_all(
    const struct cli *cli, const struct tables *tables, struct fault *fault)
{
	static const struct table_column COLUMNS[] = {
		{ "CODE", true },
		{ "VERDICT", false },
		{ "SCOPE", false },
		{ "MEANING", false },
		{ NULL, false },
	};
	const struct disposition *row;
	struct table *table = NULL;
	size_t i;
	int result = 0;

	if (!cli->json)
		table = table_new(COLUMNS,
		    output_colored((enum output_color)cli->color, stdout));
	for (i = 0; (row = disposition_at(tables->ours, i)) != NULL &&
	     row->code >= 0 && row->code <= CODE_LAST;
	     i++) {
		if (cli->json) {
			explain_one(cli, tables, row);
			continue;
		}
		table_cell(table, row->name);
		table_cell(table, verdict_name(row->verdict));
		table_cell(table, scope_name(row->scope));
		table_cell(table, row->text);
	}
	if (!cli->json && table_print(table))
		result = fault_set(fault, FAULT_INTERNAL, "out of memory");
	table_free(table);
	return result;
}

static int
unknown(const char *word, struct fault *fault)
{
	char shown[80];

	fault_set(fault, FAULT_NOT_FOUND, "nothing is known about \"%s\"",
	    text_shown(shown, sizeof(shown), word, strlen(word)));
	fault_hint(fault,
	    "monspool explain lists the codes; http-404 is a status; any "
	    "other code goes by unknown-code");
	return -1;
}

/* The overrides of the queue's copy; without a queue, those of the file. */
static int
read_overrides(
    const struct cli *cli, struct config *config, struct fault *fault)
{
	struct cli quiet = *cli;
	struct fault nowhere = { 0 };
	struct db *db;

	quiet.verbose = 0;
	quiet.output.quiet = true;
	config_defaults(config);
	db = cli_open(&quiet, DB_READER, config, fault);
	db_close(db);
	if (db == NULL && cli->queue != NULL) /* it was asked for */
		return -1;
	if (db == NULL && cli_read_config(&quiet, config, &nowhere))
		config_defaults(config);
	*fault = nowhere;
	return 0;
}

static int
explain_run(struct cli *cli)
{
	static struct config config;
	struct tables tables = { NULL, NULL };
	const struct disposition *row;
	struct fault fault = { 0 };
	int result = -1;

	if (read_overrides(cli, &config, &fault))
		return cli_fail(cli, &fault);
	tables.built_in = dispositions_new(NULL, 0, &fault);
	if (tables.built_in != NULL)
		tables.ours = dispositions_new(
		    config.codes, config.code_count, &fault);
	if (tables.ours == NULL)
		result = -1;
	else if (cli->word_count == 0)
		result = explain_all(cli, &tables, &fault);
	else if ((row = disposition_find(tables.ours, cli->words[0])) == NULL)
		result = unknown(cli->words[0], &fault);
	else {
		explain_one(cli, &tables, row);
		result = 0;
	}
	dispositions_free(tables.ours);
	dispositions_free(tables.built_in);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_EXPLAIN = {
	.name = "explain",
	.usage = "explain [CODE|http-NNN]",
	.summary = "what the receiver's codes mean, and what is done about "
		   "them",
	.notes = "This is the forwarder's own table, with the [codes] of the "
		 "queue.",
	.words_most = 1,
	.run = explain_run,
};
