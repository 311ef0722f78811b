#ifndef BENCH_ALLOC_H
#define BENCH_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Memory runs out: the allocations of SQLite, cJSON, OpenSSL, libcurl and of
 * our own code (by the linker's --wrap) are counted, and some fail.
 */

struct alloc {
	int64_t at; /* the allocation that fails, from 1; 0: none */
	bool for_ever;
	int one_in;      /* 0: all of those, else some */
	uint64_t chance; /* which */
	int64_t calls, fired;
};

/** Stand between the libraries and malloc(); before their first use. */
void alloc_install(void);
/** Let allocations fail as ${alloc} says, which counts them; NULL: none. */
void alloc_hook(struct alloc *alloc);

#endif
