#include "put.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "queue/db.h"
#include "queue/stage.h"
#include "cli.h"
#include "import.h"
#include "input.h"
#include "progress.h"
#include "read_api.h"
#include "read_ndjson.h"

typedef int reader(
    struct import *import, struct input *input, struct fault *fault);

static reader *const READERS[] = {
	[PUT_NDJSON] = read_ndjson,
	[PUT_API] = read_api,
};

/* Whether the brackets of ${line} close within it; strings are minded. */
static bool
is_whole(const char *line, size_t len)
{
	bool string = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (string) {
			if (line[i] == '\\')
				i++;
			else if (line[i] == '"')
				string = false;
		} else if (line[i] == '"')
			string = true;
		else if (line[i] == '{' || line[i] == '[')
			depth++;
		else if (line[i] == '}' || line[i] == ']')
			depth--;
	}
	return depth <= 0 && !string;
}

/* A body is an array, an object that goes on over several lines, or one that has
 * Data; anything else that begins with a brace is a row. */
static enum put_format
guess(const char *line, size_t len)
{
	struct json_span data;

	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len > 0 && *line == '[')
		return PUT_API;
	if (len == 0 || *line != '{')
		return PUT_AUTO;
	if (!is_whole(line, len))
		return PUT_API;
	if (json_check(line, len, NULL) == 0 &&
	    json_find(line, len, "Data", &data) == 0)
		return PUT_API;
	return PUT_NDJSON;
}

/* Look at the first line.  PUT_AUTO stays for an input without any. */
static int
find_format(struct input *input, enum put_format *format, struct fault *fault)
{
	const char *line;
	size_t len;
	int peeked;

	if (*format != PUT_AUTO)
		return 0;
	if (input_skip_blank(input, fault) ||
	    (peeked = input_peek(input, &line, &len, fault)) == -1)
		return -1;
	if (peeked == 0 || (*format = guess(line, len)) != PUT_AUTO)
		return 0;
	fault_set(fault, FAULT_BAD_JSON, "neither NDJSON nor a request body");
	fault_hint(fault,
	    "each line is an object: {\"namespace\":\"cvm\","
	    "\"metric\":...}; -f names the format");
	strncpy(fault->file, input->name, sizeof(fault->file) - 1);
	fault->line = input->line + 1;
	fault->column = 1;
	return -1;
}

static int
read_input(struct put *put, struct import *import, const char *name,
    struct fault *fault)
{
	struct input input = { .interrupted = progress_poll };
	enum put_format format = (enum put_format)put->options->format;
	int result;

	if (input_open(&input, name, fault))
		return -1;
	import->input = &input;
	result = find_format(&input, &format, fault);
	if (result == 0 && format != PUT_AUTO)
		result = READERS[format](import, &input, fault);
	import->input = NULL;
	input_close(&input);
	return result;
}

static int
read_inputs(struct put *put, struct import *import, struct fault *fault)
{
	int i;

	if (put->cli->word_count == 0)
		return read_input(put, import, "-", fault);
	for (i = 0; i < put->cli->word_count; i++)
		if (read_input(put, import, put->cli->words[i], fault))
			return -1;
	return 0;
}

/* All input was read and is good: queue it. */
static int
commit(struct put *put, struct stage *stage, struct fault *fault)
{
	struct writer *writer;
	int result;

	if (stage == NULL || stage_rows(stage) == 0)
		return 0;
	if ((writer = writer_new(put->db, put->config, fault)) == NULL)
		return -1;
	result = stage_commit(stage, writer, put->now_ms, &put->result, fault);
	writer_free(writer);
	return result;
}

int
put_many(struct put *put, struct fault *fault)
{
	struct import import = {
		.output = &put->cli->output,
		.checks = &put->config->checks,
		.strict = put->strict,
		.ns = put->options->ns,
		.region = put->options->region,
		.account = put->options->account,
		.observed_at = put->options->observed_at,
		.max_age_ms = put->options->max_age_ms,
		.defaults = put->defaults,
		.default_count = put->options->defaults.count,
	};
	int result = -1;

	if (!put->options->check &&
	    (import.stage = stage_new(db_place(put->db)->dir, fault)) == NULL)
		return -1;
	import_start(&import);
	result = read_inputs(put, &import, fault);
	import_end(&import);
	if (result == 0)
		result = commit(put, import.stage, fault);
	put->valid = import.rows;
	import_free(&import);
	stage_free(import.stage);
	return result;
}
