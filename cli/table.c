#include "table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "output.h"

struct table {
	struct libscols_table *scols;
	struct libscols_line *line;
	size_t columns, next; /* the cell to be filled */
	bool failed;
};

static int
add_columns(
    struct table *table, const struct table_column *columns, bool colored)
{
	struct libscols_column *column;

	for (; columns->name != NULL; columns++, table->columns++) {
		column = scols_table_new_column(table->scols, columns->name, 0,
		    columns->right ? SCOLS_FL_RIGHT : 0);
		if (column == NULL)
			return -1;
		if (colored)
			scols_cell_set_color(
			    scols_column_get_header(column), "\033[1m");
	}
	return 0;
}

struct table *
table_new(const struct table_column *columns, bool colored)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	setlocale(LC_CTYPE, ""); /* widths are counted in its characters */
	if ((table->scols = scols_new_table()) == NULL ||
	    scols_table_set_column_separator(table->scols, "  ") != 0 ||
	    scols_table_enable_colors(table->scols, colored) != 0 ||
	    scols_table_enable_noencoding(table->scols, 1) != 0 ||
	    add_columns(table, columns, colored)) {
		table_free(table);
		return NULL;
	}
	return table;
}

void
table_cell(struct table *table, const char *text)
{
	if (table == NULL || table->failed)
		return;
	if (table->next == 0)
		table->line = scols_table_new_line(table->scols, NULL);
	if (table->line == NULL ||
	    scols_line_set_data(table->line, table->next, text) != 0)
		table->failed = true;
	table->next = (table->next + 1) % table->columns;
}

size_t
table_rows(const struct table *table)
{
	return table != NULL ? scols_table_get_nlines(table->scols) : 0;
}

int
table_print(struct table *table)
{
	char *printed = NULL;

	if (table == NULL || table->failed)
		return -1;
	if (table_rows(table) == 0)
		return 0;
	if (scols_print_table_to_string(table->scols, &printed) != 0)
		return -1;
	output_data(printed, strlen(printed));
	output_data("\n", 1);
	free(printed);
	scols_table_remove_lines(table->scols);
	return 0;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	scols_unref_table(table->scols);
	free(table);
}
