#include "sheet.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "cli.h"
#include "table.h"

/* Rows a person is shown unless more are asked for, and rows a table. */
#define ROWS_SHOWN 100
#define ROWS_A_TABLE 1000

static int64_t
most_rows(const struct cli *cli, int64_t limit)
{
	if (limit == -1)
		return cli->json ? -1 : ROWS_SHOWN;
	return limit == 0 ? -1 : limit;
}

void
sheet_begin(struct sheet *sheet, const struct cli *cli,
    const struct table_column *columns, int64_t limit)
{
	*sheet = (struct sheet){
		.cli = cli,
		.now_ms = clock_wall_ms(),
		.most = most_rows(cli, limit),
	};
	if (!cli->json)
		sheet->table = table_new(columns,
		    output_colored((enum output_color)cli->color, stdout));
}

bool
sheet_takes_row(struct sheet *sheet)
{
	if (sheet->most >= 0 && sheet->shown >= sheet->most) {
		sheet->more = true;
		return false;
	}
	sheet->shown++;
	text_clear(&sheet->line);
	return true;
}

void
sheet_end_row(struct sheet *sheet)
{
	if (sheet->cli->json) {
		text_adds(&sheet->line, "}\n");
		output_data(text_string(&sheet->line), sheet->line.len);
	} else if (table_rows(sheet->table) >= ROWS_A_TABLE) {
		table_print(sheet->table);
	}
}

int
sheet_print(struct sheet *sheet, struct fault *fault)
{
	if (sheet->cli->json)
		return 0;
	if (table_print(sheet->table))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (sheet->more && !sheet->cli->quiet)
		fprintf(stderr,
		    "only the first %lld are shown; --limit 0 shows all\n",
		    (long long)sheet->shown);
	return 0;
}

void
sheet_free(struct sheet *sheet)
{
	table_free(sheet->table);
	text_free(&sheet->line);
}
