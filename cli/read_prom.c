#include "read_prom.h"

#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "decimal.h"
#include "import.h"
#include "input.h"
#include "scan.h"

static const char EXAMPLE[] = "a sample is NAME{LABEL=\"VALUE\",...} NUMBER "
			      "[MILLISECONDS]";

static bool
is_name(const char *name, const char *also)
{
	const char *at;

	for (at = name; *at != '\0'; at++)
		if (!((*at >= 'a' && *at <= 'z') ||
			(*at >= 'A' && *at <= 'Z') || *at == '_' ||
			strchr(also, *at) != NULL ||
			(at > name && *at >= '0' && *at <= '9')))
			return false;
	return at > name;
}

/* The quoted value of a label, in which \n is a newline. */
static const char *
take_quoted(struct scan *scan)
{
	struct text *strings = &scan->strings;
	size_t start = strings->len;

	for (; !scan_at_end(scan) && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at + 1 < scan->end &&
		    strchr("\\\"n", scan->at[1]) != NULL) {
			scan->at++;
			text_addc(strings, *scan->at == 'n' ? '\n' : *scan->at);
		} else
			text_addc(strings, *scan->at);
	}
	text_addc(strings, '\0');
	return scan_skip(scan, '"') ? strings->data + start : NULL;
}

/* One label.  An empty one is the same as none. */
static int
read_label(struct scan *scan, struct row *row, struct fault *fault)
{
	const char *place = scan->at, *key, *value;

	key = scan_take(scan, "=, \t}\"", "");
	scan_skip_blanks(scan);
	if (!is_name(key, ""))
		return scan_refuse(
		    scan, place, "a label's name is missing", EXAMPLE, fault);
	if (!scan_skip(scan, '='))
		return scan_refuse(
		    scan, scan->at, "a label without its '='", EXAMPLE, fault);
	scan_skip_blanks(scan);
	if (!scan_skip(scan, '"'))
		return scan_refuse(scan, scan->at,
		    "a label's value stands in quotes", EXAMPLE, fault);
	if ((value = take_quoted(scan)) == NULL)
		return scan_refuse(scan, place,
		    "a label's value without its closing quote", EXAMPLE,
		    fault);
	if (value[0] == '\0')
		return 0;
	return scan_add_dimension(scan, row, place, key, value, fault);
}

static int
read_labels(struct scan *scan, struct row *row, struct fault *fault)
{
	for (scan_skip_blanks(scan); !scan_skip(scan, '}');
	     scan_skip_blanks(scan)) {
		if (read_label(scan, row, fault))
			return -1;
		scan_skip_blanks(scan);
		if (scan_skip(scan, ',') ||
		    (!scan_at_end(scan) && *scan->at == '}'))
			continue;
		return scan_refuse(scan, scan->at,
		    "labels end with '}' and have ',' between them", EXAMPLE,
		    fault);
	}
	return 0;
}

static int
read_value(struct scan *scan, struct row *row, struct fault *fault)
{
	const char *value;

	scan_skip_blanks(scan);
	scan->value = scan->at;
	value = scan_take(scan, " \t\r", "");
	if (value[0] == '\0')
		return scan_refuse(
		    scan, scan->at, "the value is missing", EXAMPLE, fault);
	if (decimal_read(value, strlen(value), &row->entry.value) == 0)
		return 0;
	return scan_refuse_value(scan, value,
	    "NaN and Inf cannot be sent: leave them out (grep -v), or "
	    "use --per-line",
	    fault);
}

static int
read_time(struct scan *scan, struct row *row, struct fault *fault)
{
	const char *time;

	scan_skip_blanks(scan);
	if (scan_at_end(scan))
		return 0;
	scan->time = scan->at;
	time = scan_take(scan, " \t\r", "");
	scan_skip_blanks(scan);
	if (number_read_whole(time, 0, INT64_MAX, &row->entry.observed_at) ==
		0 &&
	    scan_at_end(scan))
		return 0;
	return scan_refuse(scan, scan->time,
	    "behind the value there may be a time in milliseconds", EXAMPLE,
	    fault);
}

static int
read_sample(struct import *import, struct scan *scan, const char *line,
    size_t len, struct fault *fault)
{
	struct row *row = &import->row;

	if (scan_start(scan, row, line, len, fault))
		return -1;
	scan_skip_blanks(scan);
	row->entry.metric = scan_take(scan, "{ \t\r", "");
	if (!is_name(row->entry.metric, ":"))
		return scan_refuse(
		    scan, line, "a line is no sample", EXAMPLE, fault);
	scan_skip_blanks(scan);
	if (scan_skip(scan, '{') && read_labels(scan, row, fault))
		return -1;
	if (read_value(scan, row, fault) || read_time(scan, row, fault))
		return -1;
	return import_check(import, fault) || import_keep(import, fault) ? -1
									 : 0;
}

/* Whether nothing, or only a comment, stands on the line. */
static bool
is_comment(const char *line, size_t len)
{
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	return input_is_blank(line, len) || *line == '#';
}

int
read_prom(struct import *import, struct input *input, struct fault *fault)
{
	struct scan scan = { 0 };
	const char *line;
	size_t len;
	int taken, result;

	import->input = input;
	while ((taken = import_line(import, &line, &len, fault)) == 1) {
		if (is_comment(line, len))
			continue;
		result = read_sample(import, &scan, line, len, fault);
		if (import_record(import, result, line, len, fault)) {
			taken = -1;
			break;
		}
	}
	scan_free(&scan);
	return taken;
}
