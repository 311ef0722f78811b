#define _POSIX_C_SOURCE 200809L
#include "ordeal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/request.h"
#include "queue/audit.h"
#include "queue/db.h"
#include "queue/status.h"

#define ROWS 120     /* in the queue beforehand */
#define SERIES 6     /* of which one is refused */
#define ROWS_MORE 70 /* put by a scene */
#define BATCH 20
#define WAL_MAX 65536
#define TURNS 60 /* of the forwarder while things go wrong */
#define ENOUGH_TURNS 10000

struct ordeal_scene {
	const char *name;
	/* With the open queue; 0, or -1 with ordeal->fault. */
	int (*run)(struct ordeal *ordeal);
	/* What it left open ends, once the cause is gone; or NULL. */
	void (*finish)(struct ordeal *ordeal);
	int rows; /* that it puts */
};

static void
fail(const struct ordeal *ordeal, const char *what)
{
	char words[256];

	ordeal->describe(ordeal->cookie, words);
	bench_die("%s, %s: %s [%s: %s: %s]", ordeal->scene->name, words, what,
	    fault_name(ordeal->fault.kind), ordeal->fault.message,
	    ordeal->fault.why);
}

/* ---- the queue it begins with ---- */

/* Part of it in the database, part in a log that is long already. */
void
ordeal_set_up(struct ordeal *ordeal)
{
	struct spool *spool = &ordeal->spool;
	struct spool_rows rows = { "cvm", 1, SERIES, 0, 0 };
	struct writer_result result;

	spool_set_up(spool);
	spool->settings.queue.wal_max = WAL_MAX;
	spool->settings.batch.max_rows = BATCH;
	if (spool_init(spool, &ordeal->fault) ||
	    spool_open(spool, &ordeal->fault))
		bench_die("cannot make the queue: %s", ordeal->fault.message);
	for (; rows.first < ROWS; rows.first += rows.rows) {
		rows.rows = rows.first == 0 ? SERIES : ROWS / 10;
		if (rows.first + rows.rows > ROWS)
			rows.rows = ROWS - (int)rows.first;
		if (spool_put(spool, &rows, &result, &ordeal->fault))
			bench_die("cannot put: %s", ordeal->fault.message);
	}
	spool_close(spool);
	saved_take(&ordeal->saved, spool);
	world_set_up(&ordeal->world, spool);
}

void
ordeal_tear_down(struct ordeal *ordeal)
{
	world_tear_down(&ordeal->world);
	spool_tear_down(&ordeal->spool);
	saved_free(&ordeal->saved);
}

/* ---- scenes ---- */

static const struct spool_rows MORE = { "cvm", ROWS_MORE, SERIES + 2, 5000, 0 };
static const struct spool_rows ONE = { "disk", 1, 1, 7000, 0 };

static int
run_put(struct ordeal *ordeal)
{
	struct writer_result result;

	return spool_put(&ordeal->spool, &ONE, &result, &ordeal->fault);
}

static int
run_bulk(struct ordeal *ordeal)
{
	struct writer_result result;

	return spool_bulk(&ordeal->spool, &MORE, &result, &ordeal->fault);
}

