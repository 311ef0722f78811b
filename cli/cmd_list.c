#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/status.h"
#include "cli.h"
#include "filter.h"
#include "lines.h"
#include "sheet.h"
#include "table.h"

static const char *const STATES[] = {
	[LANE_READY] = "ready",
	[LANE_WAITING] = "waiting",
	[LANE_HELD] = "held",
	NULL,
};

static struct list_options {
	const char *ns, *region, *account, *metric, *dimension;
	const char *key, *value; /* of the dimension */
	int64_t older_than, newer_than, limit;
	int state;
	bool late;
} options = { .older_than = -1, .newer_than = -1, .limit = -1, .state = -1 };

#define SLOT(member) .offset = offsetof(struct list_options, member)
static const struct option OPTIONS[] = {
	{ .name = "namespace",
	    .argument = "G",
	    .take = option_text,
	    SLOT(ns),
	    .help = "globs with * and ?, several joined by commas" },
	{ .name = "region",
	    .argument = "G",
	    .take = option_text,
	    SLOT(region),
	    .help = "the same; - is a row without a region" },
	{ .name = "account",
	    .argument = "G",
	    .take = option_text,
	    SLOT(account),
	    .help = "the same" },
	{ .name = "metric",
	    .argument = "G",
	    .take = option_text,
	    SLOT(metric),
	    .help = "the same" },
	{ .name = "dim",
	    .argument = "K=V",
	    .take = option_text,
	    SLOT(dimension),
	    .help = "rows with this dimension" },
	{ .name = "older-than",
	    .argument = "D",
	    .take = option_span,
	    SLOT(older_than),
	    .help = "accepted longer ago than this" },
	{ .name = "newer-than",
	    .argument = "D",
	    .take = option_span,
	    SLOT(newer_than),
	    .help = "accepted within this span" },
	{ .name = "state",
	    .argument = "S",
	    .take = option_choice,
	    SLOT(state),
	    .choices = STATES,
	    .help = "of the lane: ready, waiting or held" },
	{ .name = "late",
	    .take = option_flag,
	    SLOT(late),
	    .help = "older than [late] after" },
	SHEET_LIMIT(SLOT(limit)),
	{ 0 },
};

static const struct table_column COLUMNS[] = {
	{ "ID", true },
	{ "NAMESPACE", false },
	{ "REGION", false },
	{ "METRIC", false },
	{ "DIMENSIONS", false },
	{ "VALUE", true },
	{ "STATE", false },
	{ "TRIES", true },
	{ "AGE", true },
	{ NULL, false },
};

static void
add_to_table(struct sheet *sheet, const struct pending_row *row)
{
	struct table *table = sheet->table;

	table_cell(table, lines_int(row->id));
	table_cell(table, lines_escaped(row->ns));
	table_cell(table, lines_escaped(row->region));
	table_cell(table, lines_escaped(row->metric));
	table_cell(table, lines_dimensions_cell(row->dimensions));
	table_cell(table, lines_escaped(row->value));
	table_cell(table, lane_state_name(row->state));
	table_cell(table, lines_int(row->attempts));
	table_cell(table, lines_span(sheet->now_ms - row->accepted_at));
}

static int
on_row(void *cookie, const struct pending_row *row)
{
	struct sheet *sheet = cookie;

	if (!filter_matches(options.ns, row->ns) ||
	    !filter_matches(options.region, row->region) ||
	    !filter_matches(options.account, row->account) ||
	    !filter_matches(options.metric, row->metric))
		return 0;
	if (!sheet_takes_row(sheet))
		return 1;
	if (sheet->cli->json)
		lines_pending(&sheet->line, row, NULL, sheet->now_ms);
	else
		add_to_table(sheet, row);
	sheet_end_row(sheet);
	return 0;
}

/* The earlier of two bounds, of which -1 is none. */
static int64_t
earlier(int64_t one, int64_t other)
{
	if (one == -1 || other == -1)
		return one == -1 ? other : one;
	return one < other ? one : other;
}

static void
make_filter(
    const struct config *config, int64_t now_ms, struct pending_filter *filter)
{
	int64_t late_ms = config->late.after_ms;

	*filter = (struct pending_filter){
		.ns_glob = filter_glob(options.ns),
		.region_glob = filter_glob(options.region),
		.account_glob = filter_glob(options.account),
		.metric_glob = filter_glob(options.metric),
		.accepted_before = options.older_than >= 0
		    ? now_ms - options.older_than
		    : -1,
		.accepted_after = options.newer_than >= 0
		    ? now_ms - options.newer_than
		    : -1,
		.state = options.state,
	};
	if (options.late)
		filter->accepted_before = earlier(filter->accepted_before,
		    late_ms > 0 ? now_ms - late_ms : 0);
	filter->dimension_key = options.key;
	filter->dimension_value = options.value;
}

static int
print_all(struct sheet *sheet, struct db *db,
    const struct pending_filter *filter, struct fault *fault)
{
	if (status_list(db, filter, -1, on_row, sheet) == -1) {
		*fault = *db_fault(db);
		return -1;
	}
	return sheet_print(sheet, fault);
}

static int
list_run(struct cli *cli)
{
	static struct config config;
	struct pending_filter filter;
	struct sheet sheet;
	struct fault fault = { 0 };
	struct db *db;
	int result;

	if (filter_dimension(
		options.dimension, &options.key, &options.value, &fault) ||
	    (db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	sheet_begin(&sheet, cli, COLUMNS, options.limit);
	make_filter(&config, sheet.now_ms, &filter);
	result = print_all(&sheet, db, &filter, &fault);
	sheet_free(&sheet);
	db_close(db);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_LIST = {
	.name = "list",
	.usage = "list [FILTER] [--limit N]",
	.summary = "pending rows, in the order of their ids",
	.options = OPTIONS,
	.target = &options,
	.run = list_run,
};
