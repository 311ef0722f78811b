#include "selection.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/number.h"
#include "base/text.h"
#include "input.h"

#define ID_SIZE 24

static int
add(struct selection *selection, int64_t first, int64_t last,
    struct fault *fault)
{
	struct selection_range *ranges;

	/* The size doubles whenever the count is a power of two. */
	if ((selection->count & (selection->count - 1)) == 0) {
		ranges = realloc(selection->ranges,
		    (selection->count * 2 + 1) * sizeof(*ranges));
		if (ranges == NULL)
			return fault_set(
			    fault, FAULT_INTERNAL, "out of memory");
		selection->ranges = ranges;
	}
	selection->ranges[selection->count++] = (struct selection_range){ first,
		last };
	return 0;
}

/* Read ${len} digits. */
static int
read_id(const char *digits, size_t len, int64_t *id)
{
	char copy[ID_SIZE];

	if (len == 0 || len >= sizeof(copy))
		return -1;
	memcpy(copy, digits, len);
	copy[len] = '\0';
	return number_read_whole(copy, 1, INT64_MAX, id);
}

static int
refuse(const char *word, size_t len, struct fault *fault)
{
	struct text shown = { 0 };

	text_add_escaped(&shown, word, len < 60 ? len : 60);
	fault_set(
	    fault, FAULT_USAGE, "\"%.120s\" is no id", text_string(&shown));
	fault_hint(fault,
	    "ids are numbers (17), ranges (104-120), or - for "
	    "standard input");
	text_free(&shown);
	return -1;
}

/* "17" or "104-120". */
static int
add_word(struct selection *selection, const char *word, size_t len,
    struct fault *fault)
{
	const char *dash = memchr(word, '-', len);
	size_t before = dash != NULL ? (size_t)(dash - word) : len;
	int64_t first, last;

	if (read_id(word, before, &first))
		return refuse(word, len, fault);
	last = first;
	if (dash != NULL && read_id(dash + 1, len - before - 1, &last))
		return refuse(word, len, fault);
	if (last < first)
		return refuse(word, len, fault);
	return add(selection, first, last, fault);
}

/* {"id":17,...}, as list prints it. */
static int
add_object(struct selection *selection, const char *line, size_t len,
    struct fault *fault)
{
	struct json_span span;

	if (json_check(line, len, fault))
		return -1;
	if (json_find(line, len, "id", &span)) {
		fault_set(
		    fault, FAULT_MISSING_MEMBER, "member \"id\" is missing");
		fault_hint(fault, "give lines as list --json prints them");
		fault_field(fault, "id");
		return -1;
	}
	return add_word(selection, span.start, span.len, fault);
}

static int
add_line(struct selection *selection, const char *line, size_t len,
    struct fault *fault)
{
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
		len--;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len == 0)
		return 0;
	if (*line == '{')
		return add_object(selection, line, len, fault);
	return add_word(selection, line, len, fault);
}

static int
add_input(struct selection *selection, struct fault *fault)
{
	struct input input = { 0 };
	const char *line;
	size_t len;
	int taken;

	if (input_open(&input, "-", fault))
		return -1;
	while ((taken = input_line(&input, &line, &len, fault)) == 1) {
		if (add_line(selection, line, len, fault) == 0)
			continue;
		strcpy(fault->file, "-");
		fault->line = input.line;
		taken = -1;
		break;
	}
	input_close(&input);
	if (taken == -1 && fault->kind == FAULT_TOO_LONG)
		fault_hint(fault, "one id, or an object with an id, a line");
	return taken;
}

int
selection_read(
    struct selection *selection, char **words, int count, struct fault *fault)
{
	int i;

	for (i = 0; i < count; i++) {
		if (strcmp(words[i], "-") == 0) {
			if (add_input(selection, fault))
				return -1;
		} else if (add_word(
			       selection, words[i], strlen(words[i]), fault))
			return -1;
	}
	return 0;
}

void
selection_free(struct selection *selection)
{
	free(selection->ranges);
}
