/* links: forward; bench: shim spool world */
/*
 * full_vfs [SEED [CYCLES]]: a disk that is full (contract.md C7, H7).  The
 * shim refuses to let the files of a queue grow beyond a disk's size, and the
 * ballast counts.  In cycles: rows are put until not one more is taken, for
 * want of disk or by the queue's own bound; then another program may take the
 * rest of the disk, and the forwarder start anew; then it must drain all,
 * the disk still as full as that, while a writer goes on trying in half of
 * the cycles, and a reader that keeps the log from being copied back holds on
 * for a while in half of those whose disk is full; then, idle, the forwarder
 * must tidy up until the ballast is back and rows are taken again.  Nothing
 * that was refused may be stored, and no answered row may be sent again.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include <sqlite3.h>

#include "queue/ballast.h"
#include "queue/db.h"
#include "queue/lock.h"
#include "queue/wish.h"

#include "bench/shim.h"
#include "bench/spool.h"
#include "bench/world.h"

#define MIB ((int64_t)1024 * 1024)
#define RESERVE (6 * MIB) /* the least there may be */
#define BOUND (16 * MIB)
#define TRANSACTION MIB /* what the last put that is taken may add */
#define IDLE_MS (20 * 60 * 1000)
#define SLICE 8 /* turns of the forwarder between two puts */
#define TURNS_MOST 30000
#define WIDE 200 /* of most rows, so that the disk is full soon */

struct bench {
	uint64_t seed, chance;
	struct spool spool, writer, reader;
	struct world_bench world;
	int64_t disk;           /* bytes that fit */
	bool bounded;           /* this cycle ends at the queue's own bound */
	bool released;          /* the ballast was, in this cycle */
	bool crowded;           /* the disk, by another program */
	int64_t accepted, most; /* rows; bytes of database and WAL */
	int64_t cycles, refused, by_bound, releases, meanwhile, readers, crowds;
};

static struct bench bench;

static void
fail(const char *what, const struct fault *fault)
{
	bench_die("full_vfs: cycle %" PRId64 ", %s: %s [%s], seed %" PRIu64,
	    bench.cycles, bench.bounded ? "bounded" : "disk full", what,
	    fault == NULL ? "" : fault->message, bench.seed);
}

/* ---- the disk ---- */

static int64_t
used(void)
{
	const struct place *place = &bench.spool.place;

	return place_size(place->file) + place_size(place->wal) +
	    place_size(place->ballast);
}

static int
on_call(void *cookie, struct shim_event *event)
{
	int64_t grown;

	(void)cookie;
	if (event->call != SHIM_WRITE || event->path == NULL)
		return SQLITE_OK;
	grown = event->offset + event->len - place_size(event->path);
	if (grown <= 0 || used() + grown <= bench.disk)
		return SQLITE_OK;
	shim_set_errno(ENOSPC);
	return SQLITE_FULL;
}

/* What place_free() is told: the queue shelf asks no other way. */
int
statvfs(const char *restrict path, struct statvfs *restrict fs)
{
	int64_t left = bench.disk - used();

	(void)path;
	memset(fs, 0, sizeof(*fs));
	fs->f_bsize = fs->f_frsize = 1;
	fs->f_bavail = fs->f_bfree = left > 0 ? (fsblkcnt_t)left : 0;
	return 0;
}

/* ---- puts ---- */

/* Put; what is refused must leave no trace.  Return whether it was taken. */
static bool
put(struct spool *spool, int rows, int width)
{
	struct spool_rows what = { .ns = "cvm",
		.rows = rows,
		.series = width > 0 ? 1000000 : 8,
		.width = width,
		.first = bench.accepted % 1000000 };
	struct writer_result result;
	struct ledger_row ledger;
	struct fault fault = { 0 };
	bool taken = spool_put(spool, &what, &result, &fault) == 0;

	if (taken)
		bench.accepted += rows;
	else if (fault.kind == FAULT_QUEUE_FULL && bench.bounded)
		bench.by_bound++;
	else if (fault.kind == FAULT_DISK_FULL && !bench.bounded)
		bench.refused++;
	else
		fail("it is refused for another reason", &fault);
	if (ledger_read(spool->db, &ledger) ||
	    ledger.accepted != bench.accepted)
		fail("what was refused is stored", NULL);
	return taken;
}