static int
run_audit(struct ordeal *ordeal)
{
	struct audit audit = { 0 };

	if (audit_run(ordeal->spool.db, true, &audit)) {
		ordeal->fault = *db_fault(ordeal->spool.db);
		return -1;
	}
	if (audit.problem_count > 0) {
		fault_set(
		    &ordeal->fault, FAULT_CORRUPT, "%s", audit.problems[0]);
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
run_page(struct ordeal *ordeal)
{
	static const struct pending_filter ALL = {
		.accepted_before = -1, .accepted_after = -1, .state = -1
	};
	struct status status;
	int64_t seen = 0, told;

	told = status_list(ordeal->spool.db, &ALL, -1, see_row, &seen);
	if (told == -1 || status_read(ordeal->spool.db, -1, &status)) {
		ordeal->fault = *db_fault(ordeal->spool.db);
		return -1;
	}
	if (told != seen || seen != status.ledger.pending)
		fail(ordeal, "a list that ends early is no error");
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
reopen_for_core(struct ordeal *ordeal)
{
	if (ordeal->spool.db != NULL)
		world_closes(&ordeal->world);
	spool_close(&ordeal->spool);
	if (spool_open(&ordeal->spool, &ordeal->fault))
		return -1;
	world_reopened(&ordeal->world);
	return 0;
}

/* A forwarder that tries as long as there are errors. */
static int
run_settle(struct ordeal *ordeal)
{
	struct world_bench *world = &ordeal->world;
	int turns = 0;

	world->receiver = dislikes_one;
	if (world_start(world, CORE_DRAIN, &ordeal->fault))
		return -1;
	ordeal->meanwhile -= world->requests;
	while (turns++ < 3) {
		world_run(world, 100000, TURNS);
		if (world_lost(world) && reopen_for_core(ordeal))
			break;
	}
	ordeal->meanwhile += world->requests;
	memset(&ordeal->fault, 0, sizeof(ordeal->fault));
	return 0;
}

/* The same forwarder, once the cause is gone: it ends, and has sent nothing
 * twice that was answered. */
static void
finish_settle(struct ordeal *ordeal)
{
	struct world_bench *world = &ordeal->world;
	struct ledger_row ledger;
	int64_t twice;

	if (ordeal->spool.db == NULL && reopen_for_core(ordeal))
		fail(ordeal, "the queue cannot be opened again");
	while (core_progress(world->core) == CORE_WORKING) {
		world_run(world, 100000, ENOUGH_TURNS);
		if (world_lost(world) && reopen_for_core(ordeal))
			fail(ordeal, "the queue cannot be opened again");
	}
	if (ledger_read(ordeal->spool.db, &ledger))
		fail(ordeal, "the ledger cannot be read");
	world_stop(world);
	if (ledger.pending != 0)
		fail(ordeal, "rows are left");
	if (ledger.dead != ROWS / SERIES)
		fail(ordeal, "not the rows died that were refused");
	twice = world->taken - ledger.delivered;
	if (twice < 0 ||
	    twice > (ordeal->forgets ? ordeal->meanwhile * BATCH : 0))
		fail(ordeal, "an answered row was sent again");
}

static const struct ordeal_scene SCENES[] = {
	{ "put", run_put, NULL, 1 },
	{ "bulk", run_bulk, NULL, ROWS_MORE },
	{ "audit", run_audit, NULL, 0 },
	{ "page", run_page, NULL, 0 },
	{ "settle", run_settle, finish_settle, 0 },
	{ "init", NULL, NULL, 0 },
};
#define SCENE_COUNT (sizeof(SCENES) / sizeof(SCENES[0]))

/* ---- judging ---- */

static void
check_fault(struct ordeal *ordeal)
{
	enum fault_kind kind = ordeal->fault.kind;

	ordeal->failures++;
	if (ordeal->fault.message[0] == '\0')
		fail(ordeal, "it failed without a word");
	if (kind == FAULT_OUTCOME_UNKNOWN) {
		ordeal->unknown++;
		if (ordeal->scene->rows == 0)
			fail(ordeal, "a reader's outcome is unknown");
		return;
	}
	if (!ordeal->told(ordeal->cookie, &ordeal->fault))
		fail(ordeal, "the fault is not the cause");
}

static int64_t
accepted(struct ordeal *ordeal)
{
	struct ledger_row ledger;
	char problem[256];

	if (!spool_sound(&ordeal->spool, problem))
		fail(ordeal, problem);
	if (ledger_read(ordeal->spool.db, &ledger))
		fail(ordeal, "the ledger cannot be read");
	return ledger.accepted;
}

static void
open_again(struct ordeal *ordeal)
{
	struct fault fault = ordeal->fault;

	spool_close(&ordeal->spool);
	if (spool_open(&ordeal->spool, &ordeal->fault))
		fail(ordeal, "the queue cannot be opened again");
	ordeal->fault = fault;
}

/* The cause is gone. */
static void
go_on(struct ordeal *ordeal, bool failed)
{
	const struct ordeal_scene *scene = ordeal->scene;
	bool unknown = failed && ordeal->fault.kind == FAULT_OUTCOME_UNKNOWN;
	int64_t stored;

	if (ordeal->spool.db == NULL || unknown)
		open_again(ordeal);
	stored = accepted(ordeal) - ROWS;
	if (stored != (failed ? 0 : scene->rows) &&
	    !(unknown && stored == scene->rows))
		fail(ordeal, "it is not all or nothing");
	if (scene->run(ordeal))
		fail(ordeal, "it does not work again");
	if (scene->finish != NULL)
		scene->finish(ordeal);
	open_again(ordeal);
	if (accepted(ordeal) != ROWS + stored + scene->rows)
		fail(ordeal, "what was stored is not there");
	spool_close(&ordeal->spool);
}

static void
try_queue(struct ordeal *ordeal)
{
	bool failed;

	saved_restore(&ordeal->saved, &ordeal->spool);
	ordeal->world.taken = ordeal->meanwhile = 0;
	if (ordeal->once_open)
		open_again(ordeal);
	ordeal->arm(ordeal->cookie);
	failed = (!ordeal->once_open &&
		     spool_open(&ordeal->spool, &ordeal->fault)) ||
	    ordeal->scene->run(ordeal);
	ordeal->disarm(ordeal->cookie);
	if (failed)
		check_fault(ordeal);
	else if (ordeal->scene->finish != NULL)
		ordeal->scene->finish(ordeal);
	go_on(ordeal, failed);
}

/* A failed init leaves nothing behind. */
static void
try_init(struct ordeal *ordeal)
{
	struct spool *spool = &ordeal->spool, before = *spool;
	bool failed;

	spool_set_up(spool);
	ordeal->arm(ordeal->cookie);
	failed = spool_init(spool, &ordeal->fault);
	ordeal->disarm(ordeal->cookie);
	if (failed) {
		check_fault(ordeal);
		if (rmdir(spool->dir) || mkdir(spool->dir, 0700))
			fail(ordeal, "a failed init leaves files behind");
		if (spool_init(spool, &ordeal->fault))
			fail(ordeal, "it does not work again");
	}
	open_again(ordeal);
	if (accepted(ordeal) != 0)
		fail(ordeal, "a new queue is not empty");
	spool_tear_down(spool);
	*spool = before;
}

/* ---- all ---- */

size_t
ordeal_count(void)
{
	return SCENE_COUNT;
}

const char *
ordeal_name(size_t scene)
{
	return SCENES[scene].name;
}

void
ordeal_try(struct ordeal *ordeal, size_t scene)
{
	ordeal->scene = &SCENES[scene];
	memset(&ordeal->fault, 0, sizeof(ordeal->fault));
	if (ordeal->scene->run == NULL)
		try_init(ordeal);
	else
		try_queue(ordeal);
}
