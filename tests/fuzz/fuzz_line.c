/* links: queue base */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"

#include "../../cli/arena.c"
#include "../../cli/row.c"
#include "../../cli/row_dimensions.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(void *cookie, const struct fault *fault)
{
	(void)cookie;
	(void)fault;
}

/* What is queued is what goes on the wire: it must be one JSON item in valid
 * UTF-8 without control characters. */
static void
check_wire(struct entry_wire *wire)
{
	text_add(&wire->wire, wire->value, wire->value_len);
	text_addc(&wire->wire, '}');
	if (json_check(wire->wire.data, wire->wire.len, NULL) ||
	    text_control(wire->wire.data, wire->wire.len) != -1)
		abort();
}

static void
try_line(enum row_form form, bool lenient, const char *line, size_t len)
{
	struct config config;
	struct row row = { .lenient = lenient, .note = ignore };
	struct entry_wire wire = { 0 };
	struct fault fault = { 0 };

	config_defaults(&config);
	if (row_parse(&row, form, line, len, &fault) == 0) {
		if (row.entry.ns == NULL)
			row.entry.ns = "cvm";
		if (entry_check(&row.entry, &config.checks, !lenient, &fault) ==
			0 &&
		    entry_render(&row.entry, &config.checks, &wire, &fault) ==
			0)
			check_wire(&wire);
	}
	if (fault.kind != FAULT_NONE && !lenient &&
	    (fault.message[0] == '\0' || fault_exit(fault.kind) == 0))
		abort();
	entry_wire_free(&wire);
	row_free(&row);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size > 0 ? size : 1);

	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	arena_install();
	try_line(ROW_NDJSON, false, line, size);
	try_line(ROW_NDJSON, true, line, size);
	try_line(ROW_API, false, line, size);
	free(line);
	return 0;
}
