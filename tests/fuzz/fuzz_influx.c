/* links: reading */
#include "fuzz_reader.h"

#include "read_influx.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_all(read_influx, data, size);
}
