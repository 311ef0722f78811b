#include "import.h"

#include <inttypes.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "queue/stage.h"
#include "arena.h"
#include "input.h"
#include "progress.h"
#include "rejects.h"
#include "stop.h"

#define NOTES_TOLD 20

void
import_place(const struct import *import, struct fault *fault)
{
	long line = import->line > 0 ? import->line : import->input->line;
	long column = 1;

	strncpy(fault->file, import->input->name, sizeof(fault->file) - 1);
	if (fault->line == 0)
		fault->line = fault->column = 1;
	if (import->whole != NULL)
		json_place(import->whole,
		    (size_t)(import->row.bytes - import->whole), &line,
		    &column);
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
		import_place(import, &placed);
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
	text_free(&import->key);
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
complete(struct import *import, struct fault *fault)
{
	struct entry *entry = &import->row.entry;

	if (entry->ns == NULL)
		entry->ns = import->ns;
	if (entry->region == NULL)
		entry->region = import->region;
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
	fault_hint(fault, "add it, or give -n NAMESPACE for all rows");
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

int
import_render(struct import *import, struct fault *fault)
{
	struct row *row = &import->row;

	if (entry_render(&row->entry, import->checks, &import->wire, fault) ==
	    0)
		return 0;
	row_place(row, fault);
	return -1;
}

int
import_check(struct import *import, struct fault *fault)
{
	if (complete(import, fault))
		return -1;
	if (check(import, fault) == 0)
		return import_render(import, fault);
	row_place(&import->row, fault);
	return -1;
}

static int
count_row(struct import *import, struct fault *fault)
{
	import->number++;
	if (import->most == 0 || import->rows < import->most) {
		progress_rows(++import->rows);
		return 0;
	}
	fault_set(fault, FAULT_TOO_LARGE, "over 1,000,000 rows in one call");
	fault_hint(fault, "split it (split -l 1000000), or use --per-line");
	return -1;
}

/* Row N of the call goes by the key PREFIX:N. */
static int
set_key(struct import *import, struct fault *fault)
{
	struct text *key = &import->key;

	text_clear(key);
	text_addf(key, "%s:%" PRId64, import->key_prefix, import->number);
	if (key->failed)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	import->row.entry.key = text_string(key);
	return 0;
}

int
import_keep(struct import *import, struct fault *fault)
{
	struct entry *entry = &import->row.entry;

	if (count_row(import, fault))
		return -1;
	if (import->key_prefix != NULL && entry->key == NULL &&
	    set_key(import, fault))
		return -1;
	if (import->stage == NULL)
		return 0;
	return stage_add(import->stage, entry, &import->wire, fault);
}

/* The record is at fault: pass over it, if that is wanted. */
static int
refuse(
    struct import *import, const char *bytes, size_t len, struct fault *fault)
{
	struct fault why;
	int kept;

	if (fault_exit(fault->kind) != 65)
		return -1;
	import_place(import, fault);
	if (import->rejects == NULL)
		return -1;
	import->number++;
	why = *fault;
	kept = rejects_add(import->rejects, &why, bytes, len, fault);
	if (kept == 1)
		fault_why(fault, "it is one bad line too many");
	else if (kept == 0)
		*fault = (struct fault){ 0 };
	return kept == 0 ? 0 : -1;
}

int
import_record(struct import *import, int result, const char *bytes, size_t len,
    struct fault *fault)
{
	if (result != 0 && refuse(import, bytes, len, fault))
		return -1;
	if (import->done != NULL &&
	    import->done(import->cookie, result == 0, fault))
		return -1;
	return stop_check(fault);
}

int
import_line(
    struct import *import, const char **line, size_t *len, struct fault *fault)
{
	struct input *input = import->input;
	int taken;

	while ((taken = input_line(input, line, len, fault)) == -1 &&
	    fault->kind == FAULT_TOO_LONG && import->rejects != NULL) {
		fault->line = 0; /* of the record, which is that line */
		if (import_record(import, -1, *line, *len, fault) ||
		    input_skip_line(input, fault))
			return -1;
	}
	return taken;
}

static int
take_row(struct import *import, enum row_form form, const char *bytes,
    size_t len, const char *ns, const char *region, struct fault *fault)
{
	struct entry *entry = &import->row.entry;

	if (row_parse(&import->row, form, bytes, len, fault))
		return -1;
	if (entry->ns == NULL)
		entry->ns = ns;
	if (entry->region == NULL)
		entry->region = region;
	return import_check(import, fault) || import_keep(import, fault) ? -1
									 : 0;
}

int
import_row(struct import *import, enum row_form form, const char *bytes,
    size_t len, const char *ns, const char *region, struct fault *fault)
{
	int result = take_row(import, form, bytes, len, ns, region, fault);

	return import_record(import, result, bytes, len, fault);
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
