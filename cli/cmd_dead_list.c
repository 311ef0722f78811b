#include <stdio.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "cli.h"
#include "dead_filter.h"
#include "lines.h"
#include "sheet.h"
#include "table.h"

static const char *const ORDERS[] = {
	[DEADLETTER_BY_ID] = "id",
	[DEADLETTER_BY_AGE] = "age",
	[DEADLETTER_BY_CODE] = "code",
	NULL,
};

static struct dead_list_options {
	struct dead_filter filter; /* first */
	int64_t limit;
	int sort;
	bool exit_code;
} options = {
	.filter = DEAD_FILTER_NONE,
	.limit = -1,
	.sort = DEADLETTER_BY_ID,
};

#define SLOT(member) .offset = offsetof(struct dead_list_options, member)
static const struct option OPTIONS[] = {
	DEAD_FILTER_OPTIONS,
	{ .name = "sort",
	    .argument = "ORDER",
	    .take = option_choice,
	    SLOT(sort),
	    .choices = ORDERS,
	    .help = "age, code or id (id)" },
	SHEET_LIMIT(SLOT(limit)),
	{ .name = "exit-code",
	    .take = option_flag,
	    SLOT(exit_code),
	    .help = "exit 1 if any row is found" },
	{ 0 },
};

static const struct table_column COLUMNS[] = {
	{ "ID", true },
	{ "CODE", true },
	{ "NAMESPACE", false },
	{ "METRIC", false },
	{ "DIMENSIONS", false },
	{ "VALUE", true },
	{ "TRIES", true },
	{ "DIED", true },
	{ "WHY", false },
	{ NULL, false },
};

static void
add_to_table(struct sheet *sheet, const struct deadletter_row *row)
{
	struct table *table = sheet->table;
	char died[SPAN_TEXT_SIZE + 8], span[SPAN_TEXT_SIZE];
	int64_t ago_ms = sheet->now_ms - row->died_at;

	snprintf(died, sizeof(died), "%s ago",
	    span_print_ms(span, ago_ms > 0 ? ago_ms / 1000 * 1000 : 0));
	table_cell(table, lines_int(row->id));
	table_cell(table, lines_code(row->code, row->http_status));
	table_cell(table, lines_escaped(row->ns));
	table_cell(table, lines_escaped(row->metric));
	table_cell(table, lines_dimensions_cell(row->dimensions));
	table_cell(table, lines_escaped(row->value));
	table_cell(table, lines_int(row->attempts));
	table_cell(table, died);
	table_cell(table, lines_escaped(row->message));
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct sheet *sheet = cookie;

	if (!sheet_takes_row(sheet))
		return 1;
	if (sheet->cli->json)
		lines_dead(&sheet->line, row, NULL);
	else
		add_to_table(sheet, row);
	sheet_end_row(sheet);
	return 0;
}

static int
print_all(struct sheet *sheet, struct db *db, struct fault *fault)
{
	struct dead_choice choice = { .filter = &options.filter };

	if (dead_choice_visit(&choice, db, (enum deadletter_order)options.sort,
		on_row, sheet, fault))
		return -1;
	return sheet_print(sheet, fault);
}

static int
dead_list_run(struct cli *cli)
{
	static struct config config;
	struct sheet sheet;
	struct fault fault = { 0 };
	struct db *db;
	int result = -1;

	if (dead_filter_check(&options.filter, &fault) ||
	    (db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	sheet_begin(&sheet, cli, COLUMNS, options.limit);
	result = print_all(&sheet, db, &fault);
	sheet_free(&sheet);
	db_close(db);
	if (result != 0)
		return cli_fail(cli, &fault);
	return options.exit_code && sheet.shown > 0 ? 1 : 0;
}

const struct command COMMAND_DEAD_LIST = {
	.name = "dead list",
	.usage = "dead list [FILTER] [--sort age|code|id] [--limit N] "
		 "[--exit-code]",
	.summary = "rows the receiver refused, one by one",
	.options = OPTIONS,
	.target = &options,
	.run = dead_list_run,
};
