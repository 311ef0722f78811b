/* links: forward; bench: shim spool disk world old */
/*
 * crash_images [SEED [IMAGES]]: the power goes at every moment (contract.md
 * C1, C12, C16).  Random work is done on a queue (puts, bulk puts, a forwarder
 * whose rows are delivered, refused and cut, replays, edits and purges of the
 * dead, rows dropped, checkpoints, idle work, init, and in every other round
 * the upgrade of an old queue that has rows of all kinds), and every call that
 * changes its files is recorded.  After each of them what may then be found on
 * the disk is built, four ways (disk.h), and opened as any program would: it
 * must be a queue that passes its checks and its audit, be what the last
 * acknowledged commit made it, or the one that was under way, and go on with
 * the ids.  While the queue is made there is none, and another init makes
 * one.
 *
 * Control: with synchronous=NORMAL acknowledged commits must be missing from
 * some images, or the test is blind.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "queue/audit.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/drop.h"
#include "queue/edit.h"
#include "queue/purge.h"
#include "queue/queue.h"
#include "queue/replay.h"
#include "queue/reshape.h"
#include "queue/schema.h"
#include "queue/series.h"
#include "queue/upkeep.h"

#include "bench/disk.h"
#include "bench/old.h"
#include "bench/spool.h"
#include "bench/world.h"

#define WORKS 40 /* pieces of work in a round */
#define ROWS_MOST 25
#define WAL_MAX 65536 /* short, so that the log often begins anew */

struct bench {
	uint64_t chance;
	bool normal;               /* the control */
	struct spool spool, model; /* model: what old queues hold */
	struct disk *disk;
	struct world_bench world;
	struct place image;
	char image_dir[BENCH_DIR];
	int64_t images, steps, commits, none, made, lost, wrong, rows;
	char problem[400]; /* the first */
	int64_t rounds, upgrades;
	bool old; /* this round's queue was made by old_make() */
};

/* ---- what a queue holds, as a number ---- */

static const char *const CONTENTS[] = {
	"SELECT * FROM ledger",
	"SELECT lane_id, id, series_id, value, attempts FROM metric",
	"SELECT id, series_id, value, code, cause FROM dead_letter",
	"SELECT id, namespace, pending FROM lane",
	"SELECT id, metric, dimensions, wire FROM series",
	"SELECT * FROM origin",
	"SELECT * FROM edit",
};

static uint64_t
hash_text(uint64_t hash, const unsigned char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		hash = (hash ^ *text) * 1099511628211U; /* FNV-1a */
	return (hash ^ 0xff) * 1099511628211U;
}

static int
hash_rows(struct sqlite3 *handle, const char *sql, uint64_t *hash)
{
	sqlite3_stmt *stmt = NULL;
	int code, i;

	code = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
	if (code == SQLITE_OK)
		while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
			for (i = 0; i < sqlite3_column_count(stmt); i++)
				*hash = hash_text(
				    *hash, sqlite3_column_text(stmt, i));
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? 0 : -1;
}

/* 0 when it cannot be read. */
static uint64_t
state_of(struct sqlite3 *handle)
{
	uint64_t hash = 14695981039346656037U;
	size_t i;

	for (i = 0; i < sizeof(CONTENTS) / sizeof(CONTENTS[0]); i++)
		if (hash_rows(handle, CONTENTS[i], &hash))
			return 0;
	return hash | 1;
}

/* ---- work, recorded ---- */

/* Called when a commit of our connection is done. */
static int
on_commit(void *cookie, struct sqlite3 *handle, const char *name, int frames)
{
	struct bench *bench = cookie;

	(void)name;
	(void)frames;
	if (bench->disk == NULL) /* the model is not recorded */
		return SQLITE_OK;
	disk_note(bench->disk, state_of(handle));
	bench->commits++;
	return SQLITE_OK;
}

