#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/deadletter.h"
#include "cli.h"
#include "filter.h"
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

static struct dead_options {
	const char *codes, *causes, *ns, *region, *account, *metric, *dimension;
	int64_t older_than, newer_than, since, until, replayed, limit;
	int sort;
	bool all, exit_code;
} options = {
	.older_than = -1,
	.newer_than = -1,
	.since = -1,
	.until = -1,
	.replayed = -1,
	.limit = -1,
	.sort = DEADLETTER_BY_ID,
};

static int
option_time(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_time(value, clock_wall_ms(), slot) == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "not a time");
	fault_hint(fault,
	    "times are written 2026-11-24T10:00:00Z, @UNIX, "
	    "-2h, \"2h ago\", today, yesterday");
	return -1;
}

#define SLOT(member) .offset = offsetof(struct dead_options, member)
static const struct option OPTIONS[] = {
	{ .name = "code",
	    .argument = "CODES",
	    .take = option_text,
	    SLOT(codes),
	    .help = "1016,1017; none: refused without a code" },
	{ .name = "cause",
	    .argument = "C",
	    .take = option_text,
	    SLOT(causes),
	    .help = "code, http, oversize, late, ambiguous, check, import" },
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
	{ .name = "since",
	    .argument = "T",
	    .take = option_time,
	    SLOT(since),
	    .help = "died at or after this time" },
	{ .name = "until",
	    .argument = "T",
	    .take = option_time,
	    SLOT(until),
	    .help = "died before this time" },
	{ .name = "replayed",
	    .argument = "N",
	    .take = option_whole,
	    SLOT(replayed),
	    .help = "replayed at least so often" },
	{ .name = "all",
	    .take = option_flag,
	    SLOT(all),
	    .help = "every dead row (the default here)" },
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

	if (!filter_matches(options.ns, row->ns) ||
	    !filter_matches(options.region, row->region) ||
	    !filter_matches(options.account, row->account) ||
	    !filter_matches(options.metric, row->metric))
		return 0;
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

static void
make_times(struct deadletter_filter *filter, int64_t now_ms)
{
	filter->since = options.since;
	filter->until = options.until;
	filter->accepted_before = options.older_than >= 0
	    ? now_ms - options.older_than
	    : -1;
	filter->accepted_after = options.newer_than >= 0
	    ? now_ms - options.newer_than
	    : -1;
	filter->replays_least = options.replayed;
}

/* ${codes} and ${causes} hold what ${filter} points to. */
static int
make_filter(int64_t now_ms, struct text *codes, struct text *causes,
    struct deadletter_filter *filter, struct fault *fault)
{
	*filter = (struct deadletter_filter){
		.ns_glob = filter_glob(options.ns),
		.region_glob = filter_glob(options.region),
		.account_glob = filter_glob(options.account),
		.metric_glob = filter_glob(options.metric),
	};
	make_times(filter, now_ms);
	if (options.codes != NULL) {
		if (filter_codes_json(options.codes, codes, fault))
			return -1;
		filter->codes = text_string(codes);
	}
	if (options.causes != NULL) {
		filter_words_json(options.causes, causes);
		filter->causes = text_string(causes);
	}
	return filter_dimension(options.dimension, &filter->dimension_key,
	    &filter->dimension_value, fault);
}

static int64_t
limit(const struct cli *cli)
{
	if (options.limit == -1)
		return cli->json ? -1 : ROWS_SHOWN;
	return options.limit == 0 ? -1 : options.limit;
}

static int
print_all(struct listing *listing, struct db *db,
    const struct deadletter_filter *filter, struct fault *fault)
{
	if (deadletter_list(db, filter, (enum deadletter_order)options.sort, -1,
		on_row, listing) == -1) {
		*fault = *db_fault(db);
		return -1;
	}
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
	static struct deadletter_filter filter;
	struct listing listing = {
		.cli = cli, .now_ms = clock_wall_ms(), .most = limit(cli)
	};
	struct text codes = { 0 }, causes = { 0 };
	struct fault fault = { 0 };
	struct db *db = NULL;
	int result;

	result = make_filter(listing.now_ms, &codes, &causes, &filter, &fault);
	if (result == 0 &&
	    (db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		result = -1;
	if (!cli->json)
		listing.table = table_new(COLUMNS,
		    output_colored((enum output_color)cli->color, stdout));
	if (result == 0)
		result = print_all(&listing, db, &filter, &fault);
	table_free(listing.table);
	text_free(&listing.line);
	text_free(&codes);
	text_free(&causes);
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
