#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "decimal.h"

/* Where the field of ${fault} stands, or the beginning. */
static const char *
find_field(const struct scan *scan, const struct row *row, const char *field)
{
	size_t i;

	if (strcmp(field, "value") == 0 && scan->value != NULL)
		return scan->value;
	if (strcmp(field, "observed_at") == 0 && scan->time != NULL)
		return scan->time;
	if (strncmp(field, "dimensions", 10) != 0)
		return scan->line;
	/* Of two that are called the same the second is at fault. */
	for (i = scan->place_count; i > 0; i--)
		if (field[10] == '\0' ||
		    strcmp(field + 11, row->entry.dimensions[i - 1].key) == 0)
			return scan->line + scan->places[i - 1];
	return scan->line;
}

void
scan_set_place(const struct scan *scan, const char *place, struct fault *fault)
{
	json_place(scan->line, (size_t)(place - scan->line), &fault->line,
	    &fault->column);
}

static void
locate(const struct row *row, struct fault *fault)
{
	const struct scan *scan = row->locator;

	scan_set_place(scan, find_field(scan, row, fault->field), fault);
}

int
scan_start(struct scan *scan, struct row *row, const char *line, size_t len,
    struct fault *fault)
{
	const char *zero = memchr(line, '\0', len);

	row_start(row, line, len, locate);
	row->locator = scan;
	scan->line = scan->at = line;
	scan->end = line + len;
	scan->value = scan->time = NULL;
	scan->place_count = 0;
	text_clear(&scan->strings);
	/* All strings but the last few have a stop behind them, in whose place
	 * their NUL goes.  So there is room for all, and none ever moves. */
	if (text_reserve(&scan->strings, len + 8))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (zero == NULL)
		return 0;
	fault_set(fault, FAULT_BAD_VALUE, "the line has a NUL byte");
	fault_hint(fault, "remove it: the receiver takes plain text only");
	scan_set_place(scan, zero, fault);
	return -1;
}

void
scan_free(struct scan *scan)
{
	text_free(&scan->strings);
	free(scan->places);
	*scan = (struct scan){ 0 };
}

bool
scan_skip(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

void
scan_skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && memchr(" \t\r", *scan->at, 3) != NULL)
		scan->at++;
}

bool
scan_at_end(const struct scan *scan)
{
	return scan->at == scan->end;
}

const char *
scan_take(struct scan *scan, const char *stops, const char *escapable)
{
	size_t start = scan->strings.len;

	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '\\' && scan->at + 1 < scan->end &&
		    strchr(escapable, scan->at[1]) != NULL)
			scan->at++;
		else if (strchr(stops, *scan->at) != NULL)
			break;
		text_addc(&scan->strings, *scan->at);
	}
	text_addc(&scan->strings, '\0');
	return scan->strings.data + start;
}

static int
keep_place(struct scan *scan, size_t at, size_t place)
{
	size_t size = scan->place_size > 0 ? scan->place_size * 2 : 16;
	size_t *places;

	if (at >= scan->place_size) {
		places = realloc(scan->places, size * sizeof(*places));
		if (places == NULL)
			return -1;
		scan->places = places;
		scan->place_size = size;
	}
	scan->places[at] = place;
	scan->place_count = at + 1;
	return 0;
}

int
scan_add_dimension(struct scan *scan, struct row *row, const char *place,
    const char *key, const char *value, struct fault *fault)
{
	size_t at = row->entry.dimension_count;
	struct entry_dimension *dimension = row_add_dimension(row);

	if (dimension == NULL ||
	    keep_place(scan, at, (size_t)(place - scan->line)))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	dimension->key = key;
	dimension->value = value;
	return 0;
}

int
scan_refuse(const struct scan *scan, const char *place, const char *what,
    const char *hint, struct fault *fault)
{
	fault_set(fault, FAULT_BAD_ROW, "%s", what);
	fault_hint(fault, "%s", hint);
	scan_set_place(scan, place, fault);
	return -1;
}

int
scan_refuse_value(const struct scan *scan, const char *value, const char *hint,
    struct fault *fault)
{
	decimal_refuse(value, strlen(value), fault);
	fault_hint(fault, "%s", hint);
	scan_set_place(scan, scan->value, fault);
	return -1;
}
