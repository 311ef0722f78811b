#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"

#include "import.h"
#include "input.h"
#include "output.h"
#include "rejects.h"

/* Of JSON the hints are those of output.c. */
#ifndef FUZZ_JSON
#define FUZZ_JSON false
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int reader(
    struct import *import, struct input *input, struct fault *fault);

/* What is queued is what goes on the wire: it must be one JSON item in valid
 * UTF-8 without control characters.  What is refused has its reason. */
static inline int
fuzz_done(void *cookie, bool taken, struct fault *fault)
{
	struct import *import = cookie;
	struct entry_wire *wire = &import->wire;
	struct text item = { 0 };

	(void)fault;
	if (!taken)
		return 0;
	text_add(&item, wire->wire.data, wire->wire.len);
	text_add(&item, wire->value, wire->value_len);
	text_addc(&item, '}');
	if (json_check(item.data, item.len, NULL) ||
	    text_control(item.data, item.len) != -1)
		abort();
	text_free(&item);
	return 0;
}

static inline void
fuzz_reader(
    reader *read, bool strict, bool per_line, const uint8_t *data, size_t size)
{
	static const struct output OUTPUT = {
		.program = "fuzz", .command = "put", .quiet = true
	};
	struct config config;
	struct rejects rejects = { .most = -1, .fd = -1 };
	struct import import = { .output = &OUTPUT,
		.checks = &config.checks,
		.strict = strict,
		.ns = "cvm",
		.observed_at = -1,
		.max_age_ms = -1,
		.key_prefix = "k",
		.rejects = per_line ? &rejects : NULL,
		.done = fuzz_done,
		.cookie = &import };
	struct input input = { .name = "fuzz", .fd = -1, .eof = true };
	struct fault fault = { 0 };

	config_defaults(&config);
	/* A block of its own length: a sanitizer sees one byte more. */
	if ((input.data = malloc(size > 0 ? size : 1)) == NULL)
		return;
	if (size > 0)
		memcpy(input.data, data, size);
	input.size = input.end = size;
	import_start(&import);
	if (read(&import, &input, &fault) != 0 &&
	    (fault.message[0] == '\0' || fault_exit(fault.kind) != 65 ||
		(fault.hint[0] == '\0' && !FUZZ_JSON) || fault.line < 1 ||
		fault.column < 1))
		abort();
	import_free(&import);
	rejects_close(&rejects);
	free(input.data);
}

static inline int
fuzz_all(reader *read, const uint8_t *data, size_t size)
{
	fuzz_reader(read, true, false, data, size);
	fuzz_reader(read, false, true, data, size);
	return 0;
}

#endif
