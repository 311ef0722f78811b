#include "read_ndjson.h"

#include <stdbool.h>
#include <stddef.h>

#include "import.h"
#include "input.h"

static bool
is_blank(const char *line, size_t len)
{
	while (len > 0 &&
	    (line[len - 1] == ' ' || line[len - 1] == '\t' ||
		line[len - 1] == '\r'))
		len--;
	return len == 0;
}

int
read_ndjson(struct import *import, struct input *input, struct fault *fault)
{
	const char *line;
	size_t len;
	int taken;

	while ((taken = input_line(input, &line, &len, fault)) == 1) {
		if (is_blank(line, len))
			continue;
		if (import_row(
			import, ROW_NDJSON, line, len, NULL, NULL, fault))
			return -1;
	}
	return taken;
}
