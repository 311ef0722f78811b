#include "hold_print.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/lane.h"
#include "cli.h"
#include "jsonline.h"
#include "lanes.h"
#include "lines.h"
#include "table.h"

static void
add_json(struct text *text, const struct lane_row *lane, int64_t now_ms)
{
	bool held = lane->state == LANE_HELD;

	lanes_add_json(text, lane, now_ms);
	jsonline_time(text, "since", lane->since_at);
	jsonline_text(text, "by", held ? lane->held_by : NULL);
	jsonline_time(text, "next_probe_at", held ? lane->wake_at : -1);
	jsonline_time(text, "until", held ? lane->held_until : -1);
	text_adds(text, "}\n");
}

static void
print_json(const struct lanes *lanes, int64_t now_ms)
{
	struct text text = { 0 };
	size_t i;

	for (i = 0; i < lanes->count; i++) {
		text_clear(&text);
		add_json(&text, &lanes->rows[i], now_ms);
		output_data(text_string(&text), text.len);
	}
	text_free(&text);
}

/* What ends it, or is tried first.  Valid until the next call. */
static const char *
what_next(const struct lane_row *lane, int64_t now_ms)
{
	static char words[SPAN_TEXT_SIZE + 16];

	if (lane->state == LANE_READY)
		return "";
	if (lane->held_until >= 0)
		return lines_span(lane->held_until - now_ms);
	if (lane->wake_at < 0)
		return lane->state == LANE_HELD ? "released" : "";
	if (lane->wake_at <= now_ms)
		return lane->pending > 0 ? "probe due" : "probe of next row";
	snprintf(words, sizeof(words), "probe in %s",
	    lines_span(lane->wake_at - now_ms));
	return words;
}

static void
add_row(struct table *table, const struct lane_row *lane, int64_t now_ms)
{
	struct text name = { 0 };

	lanes_add_name(&name, lane);
	table_cell(table, text_string(&name));
	text_free(&name);
	table_cell(table, lane_state_name(lane->state));
	table_cell(table, lines_escaped(lane->held_by));
	table_cell(table,
	    lane->since_at < 0 ? "" : lines_span(now_ms - lane->since_at));
	table_cell(table, lines_int(lane->pending));
	table_cell(table, what_next(lane, now_ms));
	table_cell(table, lines_escaped(lane->reason));
}

static void
print_table(const struct cli *cli, const struct lanes *lanes, int64_t now_ms)
{
	static const struct table_column COLUMNS[] = {
		{ "LANE", false },
		{ "STATE", false },
		{ "BY", false },
		{ "FOR", true },
		{ "PENDING", true },
		{ "UNTIL", true },
		{ "REASON", false },
		{ NULL, false },
	};
	struct table *table = table_new(
	    COLUMNS, output_colored((enum output_color)cli->color, stdout));
	size_t i;

	for (i = 0; i < lanes->count; i++)
		add_row(table, &lanes->rows[i], now_ms);
	table_print(table);
	table_free(table);
}

void
hold_print(const struct cli *cli, const struct lanes *lanes)
{
	int64_t now_ms = clock_wall_ms();

	if (cli->json)
		print_json(lanes, now_ms);
	else
		print_table(cli, lanes, now_ms);
}
