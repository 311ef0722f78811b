/* links: reading */
#include "fuzz_reader.h"

#include "read_csv.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_all(read_csv, data, size);
}
