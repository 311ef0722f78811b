#include "entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"

/* Dimensions that are sorted without asking for memory. */
#define SORT_STACK 16

/* Names are unique, so no two are equal. */
static void
sort(const struct entry_dimension **sorted, size_t count)
{
	const struct entry_dimension *moved;
	size_t i, at;

	for (i = 1; i < count; i++) {
		moved = sorted[i];
		for (at = i; at > 0; at--) {
			if (strcmp(sorted[at - 1]->key, moved->key) < 0)
				break;
			sorted[at] = sorted[at - 1];
		}
		sorted[at] = moved;
	}
}

static void
add_dimensions(
    struct text *text, const struct entry_dimension **sorted, size_t count)
{
	size_t i;

	text_addc(text, '{');
	for (i = 0; i < count; i++) {
		if (i > 0)
			text_addc(text, ',');
		text_add_json(text, sorted[i]->key, strlen(sorted[i]->key));
		text_addc(text, ':');
		text_add_json(text, sorted[i]->value, strlen(sorted[i]->value));
	}
	text_addc(text, '}');
}

static int
render_dimensions(const struct entry *entry, struct text *text)
{
	const struct entry_dimension *stack[SORT_STACK], **sorted = stack;
	size_t i, count = entry->dimension_count;

	if (count > SORT_STACK &&
	    (sorted = calloc(count, sizeof(*sorted))) == NULL)
		return -1;
	for (i = 0; i < count; i++)
		sorted[i] = &entry->dimensions[i];
	sort(sorted, count);
	add_dimensions(text, sorted, count);
	if (sorted != stack)
		free(sorted);
	return 0;
}

static int
render(const struct entry *entry, struct entry_wire *wire)
{
	text_clear(&wire->dimensions);
	text_clear(&wire->wire);
	if (render_dimensions(entry, &wire->dimensions))
		return -1;
	text_adds(&wire->wire, "{\"dimensions\":");
	text_add(&wire->wire, wire->dimensions.data, wire->dimensions.len);
	text_adds(&wire->wire, ",\"metricName\":");
	text_add_json(&wire->wire, entry->metric, strlen(entry->metric));
	text_adds(&wire->wire, ",\"value\":");
	wire->value_len = number_print(wire->value, entry->value);
	return wire->dimensions.failed || wire->wire.failed ? -1 : 0;
}

int
entry_render(const struct entry *entry, const struct config_checks *checks,
    struct entry_wire *wire, struct fault *fault)
{
	size_t row_bytes;

	if (render(entry, wire))
		return fault_errno(fault, ENOMEM, "cannot queue");
	row_bytes = wire->wire.len + wire->value_len + 1;
	if (checks->max_row_bytes <= 0 ||
	    row_bytes <= (size_t)checks->max_row_bytes)
		return 0;
	fault_set(fault, FAULT_TOO_LARGE,
	    "the row takes %zu bytes on the wire (at most %lld)", row_bytes,
	    (long long)checks->max_row_bytes);
	fault_hint(fault, "shorten its names or dimension values");
	return -1;
}

void
entry_wire_free(struct entry_wire *wire)
{
	text_free(&wire->dimensions);
	text_free(&wire->wire);
}
