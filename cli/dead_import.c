#include "dead_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/writer.h"
#include "arena.h"
#include "cli.h"
#include "input.h"
#include "progress.h"

/* ---- one line ---- */

static int64_t
whole(const struct cJSON *tree, const char *name, int64_t none)
{
	const struct cJSON *member = cJSON_GetObjectItemCaseSensitive(
	    tree, name);

	if (!cJSON_IsNumber(member) || member->valuedouble < 0 ||
	    member->valuedouble > 1e9)
		return none;
	return (int64_t)member->valuedouble;
}

void
dead_import_history(
    const struct dead_import *import, struct dead_history *history)
{
	const struct cJSON *tree = import->row.tree;
	const char *accepted = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(tree, "accepted_at"));
	const char *message = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(tree, "message"));
	int64_t now_ms = clock_wall_ms();

	history->attempts = whole(tree, "attempts", 0);
	history->code = whole(tree, "code", -1);
	history->accepted_at = now_ms;
	if (accepted != NULL)
		(void)span_read_time(accepted, now_ms, &history->accepted_at);
	/* Nothing was accepted before 1970, nor will be tomorrow. */
	if (history->accepted_at < 0 || history->accepted_at > now_ms)
		history->accepted_at = now_ms;
	if (message == NULL)
		message = "imported";
	text_shown(history->message, sizeof(history->message), message,
	    strlen(message));
}

/* Dead rows may be corrected yet: only what can never be stored is refused. */
static int
read_row(struct dead_import *import, const char *line, size_t len,
    struct fault *fault)
{
	struct row *row = &import->row;
	const struct config_checks *checks = &import->config.checks;

	if (row_parse(row, ROW_NDJSON, line, len, fault)) {
		if (fault->kind == FAULT_UNKNOWN_MEMBER)
			fault_hint(fault,
			    "remove it; dead export and put -f "
			    "ndjson have the same members");
		return -1;
	}
	row->entry.key = NULL;
	return entry_check(&row->entry, checks,
		   import->replay && checks->strict, fault) ||
		entry_render(&row->entry, checks, &import->wire, fault)
	    ? -1
	    : 0;
}

/* ---- reading ---- */

static int
keep_line(struct dead_import *import, const char *line, size_t len,
    struct fault *fault)
{
	if (fwrite(line, 1, len, import->copy) != len ||
	    fputc('\n', import->copy) == EOF)
		return fault_errno(
		    fault, errno, "cannot keep a copy of the input");
	import->hash = text_hash(line, len, import->hash);
	import->bytes += (int64_t)len;
	import->rows++;
	progress_rows(import->rows);
	return 0;
}

static int
read_lines(struct dead_import *import, struct input *input, struct fault *fault)
{
	const char *line;
	size_t len;
	int taken;

	while ((taken = input_line(input, &line, &len, fault)) == 1) {
		if (input_is_blank(line, len))
			continue;
		if (read_row(import, line, len, fault)) {
			if (fault->line == 0)
				fault->column = 1;
			fault->line = input->line;
			strncpy(
			    fault->file, input->name, sizeof(fault->file) - 1);
			return -1;
		}
		if (keep_line(import, line, len, fault))
			return -1;
	}
	return taken;
}

int
dead_import_read(
    struct dead_import *import, const char *name, struct fault *fault)
{
	struct input input = { .interrupted = progress_poll };
	int result;

	import->first_id = import->last_id = -1;
	if (input_open(&input, name, fault)) {
		if (fault->kind == FAULT_NOT_FOUND)
			fault_hint(fault,
			    "name a file that dead export or "
			    "dead purge wrote, or - for standard "
			    "input");
		return -1;
	}
	if ((import->copy = tmpfile()) == NULL) {
		fault_errno(fault, errno, "cannot keep a copy of the input");
		input_close(&input);
		return -1;
	}
	arena_install();
	progress_start(&import->cli->output);
	result = read_lines(import, &input, fault);
	progress_end();
	input_close(&input);
	if (result == 0 &&
	    (fflush(import->copy) != 0 || fseek(import->copy, 0, SEEK_SET)))
		result = fault_errno(
		    fault, errno, "cannot keep a copy of the input");
	return result;
}

int
dead_import_next(
    struct dead_import *import, char **line, size_t *size, struct fault *fault)
{
	ssize_t len = getline(line, size, import->copy);

	if (len == -1)
		return ferror(import->copy)
		    ? fault_errno(
			  fault, errno, "cannot read the copy of the input")
		    : 0;
	if (len > 0 && (*line)[len - 1] == '\n')
		len--;
	return read_row(import, *line, (size_t)len, fault) ? -1 : 1;
}

void
dead_import_free(struct dead_import *import)
{
	writer_free(import->writer);
	row_free(&import->row);
	entry_wire_free(&import->wire);
	if (import->copy != NULL)
		fclose(import->copy);
}
