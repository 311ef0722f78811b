/* links: base queue; bench */
/*
 * Writers alone (contract.md C17, H3): no process keeps the queue open, so
 * each first opener forgets what was copied back, and the WAL would never
 * restart.  Puts by open, insert, close must keep it under twice
 * queue.wal_max, and an open must not read more as the puts go on.  The
 * control, without the checkpoint before the insert, must grow beyond.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/config.h"
#include "base/fault.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/queue.h"

#include "bench/bench.h"

#define WAL_MOST (4 * 1024 * 1024)

#define PUTS 3000
#define CONTROL_PUTS 800
#define EARLY 500 /* puts after which all sizes have been seen */

static const char INSERT[] =
    "INSERT INTO gap (first_id, last_id, noticed_at, reason)"
    " VALUES ((SELECT coalesce(max(first_id), 0) + 1 FROM gap), 0, 0, 'x')";

/* ---- a VFS that counts what is read ---- */

static struct sqlite3_io_methods counting_methods;
static const struct sqlite3_io_methods *true_methods;
static struct sqlite3_vfs *true_vfs;
static int64_t bytes_read;

static int
count_read(struct sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
	bytes_read += len;
	return true_methods->xRead(file, to, len, offset);
}

static int
open_counting(struct sqlite3_vfs *vfs, const char *name,
    struct sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(true_vfs, name, file, flags, out);

	(void)vfs;
	if (code != SQLITE_OK || !(flags & SQLITE_OPEN_WAL))
		return code;
	true_methods = file->pMethods;
	counting_methods = *true_methods;
	counting_methods.xRead = count_read;
	file->pMethods = &counting_methods;
	return code;
}

static void
install(void)
{
	static struct sqlite3_vfs vfs;

	true_vfs = sqlite3_vfs_find(NULL);
	vfs = *true_vfs;
	vfs.zName = "counting";
	vfs.xOpen = open_counting;
	sqlite3_vfs_register(&vfs, 1);
}

/* ---- puts ---- */

struct run {
	int64_t wal_most;   /* longest WAL seen */
	int64_t early_most; /* bytes of it read by an open, among the first */
	int64_t late_most;  /* and later */
};

static struct config config;

static void
die(const char *what, const struct fault *fault)
{
	fprintf(stderr, "wal_growth: cannot %s: %s\n", what, fault->message);
	exit(1);
}

static void
put(const char *path, bool checkpoint, int64_t *read_at_open)
{
	struct fault fault = { 0 };
	struct db *db;

	bytes_read = 0;
	db = queue_open(path, DB_WRITER, -1, &config, &fault);
	if (db == NULL)
		die("open the queue", &fault);
	*read_at_open = bytes_read;
	if (db_enter(db))
		die("enter the gate", db_fault(db));
	if (checkpoint)
		checkpoint_before_insert(db, config.queue.wal_max, WAL_MOST);
	if (db_begin(db) || db_run(db, INSERT) || db_commit(db))
		die("insert", db_fault(db));
	db_leave(db);
	db_close(db);
}

static void
put_many(int puts, bool checkpoint, struct run *run)
{
	char dir[BENCH_DIR], path[BENCH_DIR + 16];
	struct queue_init init = { .path = path, .any_filesystem = true };
	struct fault fault = { 0 };
	struct place place;
	int64_t read, *most;
	int i;

	memset(run, 0, sizeof(*run));
	bench_dir(dir);
	snprintf(path, sizeof(path), "%s/queue.db", dir);
	if (queue_init(&init, NULL, &fault) || place_of(&place, path, &fault))
		die("make the queue", &fault);
	for (i = 0; i < puts; i++) {
		put(path, checkpoint, &read);
		most = i < EARLY ? &run->early_most : &run->late_most;
		if (read > *most)
			*most = read;
		if (place_size(place.wal) > run->wal_most)
			run->wal_most = place_size(place.wal);
	}
	bench_remove_dir(dir);
}

int
main(void)
{
	struct run run, control;
	int64_t bound;
	bool good, blind;

	install();
	put_many(PUTS, true, &run);
	bound = 2 * config.queue.wal_max;
	put_many(CONTROL_PUTS, false, &control);
	blind = control.wal_most <= bound;
	good = run.wal_most <= bound &&
	    run.late_most <= run.early_most + run.early_most / 8;
	printf("wal_growth: C17 H3, %d puts: WAL at most %lld KiB (bound "
	       "%lld), read at open at most %lld KiB early, %lld late; "
	       "control, %d puts: WAL %lld KiB%s\n",
	    PUTS, (long long)run.wal_most / 1024, (long long)bound / 1024,
	    (long long)run.early_most / 1024, (long long)run.late_most / 1024,
	    CONTROL_PUTS, (long long)control.wal_most / 1024,
	    blind ? " (BLIND)" : "");
	return good && !blind ? 0 : 1;
}
