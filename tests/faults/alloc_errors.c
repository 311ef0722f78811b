/* links: forward; bench: spool saved world ordeal alloc; wrap: malloc calloc realloc strdup */
/*
 * alloc_errors [SEED]: every allocation fails (contract.md C8), once or from
 * there on for ever, in each scene of bench/ordeal.h, whether it is ours or
 * SQLite's, cJSON's or OpenSSL's; then some do and some do not.  Under a
 * sanitizer it also shows that nothing is used after it failed, or lost.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/alloc.h"
#include "bench/ordeal.h"

#define POINTS 120 /* of a scene, unless it is torture */

struct bench {
	struct ordeal ordeal;
	struct alloc alloc;
	uint64_t seed, chance;
	int64_t cases, calls;
};

/* ---- what goes wrong ---- */

static void
arm(void *cookie)
{
	alloc_hook(&((struct bench *)cookie)->alloc);
}

static void
disarm(void *cookie)
{
	(void)cookie;
	alloc_hook(NULL);
}

static bool
told(void *cookie, const struct fault *fault)
{
	(void)cookie;
	/* SQLite's check counts what it cannot read as damage */
	if (fault->kind == FAULT_CORRUPT)
		return strstr(fault->message, "damaged inside") != NULL;
	return (fault->kind == FAULT_IO_ERROR ||
		   fault->kind == FAULT_INTERNAL) &&
	    (strstr(fault->message, "memory") != NULL ||
		strstr(fault->why, "memory") != NULL);
}

static void
describe(void *cookie, char words[256])
{
	const struct bench *bench = cookie;
	const struct alloc *alloc = &bench->alloc;
	const char *then = alloc->for_ever ? " and after" : "";

	snprintf(words, 256, "allocation %" PRId64 "%s, seed %" PRIu64,
	    alloc->at, alloc->one_in > 1 ? " and some after" : then,
	    bench->seed);
}

/* ---- all allocations ---- */

static void
try(struct bench *bench, size_t scene)
{
	ordeal_try(&bench->ordeal, scene);
	bench->cases += bench->alloc.fired > 0;
}

static void
each_storm(struct bench *bench, size_t scene, int calls)
{
	static const int ONE_IN[] = { 2, 5, 20, 100 };
	struct alloc *alloc = &bench->alloc;
	int64_t storms = bench_count(60, 20000);

	while (storms-- > 0) {
		*alloc = (struct alloc){ .for_ever = true };
		alloc->at = 1 + bench_below(&bench->chance, calls);
		alloc->one_in = ONE_IN[bench_below(&bench->chance, 4)];
		alloc->chance = bench_random(&bench->chance);
		try(bench, scene);
	}
}

static void
each_call(struct bench *bench, size_t scene)
{
	struct alloc *alloc = &bench->alloc;
	int64_t calls, at, step;
	int how;

	*alloc = (struct alloc){ .at = 0 };
	try(bench, scene);
	calls = alloc->calls;
	bench->calls += calls;
	step = bench_torture() ? 1 : 1 + calls / POINTS;
	for (at = 1 + bench_below(&bench->chance, (int)step); at <= calls;
	     at += step)
		for (how = 0; how < 2; how++) {
			*alloc = (struct alloc){ .at = at,
				.for_ever = how != 0 };
			try(bench, scene);
		}
	each_storm(bench, scene, (int)calls);
}

int
main(int argc, char **argv)
{
	static struct bench bench;
	size_t scene;

	bench.seed = bench.chance = bench_start(argc, argv);
	bench.ordeal.arm = arm;
	bench.ordeal.disarm = disarm;
	bench.ordeal.told = told;
	bench.ordeal.describe = describe;
	bench.ordeal.cookie = &bench;
	bench.ordeal.forgets = true;
	alloc_install();
	ordeal_set_up(&bench.ordeal);
	for (scene = 0; scene < ordeal_count(); scene++) {
		bench.ordeal.once_open = true;
		each_call(&bench, scene);
		bench.ordeal.once_open = false;
		each_call(&bench, scene);
	}
	ordeal_tear_down(&bench.ordeal);
	printf("alloc_errors: C8, %" PRId64 " allocations in %zu scenes,"
	       " %" PRId64 " errors: %" PRId64 " failures told, %" PRId64
	       " of them with an unknown outcome, 0 rows half stored;"
	       " %.0f s CPU, seed %" PRIu64 "\n",
	    bench.calls, ordeal_count(), bench.cases, bench.ordeal.failures,
	    bench.ordeal.unknown, bench_cpu(), bench.seed);
	return 0;
}
