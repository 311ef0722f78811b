/* links: forward; bench: shim errors spool saved world */
/*
 * vfs_errors [SEED]: every call of the file system fails (contract.md C8),
 * once or from there on for ever, with EIO, ENOSPC or a write cut short, while
 * a queue is opened and one thing is done with it; then any of the calls.  Whatever fails must say so
 * with the right fault; nothing may be half done; once the cause is gone, the
 * same connection must work (a new one, where the outcome of a commit is
 * unknown), and the queue must pass its audit.  The forwarder must come to an
 * end by itself, without sending an answered row again.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "protocol/request.h"
#include "queue/audit.h"
#include "queue/db.h"
#include "queue/status.h"

#include "bench/errors.h"
#include "bench/saved.h"
#include "bench/shim.h"
#include "bench/spool.h"
#include "bench/world.h"

#define ROWS 120     /* in the queue beforehand */
#define SERIES 6     /* of which one is refused */
#define ROWS_MORE 70 /* put by a scenario */
#define WAL_MAX 65536
#define TURNS 60 /* of the forwarder while there are errors */
#define ENOUGH_TURNS 10000

struct bench {
	struct spool spool;
	struct saved saved;
	struct world_bench world;
	const struct scenario *scenario;
	struct errors errors;
	struct fault fault;
	uint64_t seed, chance;
	int64_t cases, failures, unknown, calls;
};

struct scenario {
	const char *name;
	/* With the open queue; 0, or -1 with bench->fault. */
	int (*run)(struct bench *bench);
	/* What it left open ends, once the cause is gone; or NULL. */
	void (*finish)(struct bench *bench);
	int rows; /* that it puts */
};

static void
fail(const struct bench *bench, const char *what)
{
	const struct errors *errors = &bench->errors;

	bench_die("vfs_errors: %s, %s in call %" PRId64 " (%s)%s: %s [%s: %s]"
		  ", seed %" PRIu64,
	    bench->scenario->name, error_kind_name(errors->kind), errors->at,
	    shim_call_name(errors->first),
	    errors->one_in > 1     ? " and some after"
		: errors->for_ever ? " and after"
				   : "",
	    what, fault_name(bench->fault.kind), bench->fault.message,
	    bench->seed);
}

/* ---- the queue it begins with ---- */

/* Part of it in the database, part in a log that is long already. */
static void
make(struct bench *bench)
{
	struct spool *spool = &bench->spool;
	struct spool_rows rows = { "cvm", 1, SERIES, 0, 0 };
	struct writer_result result;

	spool_set_up(spool);
	spool->settings.queue.wal_max = WAL_MAX;
	spool->settings.batch.max_rows = 20;
	if (spool_init(spool, &bench->fault) ||
	    spool_open(spool, &bench->fault))
		bench_die("cannot make the queue: %s", bench->fault.message);
	for (; rows.first < ROWS; rows.first += rows.rows) {
		rows.rows = rows.first == 0 ? SERIES : ROWS / 10;
		if (rows.first + rows.rows > ROWS)
			rows.rows = ROWS - (int)rows.first;
		if (spool_put(spool, &rows, &result, &bench->fault))
			bench_die("cannot put: %s", bench->fault.message);
	}
	spool_close(spool);
	saved_take(&bench->saved, spool);
	world_set_up(&bench->world, spool);
}

/* ---- scenarios ---- */

static const struct spool_rows MORE = { "cvm", ROWS_MORE, SERIES + 2, 5000, 0 };
static const struct spool_rows ONE = { "disk", 1, 1, 7000, 0 };

static int
run_put(struct bench *bench)
{
	struct writer_result result;

	return spool_put(&bench->spool, &ONE, &result, &bench->fault);
}

static int
run_bulk(struct bench *bench)
{
	struct writer_result result;

	return spool_bulk(&bench->spool, &MORE, &result, &bench->fault);
}

static int
run_audit(struct bench *bench)
{
	struct audit audit = { 0 };

	if (audit_run(bench->spool.db, true, &audit)) {
		bench->fault = *db_fault(bench->spool.db);
		return -1;
	}
	if (audit.problem_count > 0) {
		fault_set(
		    &bench->fault, FAULT_CORRUPT, "%s", audit.problems[0]);
		return -1;
	}
	return 0;
}

static int
see_row(void *cookie, const struct pending_row *row)
{
	*(int64_t *)cookie += row->id > 0;
	return 0;
}

