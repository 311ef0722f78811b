#include <stdio.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "cli.h"
#include "dead_filter.h"
#include "lines.h"
#include "table.h"

#define ROWS_SHOWN 100
#define ROWS_A_TABLE 1000

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
	{ .name = "limit",
	    .argument = "N",
	    .take = option_whole,
	    SLOT(limit),
	    .help = "at most so many, 0 all (100; --json: all)" },
	{ .name = "exit-code",
	    .take = option_flag,
	    SLOT(exit_code),
	    .help = "exit 1 if any row is found" },
	{ 0 },
};

/* A listing under way. */
struct listing {
	const struct cli *cli;
	struct table *table;
	struct text line;
	int64_t now_ms, shown, most; /* most: -1 all */
	bool more;
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
add_to_table(struct listing *listing, const struct deadletter_row *row)
{
	struct table *table = listing->table;
	char died[SPAN_TEXT_SIZE + 8], span[SPAN_TEXT_SIZE];
	int64_t ago_ms = listing->now_ms - row->died_at;

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
	if (table_rows(table) >= ROWS_A_TABLE)
		table_print(table);
}

static void
print_json(struct listing *listing, const struct deadletter_row *row)
{
	text_clear(&listing->line);
	lines_dead(&listing->line, row, NULL);
	text_adds(&listing->line, "}\n");
	output_data(text_string(&listing->line), listing->line.len);
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct listing *listing = cookie;

	if (listing->most >= 0 && listing->shown >= listing->most) {
		listing->more = true;
		return 1;
	}
	listing->shown++;
	if (listing->cli->json)
		print_json(listing, row);
	else
		add_to_table(listing, row);
	return 0;
}

static int64_t
limit(const struct cli *cli)
{
	if (options.limit == -1)
		return cli->json ? -1 : ROWS_SHOWN;
	return options.limit == 0 ? -1 : options.limit;
}

static int
print_all(struct listing *listing, struct db *db, struct fault *fault)
{
	struct dead_choice choice = { .filter = &options.filter };

	if (dead_choice_visit(&choice, db, (enum deadletter_order)options.sort,
		on_row, listing, fault))
		return -1;
	if (!listing->cli->json && table_print(listing->table))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (listing->more && !listing->cli->json && !listing->cli->quiet)
		fprintf(stderr,
		    "only the first %lld are shown; --limit 0 "
		    "shows all\n",
		    (long long)listing->shown);
	return 0;
}

static int
dead_list_run(struct cli *cli)
{
	static struct config config;
	struct listing listing = {
		.cli = cli, .now_ms = clock_wall_ms(), .most = limit(cli)
	};
	struct fault fault = { 0 };
	struct db *db;
	int result = -1;

	if (dead_filter_check(&options.filter, &fault) ||
	    (db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	if (!cli->json)
		listing.table = table_new(COLUMNS,
		    output_colored((enum output_color)cli->color, stdout));
	result = print_all(&listing, db, &fault);
	table_free(listing.table);
	text_free(&listing.line);
	db_close(db);
	if (result != 0)
		return cli_fail(cli, &fault);
	return options.exit_code && listing.shown > 0 ? 1 : 0;
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
