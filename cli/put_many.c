#include "put.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/number.h"
#include "chunks.h"
#include "cli.h"
#include "import.h"
#include "input.h"
#include "progress.h"
#include "read_api.h"
#include "read_csv.h"
#include "read_influx.h"
#include "read_ndjson.h"
#include "read_prom.h"
#include "rejects.h"
#include "stop.h"

typedef int reader(
    struct import *import, struct input *input, struct fault *fault);

static reader *const READERS[] = {
	[PUT_NDJSON] = read_ndjson,
	[PUT_API] = read_api,
	[PUT_CSV] = read_csv,
	[PUT_INFLUX] = read_influx,
	[PUT_PROM] = read_prom,
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

static bool
mentions(const char *line, size_t len, const char *member)
{
	size_t size = strlen(member), i;

	for (i = 0; i + size <= len; i++)
		if (memcmp(line + i, member, size) == 0)
			return true;
	return false;
}

/* A line whose brackets do not close begins a body, or is a row cut off. */
static enum put_format
guess_open(const char *line, size_t len)
{
	if (!mentions(line, len, "\"Data\"") &&
	    (mentions(line, len, "\"namespace\"") ||
		mentions(line, len, "\"metric\"")))
		return PUT_NDJSON;
	return PUT_API;
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
		return guess_open(line, len);
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
	    "\"metric\":...}; or name the format: -f csv, influx, prom");
	strncpy(fault->file, input->name, sizeof(fault->file) - 1);
	fault->line = input->line + 1;
	fault->column = 1;
	return -1;
}

/* With --per-line nothing that was good waits for the next input. */
static int
settle(struct chunks *chunks, int result, struct fault *fault)
{
	struct fault later = { 0 };

	if (!chunks->put->options->per_line)
		return result;
	if (result != 0) {
		chunks_commit(chunks, &later);
		return -1;
	}
	if (chunks_commit(chunks, fault))
		return -1;
	chunks->put->through_file = chunks->import->input->name;
	chunks->put->through_line = chunks->line;
	return 0;
}

static int
read_input(struct chunks *chunks, const char *name, struct fault *fault)
{
	const struct put_options *options = chunks->put->options;
	struct import *import = chunks->import;
	struct input input = { .interrupted = progress_poll,
		.waits = chunks_wait,
		.cookie = chunks };
	enum put_format format = (enum put_format)options->format;
	int result;

	if (input_open(&input, name, fault))
		return -1;
	import->input = &input;
	chunks->line = 0;
	result = find_format(&input, &format, fault);
	if (result == 0 && format != PUT_AUTO)
		result = READERS[format](import, &input, fault);
	result = settle(chunks, result, fault);
	import->input = NULL;
	input_close(&input);
	return result;
}

static int
read_inputs(struct chunks *chunks, struct fault *fault)
{
	const struct cli *cli = chunks->put->cli;
	int i;

	if (cli->word_count == 0)
		return read_input(chunks, "-", fault);
	for (i = 0; i < cli->word_count; i++)
		if (read_input(chunks, cli->words[i], fault))
			return -1;
	return 0;
}

/* What --per-line passed over is no success. */
static int
tell_rejects(const struct rejects *rejects, struct fault *fault)
{
	char count[NUMBER_TEXT_SIZE];

	if (rejects->count == 0)
		return 0;
	fault_set(fault, FAULT_BAD_ROW, "%s %s, the good ones are dealt with",
	    number_print_grouped(count, rejects->count),
	    rejects->count == 1 ? "line is bad" : "lines are bad");
	if (rejects->path != NULL)
		fault_hint(fault, "they are in %.100s, each with its fault",
		    rejects->path);
	else
		fault_hint(fault, "--rejects FILE keeps them");
	return -1;
}

/* What is left to do after a signal. */
static void
explain_stop(const struct put_options *options, struct fault *fault)
{
	if (!options->per_line) {
		fault_why(fault, "nothing was queued");
		fault_hint(fault, "put it again");
	} else if (options->key_prefix != NULL)
		fault_hint(fault,
		    "put it again with this --key-prefix: what is queued is "
		    "known");
	else
		fault_hint(fault,
		    "go on behind the line that it is done up to; with "
		    "--key-prefix all could be put again");
}

static int
import_all(struct put *put, struct import *import, struct fault *fault)
{
	struct chunks chunks;
	int result;

	import_start(import);
	result = chunks_open(&chunks, put, import, fault);
	if (result == 0)
		result = read_inputs(&chunks, fault);
	import_end(import);
	/* All input was read and is good: queue it, if that is still wanted. */
	if (result == 0 && !put->options->per_line)
		result = stop_check(fault);
	if (result == 0)
		result = chunks_commit(&chunks, fault);
	put->valid = import->rows;
	chunks_close(&chunks);
	import_free(import);
	return result;
}

int
put_many(struct put *put, struct fault *fault)
{
	const struct put_options *options = put->options;
	struct rejects rejects = { .path = options->rejects,
		.most = options->max_errors };
	struct import import = {
		.output = &put->cli->output,
		.checks = &put->config->checks,
		.strict = put->strict,
		.ns = options->ns,
		.region = options->region,
		.account = options->account,
		.observed_at = options->observed_at,
		.max_age_ms = options->max_age_ms,
		.defaults = put->defaults,
		.default_count = options->defaults.count,
		.csv_columns = options->csv_columns,
		.map = options->map,
		.key_prefix = options->key_prefix,
		.most = options->per_line ? 0 : IMPORT_ROWS,
		.rejects = options->per_line ? &rejects : NULL,
	};
	int result;

	if (rejects_open(&rejects, fault))
		return -1;
	stop_watch();
	result = import_all(put, &import, fault);
	if (result != 0 && fault->kind == FAULT_INTERRUPTED)
		explain_stop(options, fault);
	put->rejected = rejects.count;
	if (result == 0)
		result = tell_rejects(&rejects, fault);
	rejects_close(&rejects);
	return result;
}