/* What list and status do. */
static int
run_page(struct bench *bench)
{
	static const struct pending_filter ALL = {
		.accepted_before = -1, .accepted_after = -1, .state = -1
	};
	struct status status;
	int64_t seen = 0, told;

	told = status_list(bench->spool.db, &ALL, -1, see_row, &seen);
	if (told == -1 || status_read(bench->spool.db, -1, &status)) {
		bench->fault = *db_fault(bench->spool.db);
		return -1;
	}
	if (told != seen || seen != status.ledger.pending)
		fail(bench, "a list that ends early is no error");
	return 0;
}

/* Refuses one series in SERIES. */
static struct heard
dislikes_one(void *cookie, const struct request *request)
{
	(void)cookie;
	if (strstr(request->body.data, "\"d3\"") != NULL)
		return (struct heard){ .code = 1017 };
	return (struct heard){ .code = 0 };
}

static int
reopen_for_core(struct bench *bench)
{
	if (bench->spool.db != NULL)
		world_closes(&bench->world);
	spool_close(&bench->spool);
	if (spool_open(&bench->spool, &bench->fault))
		return -1;
	world_reopened(&bench->world);
	return 0;
}

/* A forwarder that tries as long as there are errors. */
static int
run_settle(struct bench *bench)
{
	struct world_bench *world = &bench->world;
	int turns = 0;

	world->receiver = dislikes_one;
	if (world_start(world, CORE_DRAIN, &bench->fault))
		return -1;
	while (turns++ < 3) {
		world_run(world, 100000, TURNS);
		if (world_lost(world) && reopen_for_core(bench))
			break;
	}
	memset(&bench->fault, 0, sizeof(bench->fault));
	return 0;
}

/* The same forwarder, once the cause is gone: it ends, and has sent nothing
 * twice that was answered. */
static void
finish_settle(struct bench *bench)
{
	struct world_bench *world = &bench->world;
	struct ledger_row ledger;

	if (bench->spool.db == NULL && reopen_for_core(bench))
		fail(bench, "the queue cannot be opened again");
	while (core_progress(world->core) == CORE_WORKING) {
		world_run(world, 100000, ENOUGH_TURNS);
		if (world_lost(world) && reopen_for_core(bench))
			fail(bench, "the queue cannot be opened again");
	}
	if (ledger_read(bench->spool.db, &ledger))
		fail(bench, "the ledger cannot be read");
	world_stop(world);
	if (ledger.pending != 0)
		fail(bench, "rows are left");
	if (ledger.dead != ROWS / SERIES)
		fail(bench, "not the rows died that were refused");
	if (world->taken != ledger.delivered)
		fail(bench, "an answered row was sent again");
}

static const struct scenario SCENARIOS[] = {
	{ "put", run_put, NULL, 1 },
	{ "bulk", run_bulk, NULL, ROWS_MORE },
	{ "audit", run_audit, NULL, 0 },
	{ "page", run_page, NULL, 0 },
	{ "settle", run_settle, finish_settle, 0 },
};

/* ---- judging ---- */

static void
check_fault(struct bench *bench)
{
	enum fault_kind kind = bench->fault.kind;

	bench->failures++;
	if (bench->fault.message[0] == '\0')
		fail(bench, "it failed without a word");
	if (kind == FAULT_OUTCOME_UNKNOWN) {
		bench->unknown++;
		if (bench->scenario->rows == 0)
			fail(bench, "a reader's outcome is unknown");
		return;
	}
	/* SQLite's check counts what it cannot read as damage */
	if (kind == FAULT_CORRUPT && bench->scenario->run == run_audit &&
	    bench->errors.first == SHIM_READ)
		return;
	if (kind !=
	    (bench->errors.kind == ERROR_IO ? FAULT_IO_ERROR : FAULT_DISK_FULL))
		fail(bench, "the fault is not the cause");
}

static int64_t
accepted(struct bench *bench)
{
	struct ledger_row ledger;
	char problem[256];

	if (!spool_sound(&bench->spool, problem))
		fail(bench, problem);
	if (ledger_read(bench->spool.db, &ledger))
		fail(bench, "the ledger cannot be read");
	return ledger.accepted;
}

static void
open_again(struct bench *bench)
{
	struct fault fault = bench->fault;

	spool_close(&bench->spool);
	if (spool_open(&bench->spool, &bench->fault))
		fail(bench, "the queue cannot be opened again");
	bench->fault = fault;
}

