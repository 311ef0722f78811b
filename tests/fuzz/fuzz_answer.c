/* links: protocol */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the bytes could say success at all, told without any parser: they
 * open and close an object, name a code and hold a zero, and none is outside
 * UTF-8's range. */
static int
could_deliver(const uint8_t *data, size_t size)
{
	static const char SPACE[] = " \t\r\n";
	size_t first = 0;
	size_t last = size;
	size_t i;

	while (first < last && strchr(SPACE, data[first]) != NULL)
		first++;
	while (last > first && strchr(SPACE, data[last - 1]) != NULL)
		last--;
	if (last - first < strlen("{\"code\":0}") || data[first] != '{' ||
	    data[last - 1] != '}' || memchr(data, '0', size) == NULL)
		return 0;
	for (i = 0; i < size; i++) {
		if (data[i] == 0 || data[i] == 0xc0 || data[i] == 0xc1 ||
		    data[i] > 0xf4)
			return 0;
	}
	for (i = first; i + 6 <= last; i++) {
		if (memcmp(data + i, "\"code\"", 6) == 0)
			return 1;
	}
	/* The name may be written with escapes. */
	return memchr(data, '\\', size) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer answer;

	answer_read(&answer, (const char *)data, size);
	if (answer.well_formed != (answer.code >= 0) ||
	    answer.well_formed != (answer.fault[0] == '\0') ||
	    answer.code > 999999 ||
	    memchr(answer.message, '\0', sizeof(answer.message)) == NULL)
		abort();
	if (answer.well_formed && answer.code == 0 &&
	    !could_deliver(data, size))
		abort();
	return 0;
}