static void
look(void)
{
	const struct place *place = &bench.spool.place;
	int64_t size = place_size(place->file) + place_size(place->wal);

	if (size > bench.most)
		bench.most = size;
	if (bench.bounded && size > BOUND + TRANSACTION)
		fail("the queue is larger than its bound", NULL);
	if (!ballast_ready(place->ballast, RESERVE))
		bench.released = true;
}

static void
fill(void)
{
	static const int ROWS[] = { 1000, 100, 10, 1 };
	int width = bench_below(&bench.chance, 10) == 0 ? 0 : WIDE;
	size_t i;

	for (i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		while (put(&bench.writer, ROWS[i], width))
			look();
}

/* Another program takes what is left of the disk. */
static void
crowd(void)
{
	bench.crowded = !bench.bounded && bench_below(&bench.chance, 2) == 0;
	if (bench.crowded)
		bench.disk = used();
	bench.crowds += bench.crowded;
}

/* ---- the forwarder ---- */

static void
open_all(void)
{
	struct fault fault = { 0 };

	bench.writer = bench.reader = bench.spool;
	if (spool_open(&bench.spool, &fault) ||
	    spool_open(&bench.writer, &fault) ||
	    spool_open(&bench.reader, &fault))
		fail("the queue cannot be opened", &fault);
	if (world_start(&bench.world, CORE_RUN, &fault))
		fail("there is no forwarder", &fault);
}

static void
close_all(void)
{
	world_stop(&bench.world);
	spool_close(&bench.spool);
	spool_close(&bench.writer);
	spool_close(&bench.reader);
}

static int64_t
pending(void)
{
	struct ledger_row ledger;

	if (ledger_read(bench.spool.db, &ledger))
		fail("the ledger cannot be read", db_fault(bench.spool.db));
	return ledger.pending;
}

/* A writer beside the forwarder: it puts a few rows, or all that fit. */
static void
put_meanwhile(bool greedy)
{
	int64_t before = bench.accepted;

	if (greedy)
		fill();
	else
		put(&bench.writer, 1 + bench_below(&bench.chance, 50), WIDE);
	bench.meanwhile += bench.accepted - before;
	core_wake(bench.world.core);
}

/* A reader, from before the drain until it has gone on for so many slices. */
static int
hold_log(void)
{
	int slices = !bench.bounded && bench_below(&bench.chance, 2) == 0
	    ? 1 + bench_below(&bench.chance, 300)
	    : 0;
	struct ledger_row ledger;

	if (slices > 0 &&
	    (db_begin_read(bench.reader.db) ||
		ledger_read(bench.reader.db, &ledger)))
		fail("it cannot be read", db_fault(bench.reader.db));
	bench.readers += slices > 0;
	return slices;
}

static void
drain(void)
{
	int times[] = { 0, bench_below(&bench.chance, 200),
		bench_below(&bench.chance, 12) };
	int how = bench_below(&bench.chance, 3), turns = 0;
	int held = hold_log();

	bench.released = false;
	core_wake(bench.world.core);
	while (pending() > 0) {
		world_run(&bench.world, 10000, SLICE);
		if (turns++ > TURNS_MOST)
			fail("rows are left", db_fault(bench.spool.db));
		look();
		if (times[how]-- > 0)
			put_meanwhile(how == 2);
		if (held > 0 && --held == 0)
			db_end_read(bench.reader.db);
	}
	if (held > 0)
		db_end_read(bench.reader.db);
	bench.releases += bench.released;
}

/* An operator asks for something, while there is room for it. */
static void
ask(void)
{
	static const struct wish WISH = { .ask = LANE_ASK_RELEASE };
	struct lane_row lane;

	if (lane_list(bench.spool.db, 0, &lane, 1) == 1 &&
	    wish_store(bench.spool.db, lane.id, &WISH))
		fail("nothing can be asked for", db_fault(bench.spool.db));
}

/* The forwarder starts where no page more may be had. */
static void
restart(void)
{
	struct fault fault = { 0 };

	world_stop(&bench.world);
	if (world_start(&bench.world, CORE_RUN, &fault))
		fail("the forwarder cannot start", &fault);
}

static void
tidy(void)
{
	struct ledger_row ledger;
	char problem[256];

	world_run(&bench.world, IDLE_MS, 100000);
	if (!ballast_ready(bench.spool.place.ballast, RESERVE))
		fail("the ballast is not made again", NULL);
	if (!spool_sound(&bench.spool, problem))
		fail(problem, NULL);
	if (ledger_read(bench.spool.db, &ledger) ||
	    ledger.delivered != bench.accepted)
		fail("not all is delivered", NULL);
	if (bench.world.taken != bench.accepted)
		fail("an answered row was sent again", NULL);
}

static void
cycle(void)
{
	struct fault fault = { 0 };

	bench.bounded = bench.cycles % 2 != 0;
	bench.spool.settings.queue.max_size = bench.bounded ? BOUND : 0;
	bench.disk = bench.bounded
	    ? 64 * MIB
	    : 2 * RESERVE + 10 * MIB + MIB * bench_below(&bench.chance, 6);
	if (spool_init(&bench.spool, &fault))
		fail("the bound cannot be set", &fault);
	open_all();
	ask();
	fill();
	crowd();
	if (bench_below(&bench.chance, 2) == 0)
		restart();
	drain();
	if (bench.crowded)
		bench.disk += TRANSACTION * 4;
	tidy();
	close_all();
	bench.cycles++;
}

int
main(int argc, char **argv)
{
	int64_t cycles;
	bool blind;
	struct fault fault = { 0 };
	struct lock *lock;

	bench.seed = bench.chance = bench_start(argc, argv);
	cycles = argc > 2 ? strtoll(argv[2], NULL, 10) : bench_count(25, 2000);
	bench.disk = 64 * MIB;
	shim_install();
	spool_set_up(&bench.spool);
	bench.spool.settings.queue.reserve = RESERVE;
	bench.spool.settings.batch.max_rows = 500;
	world_set_up(&bench.world, &bench.spool);
	if (spool_init(&bench.spool, &fault))
		fail("there is no queue", &fault);
	if ((lock = lock_take(bench.spool.place.lock, &fault)) == NULL)
		fail("there is no lock", &fault);
	shim_hook(on_call, NULL, NULL);
	open_all();
	tidy();
	close_all();
	while (bench.cycles < cycles)
		cycle();
	shim_hook(NULL, NULL, NULL);
	lock_release(lock);
	world_tear_down(&bench.world);
	spool_tear_down(&bench.spool);
	/* a few cycles may do without */
	blind = bench.releases == 0 && cycles >= 10;
	printf("full_vfs: C7 H7, %" PRId64 " cycles, %" PRId64 " rows: %" PRId64
	       " puts refused by the disk, %" PRId64
	       " by the bound, ballast released in %" PRId64 " cycles%s,"
	       " %" PRId64
	       " of the rows while draining, a reader held on in %" PRId64
	       ", not a byte was left in %" PRId64
	       ", 0 rows lost or sent twice;"
	       " %.0f s CPU, seed %" PRIu64 "\n",
	    bench.cycles, bench.accepted, bench.refused, bench.by_bound,
	    bench.releases, blind ? " (BLIND)" : "", bench.meanwhile,
	    bench.readers, bench.crowds, bench_cpu(), bench.seed);
	return blind ? 1 : 0;
}