/* The cause is gone. */
static void
go_on(struct bench *bench, bool failed)
{
	const struct scenario *scenario = bench->scenario;
	bool unknown = failed && bench->fault.kind == FAULT_OUTCOME_UNKNOWN;
	int64_t stored;

	if (bench->spool.db == NULL || unknown)
		open_again(bench);
	stored = accepted(bench) - ROWS;
	if (stored != (failed ? 0 : scenario->rows) &&
	    !(unknown && stored == scenario->rows))
		fail(bench, "it is not all or nothing");
	if (scenario->run(bench))
		fail(bench, "it does not work again");
	if (scenario->finish != NULL)
		scenario->finish(bench);
	open_again(bench);
	if (accepted(bench) != ROWS + stored + scenario->rows)
		fail(bench, "what was stored is not there");
	spool_close(&bench->spool);
}

static void
try_queue(struct bench *bench)
{
	bool failed;

	saved_restore(&bench->saved, &bench->spool);
	memset(&bench->fault, 0, sizeof(bench->fault));
	bench->world.taken = 0;
	shim_hook(errors_before, NULL, &bench->errors);
	failed = spool_open(&bench->spool, &bench->fault) ||
	    bench->scenario->run(bench);
	shim_hook(NULL, NULL, NULL);
	if (failed)
		check_fault(bench);
	else if (bench->scenario->finish != NULL)
		bench->scenario->finish(bench);
	go_on(bench, failed);
}

/* A failed init leaves nothing behind. */
static void
try_init(struct bench *bench)
{
	struct spool *spool = &bench->spool;
	bool failed;

	memset(&bench->fault, 0, sizeof(bench->fault));
	spool_set_up(spool);
	shim_hook(errors_before, NULL, &bench->errors);
	failed = spool_init(spool, &bench->fault);
	shim_hook(NULL, NULL, NULL);
	if (failed) {
		check_fault(bench);
		if (rmdir(spool->dir) || mkdir(spool->dir, 0700))
			fail(bench, "a failed init leaves files behind");
		if (spool_init(spool, &bench->fault))
			fail(bench, "it does not work again");
	}
	open_again(bench);
	if (accepted(bench) != 0)
		fail(bench, "a new queue is not empty");
	spool_tear_down(spool);
}

/* ---- all calls ---- */

typedef void try_fn(struct bench *bench);

/* Some calls fail and some do not. */
static void
each_storm(struct bench *bench, try_fn *try, int calls)
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
		try(bench);
		bench->cases += errors->fired > 0;
	}
}

static void
each_call(struct bench *bench, try_fn *try)
{
	struct errors *errors = &bench->errors;
	int64_t calls;

	memset(errors, 0, sizeof(*errors));
	try(bench);
	calls = errors->calls;
	bench->calls += calls;
	for (int64_t at = 1; at <= calls; at++)
		for (int how = 0; how < ERROR_KINDS * 2; how++) {
			*errors = (struct errors){ .kind = (enum error_kind)(
						       how / 2),
				.at = at,
				.for_ever = how % 2 != 0 };
			try(bench);
			bench->cases += errors->fired > 0;
		}
	each_storm(bench, try, (int)calls);
}

int
main(int argc, char **argv)
{
	static const struct scenario INIT = { .name = "init" };
	static struct bench bench, init = { .scenario = &INIT };
	uint64_t seed = bench_start(argc, argv);
	size_t i;

	bench.seed = bench.chance = init.seed = init.chance = seed;
	shim_install();
	make(&bench);
	for (i = 0; i < sizeof(SCENARIOS) / sizeof(SCENARIOS[0]); i++) {
		bench.scenario = &SCENARIOS[i];
		each_call(&bench, try_queue);
	}
	world_tear_down(&bench.world);
	spool_tear_down(&bench.spool);
	saved_free(&bench.saved);
	each_call(&init, try_init);
	printf("vfs_errors: C8, %" PRId64 " calls in %zu scenarios, %" PRId64
	       " errors: %" PRId64 " failures told, %" PRId64
	       " of them with an unknown outcome, 0 rows half stored;"
	       " %.0f s CPU, seed %" PRIu64 "\n",
	    bench.calls + init.calls,
	    sizeof(SCENARIOS) / sizeof(SCENARIOS[0]) + 1,
	    bench.cases + init.cases, bench.failures + init.failures,
	    bench.unknown + init.unknown, bench_cpu(), seed);
	return 0;
}
