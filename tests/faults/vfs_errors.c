/* links: forward; bench: shim errors spool saved world ordeal */
/*
 * vfs_errors [SEED]: every call of the file system fails (contract.md C8),
 * once or from there on for ever, with EIO, ENOSPC or a write cut short, in
 * each scene of bench/ordeal.h; then some of the calls do and some do not.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>

#include "bench/errors.h"
#include "bench/ordeal.h"
#include "bench/shim.h"

#define CALLS_MOST 10000 /* of a scene */

struct bench {
	struct ordeal ordeal;
	struct errors errors;
	uint64_t seed, chance;
	int64_t cases, calls;
};

/* ---- what goes wrong ---- */

static void
arm(void *cookie)
{
	struct bench *bench = cookie;

	shim_hook(errors_before, NULL, &bench->errors);
}

static void
disarm(void *cookie)
{
	(void)cookie;
	shim_hook(NULL, NULL, NULL);
}

static bool
told(void *cookie, const struct fault *fault)
{
	const struct errors *errors = &((struct bench *)cookie)->errors;

	return fault->kind ==
	    (errors->kind == ERROR_IO ? FAULT_IO_ERROR : FAULT_DISK_FULL);
}

static void
describe(void *cookie, char words[256])
{
	const struct bench *bench = cookie;
	const struct errors *errors = &bench->errors;
	const char *then = errors->for_ever ? " and after" : "";

	snprintf(words, 256, "%s in call %" PRId64 " (%s)%s, seed %" PRIu64,
	    error_kind_name(errors->kind), errors->at,
	    shim_call_name(errors->first),
	    errors->one_in > 1 ? " and some after" : then, bench->seed);
}

/* ---- all calls ---- */

static void
try(struct bench *bench, size_t scene)
{
	ordeal_try(&bench->ordeal, scene);
	bench->cases += bench->errors.fired > 0;
}

/* Some calls fail and some do not. */
static void
each_storm(struct bench *bench, size_t scene, int calls)
{
	static const int ONE_IN[] = { 2, 5, 20, 100 };
	struct errors *errors = &bench->errors;
	int64_t storms = bench_count(100, 20000);

	while (storms-- > 0) {
		*errors = (struct errors){ .for_ever = true };
		errors->kind = (enum error_kind)bench_below(
		    &bench->chance, ERROR_KINDS);
		errors->at = 1 + bench_below(&bench->chance, calls);
		errors->one_in = ONE_IN[bench_below(&bench->chance, 4)];
		errors->chance = bench_random(&bench->chance);
		try(bench, scene);
	}
}

static void
each_call(struct bench *bench, size_t scene)
{
	static enum shim_call log[CALLS_MOST];
	struct errors *errors = &bench->errors;
	int64_t calls, at;
	int how;

	*errors = (struct errors){ .log = log, .log_room = CALLS_MOST };
	try(bench, scene);
	if (errors->calls > CALLS_MOST)
		bench_die("vfs_errors: more calls than foreseen");
	calls = errors->calls;
	bench->calls += calls;
	for (at = 1; at <= calls; at++)
		for (how = 0; how < ERROR_KINDS * 2; how++) {
			*errors = (struct errors){ .kind = (enum error_kind)(
						       how / 2),
				.at = at,
				.for_ever = how % 2 != 0 };
			if (errors_can(errors->kind, log[at - 1]))
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
	shim_install();
	ordeal_set_up(&bench.ordeal);
	for (scene = 0; scene < ordeal_count(); scene++)
		each_call(&bench, scene);
	ordeal_tear_down(&bench.ordeal);
	printf("vfs_errors: C8, %" PRId64 " calls in %zu scenes, %" PRId64
	       " errors: %" PRId64 " failures told, %" PRId64
	       " of them with an unknown outcome, 0 rows half stored;"
	       " %.0f s CPU, seed %" PRIu64 "\n",
	    bench.calls, ordeal_count(), bench.cases, bench.ordeal.failures,
	    bench.ordeal.unknown, bench_cpu(), bench.seed);
	return 0;
}