static void
open_queue(struct bench *bench)
{
	struct fault fault = { 0 };

	if (spool_open(&bench->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
	sqlite3_wal_hook(db_handle(bench->spool.db), on_commit, bench);
	if (bench->normal && db_run(bench->spool.db, "PRAGMA synchronous=1"))
		bench_die("cannot lower synchronous");
}

static void
put(struct bench *bench, bool bulk)
{
	struct spool_rows rows = { .ns = "cvm",
		.rows = 1 + bench_below(&bench->chance, ROWS_MOST),
		.series = 5,
		.first = bench->rows };
	struct writer_result result;
	struct fault fault = { 0 };

	if (bench_below(&bench->chance, 4) == 0)
		rows.ns = "disk";
	if (bench_below(&bench->chance, 3) == 0)
		rows.rows = 1;
	if ((bulk ? spool_bulk : spool_put)(
		&bench->spool, &rows, &result, &fault))
		bench_die("cannot put: %s", fault.message);
	bench->rows += rows.rows;
}

static void
work_put(struct bench *bench)
{
	put(bench, false);
}

static void
work_bulk(struct bench *bench)
{
	put(bench, true);
}

static void
work_forward(struct bench *bench)
{
	struct fault fault = { 0 };

	if (world_start(&bench->world, CORE_RUN, &fault))
		bench_die("cannot forward: %s", fault.message);
	world_run(&bench->world, 100000, 2 + bench_below(&bench->chance, 12));
	world_stop(&bench->world);
}

static void
work_checkpoint(struct bench *bench)
{
	if (checkpoint_guarded(bench->spool.db, false) == CHECKPOINT_FAILED)
		bench_die("cannot checkpoint: %s", db_error(bench->spool.db));
}

static void
reopen_queue(struct bench *bench)
{
	spool_close(&bench->spool);
	open_queue(bench);
}

/* Whoever collects series must not be a writer, which remembers them. */
static void
work_idle(struct bench *bench)
{
	struct ledger_row ledger;
	int64_t cursor = 0;

	if (upkeep_vacuum(bench->spool.db, 250) ||
	    series_collect(bench->spool.db, &cursor, 100) == -1 ||
	    ledger_read(bench->spool.db, &ledger) ||
	    upkeep_remember(bench->spool.db, bench->commits, &ledger, 10))
		bench_die(
		    "cannot keep the house: %s", db_error(bench->spool.db));
	reopen_queue(bench);
}

/* ---- of the dead ---- */

#define DEAD_MOST 8

static int
first_dead(struct bench *bench, int64_t ids[DEAD_MOST])
{
	static const char FIRST[] =
	    "SELECT id FROM dead_letter ORDER BY id LIMIT 8";
	sqlite3_stmt *stmt = NULL;
	int count = 0;

	sqlite3_prepare_v2(db_handle(bench->spool.db), FIRST, -1, &stmt, NULL);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		ids[count++] = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return count;
}

static int
edit_dead(struct bench *bench, const int64_t *ids, size_t count)
{
	struct reshape_change change = { .verb = RESHAPE_SET,
		.key = "disk",
		.value = bench_below(&bench->chance, 2) ? "d1" : "d9" };
	struct edit edit = { .changes = &change,
		.change_count = 1,
		.config = &bench->spool.config,
		.operation_id = -1,
		.edited_by = "bench",
		.now_ms = 1700000000000 + bench->commits };

	return edit_rows(bench->spool.db, &edit, ids, count);
}

static void
work_dead(struct bench *bench)
{
	struct db *db = bench->spool.db;
	int64_t ids[DEAD_MOST];
	size_t count = (size_t)first_dead(bench, ids);
	int how = bench_below(&bench->chance, 4);
	bool failed = db_begin(db) != 0;

	if (how == 0)
		failed |= purge_rows(db, ids, count) == -1;
	else if (how == 1)
		failed |= replay_rows(db, ids, count, 0, true) == -1;
	else
		failed |= edit_dead(bench, ids, count) != 0;
	if (failed || db_commit(db))
		bench_die("cannot treat the dead: %s", db_error(db));
	reopen_queue(bench);
}

static void
work_drop(struct bench *bench)
{
	struct db *db = bench->spool.db;

	if (db_begin(db) || drop_oldest(db, INT64_MAX, 3) == -1 ||
	    db_commit(db))
		bench_die("cannot drop rows: %s", db_error(db));
}

static void
work_init(struct bench *bench)
{
	struct fault fault = { 0 };

	spool_close(&bench->spool);
	if (spool_init(&bench->spool, &fault))
		bench_die("cannot init again: %s", fault.message);
	open_queue(bench);
}

static void (*const WORK[])(struct bench *bench) = {
	work_put,
	work_put,
	work_put,
	work_bulk,
	work_forward,
	work_forward,
	work_checkpoint,
	work_idle,
	work_dead,
	work_dead,
	work_drop,
	work_init,
};

static void
set_up(struct bench *bench)
{
	spool_set_up(&bench->spool);
	bench->spool.settings.queue.wal_max = WAL_MAX;
	world_set_up(&bench->world, &bench->spool);
	bench->world.no_housekeeping = true;
	bench->world.receiver = world_takes_most;
	bench->world.cookie = &bench->chance;
}

static void
make_queue(struct bench *bench)
{
	struct fault fault = { 0 };

	if (spool_init(&bench->spool, &fault))
		bench_die("cannot make the queue: %s", fault.message);
	open_queue(bench);
}

static void
work(struct bench *bench)
{
	int works;

	for (works = 0; works < WORKS; works++)
		WORK[bench_below(
		    &bench->chance, sizeof(WORK) / sizeof(WORK[0]))](bench);
}

/* A queue in which all has happened that can. */
static void
make_model(struct bench *bench)
{
	set_up(bench);
	make_queue(bench);
	do
		work(bench);
	while (spool_ask(&bench->spool,
		   "SELECT min(dead, pending, delivered,"
		   " dropped, purged, replayed) FROM ledger") == 0);
	world_tear_down(&bench->world);
	spool_close(&bench->spool);
	bench->model = bench->spool;
}

/* Opening it is its upgrade.  It is one once its file says so, as that of
 * every queue does when it has been made. */
static void
make_old(struct bench *bench)
{
	int version = 1 + bench_below(&bench->chance, schema_latest() - 1);
	struct sqlite3 *handle;
	uint64_t state;

	handle = old_make(&bench->spool, &bench->model, version);
	state = state_of(handle);
	sqlite3_close(handle);
	disk_note(bench->disk, state);
	bench->upgrades++;
}

static void
record(struct bench *bench)
{
	set_up(bench);
	bench->disk = disk_new(&bench->spool.place);
	shim_hook(NULL, disk_record, bench->disk);
	bench->old = bench->rounds++ % 2 == 1;
	if (bench->old)
		make_old(bench);
	make_queue(bench);
	disk_note(bench->disk, state_of(db_handle(bench->spool.db)));
	work(bench);
	shim_hook(NULL, NULL, NULL);
	world_tear_down(&bench->world);
	spool_tear_down(&bench->spool);
}

/* ---- images, judged ---- */

static bool
complain(struct bench *bench, enum disk_keep keep, const char *what)
{
	static const char *const KEEPS[] = { "synced", "all", "part", "torn" };

	if (bench->problem[0] == '\0')
		snprintf(bench->problem, sizeof(bench->problem),
		    "image %" PRId64 " (%s): %.300s", bench->images,
		    KEEPS[keep], what);
	return false;
}

static bool
quick_check(struct db *db)
{
	sqlite3_stmt *stmt = NULL;
	bool whole = false;

	if (sqlite3_prepare_v2(db_handle(db), "PRAGMA quick_check(1)", -1,
		&stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		whole = strcmp((const char *)sqlite3_column_text(stmt, 0),
			    "ok") == 0;
	sqlite3_finalize(stmt);
	return whole;
}

/* The next id follows the last one, and no gap is seen. */
static bool
ids_go_on(struct db *db, const struct ledger_row *ledger)
{
	struct ledger_row after;
	int64_t next_id;
	bool good;

	if (db_begin(db))
		return false;
	good = ledger_next_id(db, &next_id) == 0 &&
	    next_id == ledger->last_id + 1 && ledger_read(db, &after) == 0 &&
	    after.missing == 0;
	db_rollback(db);
	return good;
}

static const char *
find_fault(struct db *db)
{
	static struct audit audit;

	memset(&audit, 0, sizeof(audit));
	if (!quick_check(db))
		return "fails SQLite's check";
	if (audit_run(db, false, &audit))
		return db_error(db);
	if (audit.problem_count > 0)
		return audit.problems[0];
	if (!ledger_balanced(&audit.ledger))
		return "the ledger is not balanced";
	return ids_go_on(db, &audit.ledger) ? NULL : "ids do not go on";
}

/* Whether the state is one that was acknowledged before the latest. */
static bool
is_older(const struct bench *bench, uint64_t state)
{
	uint64_t old;
	int back;

	for (back = 1; disk_state(bench->disk, back, &old); back++)
		if (old == state)
			return true;
	return false;
}

static bool
judge_state(struct bench *bench, enum disk_keep keep, uint64_t state)
{
	uint64_t expected;

	if (disk_state(bench->disk, 0, &expected) && state == expected)
		return true;
	if (disk_next_state(bench->disk, &expected) && state == expected)
		return true;
	if (is_older(bench, state)) {
		bench->lost++;
		return bench->normal ||
		    complain(bench, keep, "acknowledged rows are missing");
	}
	bench->wrong++;
	return complain(bench, keep, "it holds what never was committed");
}

/* Whatever an unfinished init left. */
static bool
judge_init(struct bench *bench, enum disk_keep keep)
{
	static struct config config;
	struct queue_init init = { .path = bench->image.file,
		.any_filesystem = true };
	struct fault fault = { 0 };
	struct db *db = NULL;
	const char *found;

	if (bench_below(&bench->chance, 4) != 0)
		return true; /* it takes long */
	if (queue_init(&init, NULL, &fault) == 0)
		db = queue_open(
		    bench->image.file, DB_WRITER, 0, &config, &fault);
	if ((found = db == NULL ? fault.message : find_fault(db)) != NULL)
		complain(bench, keep, found);
	db_close(db);
	bench->made++;
	return found == NULL;
}

static bool
judge_image(struct bench *bench, enum disk_keep keep)
{
	static struct config config;
	struct fault fault = { 0 };
	uint64_t unused, state;
	const char *found;
	struct db *db;

	db = queue_open(bench->image.file, DB_WRITER, 0, &config, &fault);
	if (db == NULL && fault.kind == FAULT_QUEUE_MISSING &&
	    !disk_state(bench->disk, 0, &unused)) {
		bench->none++;
		return judge_init(bench, keep);
	}
	if (db == NULL) {
		bench->wrong++;
		return complain(bench, keep, fault.message);
	}
	found = find_fault(db);
	state = state_of(db_handle(db));
	if (found != NULL && !bench->normal) {
		bench->wrong++;
		complain(bench, keep, found);
		db_close(db);
		return false;
	}
	db_close(db);
	return judge_state(bench, keep, state);
}

static void
make_image_dir(struct bench *bench)
{
	char path[BENCH_DIR + 16];

	bench_dir(bench->image_dir);
	snprintf(path, sizeof(path), "%s/queue.db", bench->image_dir);
	if (place_of(&bench->image, path, NULL))
		bench_die("the path %s is too long", path);
}

/* Play the record of a round until there are ${most} images. */
static bool
play(struct bench *bench, int64_t most)
{
	enum disk_keep keep;
	uint64_t unused;
	bool good = true;

	make_image_dir(bench);
	while (bench->images < most && disk_step(bench->disk)) {
		if (bench->old && !disk_state(bench->disk, 0, &unused))
			continue; /* it is not we who make an old queue */
		bench->steps++;
		for (keep = DISK_SYNCED; keep < DISK_KEEPS; keep++) {
			disk_image(
			    bench->disk, keep, &bench->chance, &bench->image);
			bench->images++;
			good &= judge_image(bench, keep);
		}
	}
	bench_remove_dir(bench->image_dir);
	disk_free(bench->disk);
	return good;
}

static bool
run(struct bench *bench, int64_t most)
{
	bool good = true;

	make_model(bench);
	while (good && bench->images < most) {
		record(bench);
		good = play(bench, most);
	}
	spool_tear_down(&bench->model);
	return good;
}

int
main(int argc, char **argv)
{
	static struct bench full, normal = { .normal = true };
	uint64_t seed = bench_start(argc, argv);
	int64_t most = argc > 2 ? strtoll(argv[2], NULL, 10)
				: bench_count(20000, 5000000);
	bool good;

	full.chance = normal.chance = seed;
	shim_install();
	good = run(&full, most);
	run(&normal, most / 10 + 1000);
	printf("crash_images: C1 C12 C16, %" PRId64 " images of %" PRId64
	       " steps, %" PRId64 " upgrades, %" PRId64 " commits of %" PRId64
	       " rows: %" PRId64 " lost, %" PRId64 " wrong, %" PRId64
	       " no queue yet, %" PRId64
	       " made by another init; control: %" PRId64 " of %" PRId64
	       " lost%s; %.0f s CPU, seed %" PRIu64 "\n",
	    full.images, full.steps, full.upgrades, full.commits, full.rows,
	    full.lost, full.wrong, full.none, full.made, normal.lost,
	    normal.images, normal.lost == 0 ? " (BLIND)" : "", bench_cpu(),
	    seed);
	if (full.problem[0] != '\0')
		printf("crash_images: %s\n", full.problem);
	return good && normal.lost > 0 ? 0 : 1;
}
