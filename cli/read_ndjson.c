#include "read_ndjson.h"

#include <stddef.h>

#include "import.h"
#include "input.h"

int
read_ndjson(struct import *import, struct input *input, struct fault *fault)
{
	const char *line;
	size_t len;
	int taken;

	import->input = input;
	while ((taken = import_line(import, &line, &len, fault)) == 1) {
		if (input_is_blank(line, len))
			continue;
		if (import_row(
			import, ROW_NDJSON, line, len, NULL, NULL, fault))
			return -1;
	}
	return taken;
}
