/* links: forward capi; bench: shim spool disk */
/*
 * lost_sync [SEED [ROUNDS]]: a sync of the log fails once, and the pages that
 * it did not write are lost, though memory still has them (contract.md H12,
 * C8).  Then others write with success, each way it may go on: a process
 * after the other, a forwarder that opens anew before it closes, a handle of
 * the C API, with a reader that stays, with a checkpoint first, after one that
 * knew of no such frames and wrote nothing.  The power goes after every call:
 * the queue must be sound and hold every acknowledged row.
 *
 * Control: where the gate forgets the doubt, rows must be lost, or the test is
 * blind.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "monspool.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/queue.h"

#include "bench/disk.h"
#include "bench/spool.h"

#define DOUBT_AT 16   /* in the gate file */
#define UNKNOWN 10000 /* values of rows whose put failed begin here */
#define PUTS 4        /* after it */
#define WAL_MAX 65536 /* short, so that the log often begins anew */

enum way {
	PROCESSES,
	FORWARDER,
	HANDLE,
	READER,
	CHECKPOINT,
	BYSTANDER,
	WAYS
};

static const char *const WAY_NAMES[WAYS] = { "processes", "forwarder", "handle",
	"reader", "checkpoint", "bystander" };

struct bench {
	uint64_t chance;
	bool forgets;  /* the control */
	bool shortens; /* writers shorten the log */
	enum way way;
	struct spool spool, image;
	struct disk *disk;
	msp_queue *handle;
	struct db *reader;
	int fail_in; /* syncs of the log until one fails; 0: none does */
	int64_t acked;
	int64_t rounds, images, unknown, lost, unsound;
	char problem[400]; /* the first */
};

/* ---- the disk ---- */

static int
before(void *cookie, struct shim_event *event)
{
	struct bench *bench = cookie;

	if (event->call != SHIM_SYNC || !event->wal || bench->fail_in == 0 ||
	    --bench->fail_in > 0)
		return SQLITE_OK;
	disk_fail_sync(bench->disk, event, bench_random(&bench->chance));
	return SQLITE_IOERR_FSYNC;
}

static void
after(void *cookie, const struct shim_event *event)
{
	disk_record(((struct bench *)cookie)->disk, event);
}

/* ---- writers ---- */

