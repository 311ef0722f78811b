/* links: reading */
#define FUZZ_JSON true
#include "fuzz_reader.h"

#include "read_api.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_all(read_api, data, size);
}
