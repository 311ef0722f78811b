#include "import.h"

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "queue/stage.h"
#include "arena.h"
#include "input.h"
#include "progress.h"

#define NOTES_TOLD 20

/* The row's place becomes that in its file. */
static void
place_in_file(const struct import *import, struct fault *fault)
{
	long line, column;

	strncpy(fault->file, import->input->name, sizeof(fault->file) - 1);
	if (import->whole == NULL) {
		fault->line = import->input->line;
		return;
	}
	if (fault->line == 0)
		fault->line = fault->column = 1;
	json_place(import->whole, (size_t)(import->row.bytes - import->whole),
	    &line, &column);
	if (fault->line == 1)
		fault->column += column - 1;
	fault->line += line - 1;
}

void
import_note(struct import *import, const struct fault *note)
{
	struct fault placed = *note;

	if (import->notes++ >= NOTES_TOLD)
		return;
	if (placed.file[0] == '\0')
		place_in_file(import, &placed);
	output_note(import->output, &placed);
}

static void
note_row(void *cookie, const struct fault *fault)
{
	import_note(cookie, fault);
}

void
import_start(struct import *import)
{
	arena_install();
	import->row.lenient = !import->strict;
	import->row.note = note_row;
	import->row.cookie = import;
	progress_start(import->output);
}

void
import_free(struct import *import)
{
	row_free(&import->row);
	entry_wire_free(&import->wire);
}

/* Add the default dimensions that the row lacks. */
static int
add_defaults(struct import *import, struct fault *fault)
{
	struct entry *entry = &import->row.entry;
	struct entry_dimension *dimension;
	size_t own = entry->dimension_count, i, j;

	for (i = 0; i < import->default_count; i++) {
		for (j = 0; j < own; j++)
			if (strcmp(entry->dimensions[j].key,
				import->defaults[i].key) == 0)
				break;
		if (j < own)
			continue;
		dimension = row_add_dimension(&import->row);
		if (dimension == NULL)
			return fault_set(
			    fault, FAULT_INTERNAL, "out of memory");
		*dimension = import->defaults[i];
	}
	return 0;
}

/* Give the row what it does not carry itself. */
static int
complete(struct import *import, enum row_form form, const char *ns,
    const char *region, struct fault *fault)
{
	struct entry *entry = &import->row.entry;

	if (entry->ns == NULL)
		entry->ns = ns != NULL ? ns : import->ns;
	if (entry->region == NULL)
		entry->region = region != NULL ? region : import->region;
	if (entry->account == NULL)
		entry->account = import->account;
	if (entry->observed_at == -1)
		entry->observed_at = import->observed_at;
	if (entry->max_age_ms == -1)
		entry->max_age_ms = import->max_age_ms;
	if (import->default_count > 0 && add_defaults(import, fault))
		return -1;
	if (entry->ns != NULL)
		return 0;
	fault_set(fault, FAULT_MISSING_MEMBER, "the row names no namespace");
	fault_hint(fault, "add \"%s\", or give -n NAMESPACE for all rows",
	    form == ROW_API ? "Namespace" : "namespace");
	fault_field(fault, "namespace");
	row_place(&import->row, fault);
	return -1;
}

/* What strict refuses and lenient lets pass with a note. */
static int
check(struct import *import, struct fault *fault)
{
	const struct entry *entry = &import->row.entry;
	struct fault note = { 0 };

	if (import->strict)
		return entry_check(entry, import->checks, true, fault);
	if (entry_check(entry, import->checks, false, fault))
		return -1;
	if (entry_check(entry, import->checks, true, &note)) {
		row_place(&import->row, &note);
		import_note(import, &note);
	}
	return 0;
}

static int
count_row(struct import *import, struct fault *fault)
{
	if (++import->rows <= IMPORT_ROWS) {
		progress_rows(import->rows);
		return 0;
	}
	fault_set(fault, FAULT_TOO_LARGE, "over 1,000,000 rows in one call");
	fault_hint(fault, "split the input: split -l 1000000 FILE part-");
	return -1;
}

/* The row as it was read passes its checks and is kept. */
static int
keep(struct import *import, struct fault *fault)
{
	struct row *row = &import->row;

	if (check(import, fault) ||
	    entry_render(&row->entry, import->checks, &import->wire, fault)) {
		row_place(row, fault);
		return -1;
	}
	if (count_row(import, fault))
		return -1;
	if (import->stage == NULL)
		return 0;
	return stage_add(import->stage, &row->entry, &import->wire, fault);
}

int
import_row(struct import *import, enum row_form form, const char *bytes,
    size_t len, const char *ns, const char *region, struct fault *fault)
{
	if (row_parse(&import->row, form, bytes, len, fault) == 0 &&
	    complete(import, form, ns, region, fault) == 0 &&
	    keep(import, fault) == 0)
		return 0;
	if (fault_exit(fault->kind) == 65)
		place_in_file(import, fault);
	return -1;
}

void
import_end(struct import *import)
{
	struct fault note = { 0 };

	progress_end();
	if (import->notes <= NOTES_TOLD)
		return;
	fault_set(&note, FAULT_NONE, "and %lld more notes",
	    (long long)(import->notes - NOTES_TOLD));
	output_note(import->output, &note);
}