static void
open_queue(struct bench *bench)
{
	struct fault fault = { 0 };

	if (spool_open(&bench->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
}

static void
open_handle(struct bench *bench)
{
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;
	msp_error error;

	opts.path = bench->spool.path;
	if (msp_open(&opts, &bench->handle, &error) != MSP_OK)
		bench_die("cannot open a handle: %s", error.message);
}

/* Put one row.  0; 1 where the sync failed in it: the outcome is unknown, or
 * it was the shortening of the log ahead of it that failed. */
static int
put_by_handle(struct bench *bench, int64_t value)
{
	int fail_in = bench->fail_in;
	msp_metric metric = MSP_METRIC_INIT;
	msp_error error;
	msp_status status;

	metric.ns = "cvm";
	metric.metric = "used";
	metric.value = (double)value;
	status = msp_put(bench->handle, &metric, NULL, &error);
	if (status != MSP_OK && fail_in == bench->fail_in)
		bench_die("cannot put: %s", error.message);
	return status != MSP_OK;
}

static int
put(struct bench *bench, int64_t value)
{
	struct spool_rows rows = {
		.ns = "cvm", .rows = 1, .series = 5, .first = value
	};
	struct writer_result result;
	struct fault fault = { 0 };
	int fail_in = bench->fail_in;

	if (bench->way == HANDLE)
		return put_by_handle(bench, value);
	if (spool_put(&bench->spool, &rows, &result, &fault) == 0)
		return 0;
	if (fail_in == bench->fail_in)
		bench_die("cannot put: %s: %s", fault.message, fault.why);
	return 1;
}

static void
put_and_note(struct bench *bench)
{
	if (put(bench, bench->acked))
		bench_die("a put failed that should not");
	bench->acked++;
	disk_note(bench->disk, (uint64_t)bench->acked);
}

/* A queue whose log has a few frames, or begins anew with the next, or is to
 * be shortened by it. */
static void
prepare(struct bench *bench)
{
	int puts;

	for (puts = bench_below(&bench->chance, 4); puts >= 0; puts--)
		put_and_note(bench);
	while (bench->shortens && place_size(bench->spool.place.wal) <= WAL_MAX)
		put_and_note(bench);
	if (bench_below(&bench->chance, 2) && bench->way != HANDLE &&
	    checkpoint_guarded(bench->spool.db, false) != CHECKPOINT_DONE)
		bench_die("cannot checkpoint: %s", db_error(bench->spool.db));
}

/* What the doubt is for: who comes next does not know. */
static void
forget_doubt(struct bench *bench)
{
	static const unsigned char none[8];
	int fd;

	if (!bench->forgets)
		return;
	fd = open(bench->spool.place.gate, O_WRONLY | O_CLOEXEC);
	if (fd == -1 ||
	    pwrite(fd, none, sizeof(none), DOUBT_AT) != sizeof(none))
		bench_die("cannot write to the gate");
	close(fd);
}

static void
open_reader(struct bench *bench)
{
	struct config config;
	struct fault fault = { 0 };

	bench->reader = queue_open(
	    bench->spool.path, DB_READER, 0, &config, &fault);
	if (bench->reader == NULL || db_begin_read(bench->reader) ||
	    db_data_version(bench->reader) == -1)
		bench_die("cannot read the queue: %s", fault.message);
	/* a snapshot is taken by the first look */
	sqlite3_exec(db_handle(bench->reader), "SELECT count(*) FROM lane",
	    NULL, NULL, NULL);
}

/* One that was there before begins to write, and gives it up: what failed is
 * no part of the log that it knows, and is left behind what it knows. */
static void
stand_by(struct bench *bench, struct db *bystander)
{
	if (bystander == NULL)
		return;
	if (db_begin(bystander))
		bench_die("cannot begin: %s", db_error(bystander));
	db_rollback(bystander);
	if (bench_below(&bench->chance, 2))
		checkpoint_guarded(bystander, false);
	db_close(bystander);
}

static struct db *
open_bystander(struct bench *bench)
{
	struct config config;
	struct fault fault = { 0 };
	struct db *db;

	if (bench->way != BYSTANDER)
		return NULL;
	db = queue_open(bench->spool.path, DB_WRITER, 0, &config, &fault);
	if (db == NULL)
		bench_die("cannot open the queue: %s", fault.message);
	return db;
}

/* The next writer comes. */
static void
reopen(struct bench *bench)
{
	struct spool old = bench->spool;

	if (bench->way == HANDLE)
		return; /* opens anew by itself */
	if (bench->way == FORWARDER) {
		open_queue(bench);
		spool_close(&old);
		return;
	}
	spool_close(&bench->spool);
	if (bench->way == READER && bench->reader == NULL)
		open_reader(bench);
	open_queue(bench);
}

static void
fail_and_go_on(struct bench *bench)
{
	struct db *bystander = open_bystander(bench);
	int puts;

	/* of two syncs where the log begins anew, of four where it is shortened
	 * ahead of that */
	bench->fail_in = 1 +
	    bench_below(&bench->chance, bench->shortens ? 4 : 2);
	while (bench->fail_in > 0) {
		if (put(bench, UNKNOWN + bench->unknown) == 0)
			continue;
		bench->unknown++;
	}
	if (bench->way != FORWARDER && bench->way != HANDLE)
		spool_close(&bench->spool);
	forget_doubt(bench);
	stand_by(bench, bystander);
	for (puts = 0; puts < PUTS; puts++) {
		if (bench->way != FORWARDER || puts == 0)
			reopen(bench);
		if (bench->way == CHECKPOINT)
			checkpoint_guarded(bench->spool.db, false);
		put_and_note(bench);
	}
}

static void
record(struct bench *bench)
{
	bench->acked = 0;
	bench->shortens = !bench->forgets &&
	    (bench->way == HANDLE || bench_below(&bench->chance, 3) == 0);
	spool_set_up(&bench->spool);
	if (bench->shortens)
		bench->spool.settings.queue.wal_max = WAL_MAX;
	bench->disk = disk_new(&bench->spool.place);
	shim_hook(before, after, bench);
	if (spool_init(&bench->spool, NULL))
		bench_die("cannot make the queue");
	if (bench->way == HANDLE)
		open_handle(bench);
	else
		open_queue(bench);
	prepare(bench);
	fail_and_go_on(bench);
	shim_hook(NULL, NULL, NULL);
	msp_close(bench->handle);
	db_close(bench->reader);
	bench->handle = NULL;
	bench->reader = NULL;
	spool_tear_down(&bench->spool);
}

/* ---- images ---- */

static bool
complain(struct bench *bench, enum disk_keep keep, const char *what)
{
	if (bench->problem[0] == '\0')
		snprintf(bench->problem, sizeof(bench->problem),
		    "round %" PRId64 " (%s), image %" PRId64 " (%d): %.300s",
		    bench->rounds, WAY_NAMES[bench->way], bench->images,
		    (int)keep, what);
	return false;
}

/* Acknowledged rows have the values 0, 1, ... */
static bool
judge_rows(struct bench *bench, enum disk_keep keep, uint64_t acked)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM metric"
	    " WHERE CAST(value AS INTEGER) < %" PRIu64,
	    acked);
	if (spool_ask(&bench->image, sql) == (int64_t)acked)
		return true;
	bench->lost++;
	return complain(bench, keep, "acknowledged rows are missing");
}

