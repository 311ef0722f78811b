#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/deadletter.h"
#include "cli.h"
#include "jsonline.h"
#include "lines.h"
#include "table.h"

/* What people see on one line: all metrics of a namespace that were refused
 * alike. */
struct line {
	int64_t code, http_status, rows, first_died_at, last_died_at,
	    example_id;
	int64_t metrics;
	char *cause, *ns, *metric, *message;
};

struct grouping {
	const struct cli *cli;
	struct text text; /* of all JSON lines */
	struct line *lines;
	size_t count, size;
	bool failed;
};

static const struct table_column COLUMNS[] = {
	{ "ROWS", true },
	{ "CODE", true },
	{ "NAMESPACE", false },
	{ "METRIC", false },
	{ "FIRST", true },
	{ "LAST", true },
	{ "EXAMPLE", true },
	{ "WHY", false },
	{ NULL, false },
};

static void
add_json(struct text *text, const struct deadletter_group *group)
{
	struct text line = { 0 };

	jsonline_open(&line, NULL, '{');
	jsonline_optional(&line, "code", group->code, -1);
	jsonline_text(&line, "cause", group->cause);
	jsonline_text(&line, "namespace", group->ns);
	jsonline_text(&line, "metric", group->metric);
	jsonline_int(&line, "rows", group->rows);
	jsonline_time(&line, "first_died_at", group->first_died_at);
	jsonline_time(&line, "last_died_at", group->last_died_at);
	jsonline_int(&line, "example_id", group->example_id);
	jsonline_text(&line, "message", group->message);
	text_adds(&line, "}\n");
	text_add(text, text_string(&line), line.len);
	text_free(&line);
}

/* The line that ${group} belongs to, or room for a new one; NULL when memory
 * is short. */
static struct line *
line_of(struct grouping *grouping, const struct deadletter_group *group)
{
	size_t size = grouping->size * 2 + 16, i;
	struct line *line, *lines;

	for (i = 0; i < grouping->count; i++) {
		line = &grouping->lines[i];
		if (line->code == group->code &&
		    strcmp(line->cause, group->cause) == 0 &&
		    strcmp(line->ns, group->ns) == 0)
			return line;
	}
	if (grouping->count == grouping->size) {
		lines = realloc(grouping->lines, size * sizeof(*lines));
		if (lines == NULL)
			return NULL;
		grouping->lines = lines;
		grouping->size = size;
	}
	line = &grouping->lines[grouping->count];
	*line = (struct line){ .code = group->code,
		.http_status = group->http_status,
		.first_died_at = group->first_died_at,
		.last_died_at = group->last_died_at,
		.example_id = group->example_id,
		.cause = strdup(group->cause),
		.ns = strdup(group->ns),
		.metric = strdup(group->metric),
		.message = strdup(group->message) };
	grouping->count++;
	if (line->cause == NULL || line->ns == NULL || line->metric == NULL ||
	    line->message == NULL)
		return NULL;
	return line;
}

static int
on_group(void *cookie, const struct deadletter_group *group)
{
	struct grouping *grouping = cookie;
	struct line *line;

	if (grouping->cli->json) {
		add_json(&grouping->text, group);
		return 0;
	}
	if ((line = line_of(grouping, group)) == NULL) {
		grouping->failed = true;
		return 1;
	}
	line->rows += group->rows;
	line->metrics++;
	if (group->first_died_at < line->first_died_at)
		line->first_died_at = group->first_died_at;
	if (group->last_died_at > line->last_died_at)
		line->last_died_at = group->last_died_at;
	return 0;
}

/* The time of day where it was today, else the day. */
static const char *
print_when(char buf[32], int64_t at_ms)
{
	time_t at = (time_t)(at_ms / 1000), now = time(NULL);
	struct tm when, today;

	if (localtime_r(&at, &when) == NULL ||
	    localtime_r(&now, &today) == NULL)
		return "?";
	strftime(buf, 32,
	    when.tm_yday == today.tm_yday && when.tm_year == today.tm_year
		? "%H:%M:%S"
		: "%Y-%m-%d",
	    &when);
	return buf;
}

static int
by_rows(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	if (a->rows != b->rows)
		return a->rows < b->rows ? 1 : -1;
	return (a->example_id > b->example_id) -
	    (a->example_id < b->example_id);
}

static void
add_line(struct table *table, const struct line *line)
{
	char rows[NUMBER_TEXT_SIZE], when[32], metrics[NUMBER_TEXT_SIZE + 16];

	table_cell(table, number_print_grouped(rows, line->rows));
	table_cell(table, lines_code(line->code, line->http_status));
	table_cell(table, lines_escaped(line->ns));
	if (line->metrics == 1) {
		table_cell(table, lines_escaped(line->metric));
	} else {
		snprintf(metrics, sizeof(metrics), "(%s metrics)",
		    number_print_grouped(rows, line->metrics));
		table_cell(table, metrics);
	}
	table_cell(table, print_when(when, line->first_died_at));
	table_cell(table, print_when(when, line->last_died_at));
	table_cell(table, lines_int(line->example_id));
	table_cell(table, lines_escaped(line->message));
}

static int
print_table(struct grouping *grouping, struct fault *fault)
{
	struct table *table;
	size_t i;
	int result;

	if (grouping->count == 0) {
		output_data("no dead rows\n", 13);
		return 0;
	}
	qsort(grouping->lines, grouping->count, sizeof(*grouping->lines),
	    by_rows);
	table = table_new(COLUMNS,
	    output_colored((enum output_color)grouping->cli->color, stdout));
	for (i = 0; i < grouping->count; i++)
		add_line(table, &grouping->lines[i]);
	result = table_print(table);
	table_free(table);
	if (result != 0)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	text_addf(&grouping->text, "next: monspool dead explain %" PRId64 "\n",
	    grouping->lines[0].example_id);
	return 0;
}

static int
gather(struct grouping *grouping, struct fault *fault)
{
	static struct config config;
	struct db *db;
	int result = 0;

	if ((db = cli_open(grouping->cli, DB_READER, &config, fault)) == NULL)
		return -1;
	if (deadletter_groups(db, on_group, grouping) == -1) {
		*fault = *db_fault(db);
		result = -1;
	} else if (grouping->failed || grouping->text.failed)
		result = fault_set(fault, FAULT_INTERNAL, "out of memory");
	db_close(db);
	return result;
}

static void
free_lines(struct grouping *grouping)
{
	size_t i;

	for (i = 0; i < grouping->count; i++) {
		free(grouping->lines[i].cause);
		free(grouping->lines[i].ns);
		free(grouping->lines[i].metric);
		free(grouping->lines[i].message);
	}
	free(grouping->lines);
	text_free(&grouping->text);
}

static int
dead_run(struct cli *cli)
{
	struct grouping grouping = { .cli = cli };
	struct fault fault = { 0 };
	int result;

	result = gather(&grouping, &fault);
	if (result == 0 && !cli->json)
		result = print_table(&grouping, &fault);
	if (result == 0)
		output_data(text_string(&grouping.text), grouping.text.len);
	free_lines(&grouping);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_DEAD = {
	.name = "dead",
	.usage = "dead",
	.summary = "rows the receiver refused, in groups",
	.notes = "dlq is the same word.  Groups share code, cause, namespace "
		 "and metric.",
	.run = dead_run,
};