static bool
judge(struct bench *bench, enum disk_keep keep)
{
	struct fault fault = { 0 };
	char problem[256];
	uint64_t acked;
	bool good;

	if (!disk_state(bench->disk, 0, &acked))
		return true;
	bench->images++;
	if (spool_open(&bench->image, &fault)) {
		bench->unsound++;
		return complain(bench, keep, fault.message);
	}
	if ((good = spool_sound(&bench->image, problem))) {
		good = judge_rows(bench, keep, acked);
	} else {
		bench->unsound++;
		complain(bench, keep, problem);
	}
	spool_close(&bench->image);
	return good;
}

static bool
play(struct bench *bench)
{
	enum disk_keep keep;
	bool good = true;

	spool_set_up(&bench->image);
	while (disk_step(bench->disk))
		for (keep = DISK_SYNCED; keep < DISK_KEEPS; keep++) {
			disk_image(bench->disk, keep, &bench->chance,
			    &bench->image.place);
			good &= judge(bench, keep);
		}
	bench_remove_dir(bench->image.dir);
	disk_free(bench->disk);
	return good;
}

static bool
run(struct bench *bench, int64_t rounds)
{
	bool good = true;

	for (; good && bench->rounds < rounds; bench->rounds++) {
		bench->way = (enum way)(bench->rounds % WAYS);
		record(bench);
		good = play(bench) || bench->forgets;
	}
	return good;
}

int
main(int argc, char **argv)
{
	static struct bench bench, control = { .forgets = true };
	uint64_t seed = bench_start(argc, argv);
	int64_t rounds = argc > 2 ? strtoll(argv[2], NULL, 10)
				  : bench_count(30, 20000);
	bool good;

	bench.chance = control.chance = seed;
	shim_install();
	good = run(&bench, rounds);
	run(&control, rounds / 10 + WAYS);
	printf("lost_sync: H12 C8, %" PRId64 " syncs failed in %" PRId64
	       " rounds, %" PRId64 " images: %" PRId64 " lost, %" PRId64
	       " unsound; control: %" PRId64 " of %" PRId64
	       " lost or unsound%s; %.0f s CPU, seed %" PRIu64 "\n",
	    bench.unknown, bench.rounds, bench.images, bench.lost,
	    bench.unsound, control.lost + control.unsound, control.images,
	    control.lost + control.unsound == 0 ? " (BLIND)" : "", bench_cpu(),
	    seed);
	if (bench.problem[0] != '\0')
		printf("lost_sync: %s\n", bench.problem);
	return good && control.lost + control.unsound > 0 ? 0 : 1;
}
