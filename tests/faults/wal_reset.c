/* links: base queue; bench */
/*
 * The WAL-reset race (contract.md H2, 2.1), made to happen each time: a
 * checkpoint of connection A is held, by a hook in the VFS, in the moment
 * after it copied the WAL-index header and before it locks, and connection B
 * commits in that window.  SQLite before 3.51.3 may then lose frames.
 *
 * What must hold on every version: with the guard, B's commit is refused in
 * the window and the file stays whole; so it is with checkpoint_guarded().
 * With the bar an application's bare checkpoint is refused while we clear its
 * outbox, and so is our commit in the window of its checkpoint.
 * The control, a bare PASSIVE checkpoint, must have accepted the commit, or
 * the test is blind; if the file is whole all the same, the engine is
 * repaired, and the line says so.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fault.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/entry.h"
#include "queue/outbox.h"
#include "queue/outbox_file.h"
#include "queue/queue.h"

#include "bench/bench.h"

#define FIRST_ROUNDS 100
#define MORE_ROUNDS 150

struct bench {
	const struct mode *mode;
	char dir[BENCH_DIR], path[BENCH_DIR + 16];
	struct sqlite3 *a, *b, *guard;
	struct db *db; /* A, where spool/queue makes the checkpoint */
	struct outbox_file outbox; /* B, in the window */
	int accepted, fired, window_code, first_code, after_code;
	bool armed, whole;
};

struct mode {
	const char *name;
	int (*checkpoint)(struct bench *bench);
	bool queue;  /* on a queue, through spool/queue */
	bool outbox; /* it is our clearing of an outbox that commits there */
	bool held;   /* B is in a transaction, and commits in the window */
	bool window_open; /* B's commit is accepted there */
	bool unsafe;      /* what SQLite then may lose */
};

/* ---- the hook ---- */

static struct bench *hooked;
static struct sqlite3_io_methods hooked_methods;
static const struct sqlite3_io_methods *true_methods;
static struct sqlite3_vfs *true_vfs;

static int
insert(struct bench *bench)
{
	static const char *const SQL[] = {
		"INSERT INTO q (b) VALUES (randomblob(3000))",
		"INSERT INTO gap (first_id, last_id, noticed_at, reason)"
		" VALUES ((SELECT coalesce(max(first_id), 0) + 1 FROM gap),"
		"  0, 0, hex(randomblob(1500)))",
	};
	int code = sqlite3_exec(
	    bench->b, SQL[bench->mode->queue], NULL, NULL, NULL);

	if (code == SQLITE_OK)
		bench->accepted++;
	return code & 0xff;
}

static int
clear_outbox(struct bench *bench)
{
	struct fault fault = { 0 };

	if (outbox_file_clear(&bench->outbox, &fault) == 0)
		return SQLITE_OK;
	return fault.kind == FAULT_QUEUE_BUSY ? SQLITE_BUSY : SQLITE_ERROR;
}

static int
on_unfetch(struct sqlite3_file *file, sqlite3_int64 offset, void *page)
{
	int code = true_methods->xUnfetch(file, offset, page);
	struct bench *bench = hooked;

	if (bench == NULL || !bench->armed || offset != 0 || page != NULL)
		return code;
	bench->armed = false;
	bench->fired++;
	bench->window_code = bench->mode->outbox ? clear_outbox(bench)
						 : insert(bench);
	if (bench->mode->held)
		sqlite3_exec(bench->b, "COMMIT", NULL, NULL, NULL);
	return code;
}

static int
open_hooked(struct sqlite3_vfs *vfs, const char *name,
    struct sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(true_vfs, name, file, flags, out);

	(void)vfs;
	if (code != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB))
		return code;
	true_methods = file->pMethods;
	hooked_methods = *true_methods;
	hooked_methods.xUnfetch = on_unfetch;
	file->pMethods = &hooked_methods;
	return code;
}

static void
install(void)
{
	static struct sqlite3_vfs vfs;

	true_vfs = sqlite3_vfs_find(NULL);
	vfs = *true_vfs;
	vfs.zName = "hooked";
	vfs.xOpen = open_hooked;
	sqlite3_vfs_register(&vfs, 0);
}

/* ---- the checkpoints ---- */

static int
bare(struct bench *bench, int how)
{
	return sqlite3_wal_checkpoint_v2(bench->a, "main", how, NULL, NULL) &
	    0xff;
}

static int
passive(struct bench *bench)
{
	return bare(bench, SQLITE_CHECKPOINT_PASSIVE);
}

static int
full(struct bench *bench)
{
	return bare(bench, SQLITE_CHECKPOINT_FULL);
}

static int
truncating(struct bench *bench)
{
	return bare(bench, SQLITE_CHECKPOINT_TRUNCATE);
}

static int
guarded(struct bench *bench)
{
	int code = sqlite3_exec(
	    bench->guard, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = passive(bench);
	sqlite3_exec(bench->guard, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

static int
own(struct bench *bench)
{
	enum checkpoint_result result = checkpoint_guarded(bench->db, false);

	return result == CHECKPOINT_DONE ? SQLITE_OK : SQLITE_ERROR;
}

static const struct mode MODES[] = {
	{ .name = "passive",
	    .checkpoint = passive,
	    .window_open = true,
	    .unsafe = true },
	{ .name = "full, lock taken",
	    .checkpoint = full,
	    .held = true,
	    .window_open = true,
	    .unsafe = true },
	{ .name = "full", .checkpoint = full },
	{ .name = "truncate", .checkpoint = truncating },
	{ .name = "guarded", .checkpoint = guarded },
	{ .name = "checkpoint_guarded()", .checkpoint = own, .queue = true },
	{ .name = "outbox, passive", .checkpoint = passive, .outbox = true },
};

/* ---- the bench ---- */

static void
die(const char *what)
{
	fprintf(stderr, "wal_reset: cannot %s\n", what);
	exit(1);
}

static struct sqlite3 *
connect_to(const struct bench *bench, const char *vfs)
{
	struct sqlite3 *handle;

	if (sqlite3_open_v2(bench->path, &handle,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) != SQLITE_OK ||
	    sqlite3_exec(handle,
		"PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0", NULL,
		NULL, NULL) != SQLITE_OK)
		die("open the database");
	sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return handle;
}

/* A's connection is made by db_open(), on the hooked VFS. */
static void
make_queue(struct bench *bench)
{
	struct queue_init init = { .path = bench->path,
		.any_filesystem = true };
	struct fault fault = { 0 };
	struct place place;
	struct sqlite3_vfs *vfs = sqlite3_vfs_find("hooked");

	if (queue_init(&init, NULL, &fault) ||
	    place_of(&place, bench->path, &fault))
		die(fault.message);
	sqlite3_vfs_register(vfs, 1);
	bench->db = db_open(&place, DB_WRITER, 0, &fault);
	sqlite3_vfs_register(true_vfs, 1);
	if (bench->db == NULL)
		die(fault.message);
	bench->b = connect_to(bench, NULL);
}

/* An outbox with a row in it, read and to be cleared. */
static void
make_outbox(struct bench *bench)
{
	const struct entry entry = { .ns = "cvm",
		.metric = "m",
		.value = 1,
		.observed_at = -1,
		.max_age_ms = -1 };
	struct fault fault = { 0 };
	int64_t id;

	if (outbox_install(bench->b, &fault) ||
	    outbox_insert(bench->b, &entry, "{}", &id, &fault) ||
	    outbox_file_init(&bench->outbox, bench->path) ||
	    outbox_file_connect(&bench->outbox, &fault) ||
	    outbox_file_read(&bench->outbox, &fault))
		die(fault.message);
}

static void
set_up(struct bench *bench, const struct mode *mode)
{
	memset(bench, 0, sizeof(*bench));
	bench->mode = mode;
	bench_dir(bench->dir);
	snprintf(bench->path, sizeof(bench->path), "%s/queue.db", bench->dir);
	hooked = bench;
	if (mode->queue) {
		make_queue(bench);
		return;
	}
	bench->b = connect_to(bench, NULL);
	if (sqlite3_exec(bench->b,
		"CREATE TABLE q (id INTEGER PRIMARY KEY AUTOINCREMENT, b)",
		NULL, NULL, NULL) != SQLITE_OK)
		die("create the table");
	bench->a = connect_to(bench, "hooked");
	bench->guard = connect_to(bench, NULL);
	if (mode->outbox)
		make_outbox(bench);
}

static void
tear_down(struct bench *bench)
{
	hooked = NULL;
	bench_remove_dir(bench->dir);
}

static void
insert_many(struct bench *bench, int rounds)
{
	while (rounds-- > 0)
		if (insert(bench) != SQLITE_OK)
			die("insert");
}

static void
close_all(struct bench *bench)
{
	outbox_file_end(&bench->outbox);
	db_close(bench->db);
	sqlite3_close(bench->a);
	sqlite3_close(bench->guard);
	sqlite3_close(bench->b);
}

/* Whether the file is whole and holds what was accepted. */
static bool
is_whole(const struct bench *bench)
{
	struct sqlite3 *handle = connect_to(bench, NULL);
	struct sqlite3_stmt *stmt = NULL;
	bool whole = false;

	if (sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &stmt,
		NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		whole = strcmp((const char *)sqlite3_column_text(stmt, 0),
			    "ok") == 0;
	sqlite3_finalize(stmt);
	stmt = NULL;
	if (sqlite3_prepare_v2(handle,
		bench->mode->queue ? "SELECT count(*) FROM gap"
				   : "SELECT count(*) FROM q",
		-1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW ||
	    sqlite3_column_int(stmt, 0) != bench->accepted)
		whole = false;
	sqlite3_finalize(stmt);
	sqlite3_close(handle);
	return whole;
}

static void
run(struct bench *bench, const struct mode *mode)
{
	set_up(bench, mode);
	insert_many(bench, FIRST_ROUNDS);
	/* all is copied back, and A's next look finds a changed header */
	bench->first_code = mode->queue ? own(bench) : passive(bench);
	if (mode->held)
		sqlite3_exec(bench->b, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	bench->armed = true;
	mode->checkpoint(bench);
	bench->armed = false;
	insert_many(bench, MORE_ROUNDS); /* beyond what was copied back */
	mode->checkpoint(bench);
	insert_many(bench, 1); /* the log restarts */
	if (mode->outbox)
		bench->after_code = clear_outbox(bench);
	close_all(bench);
	bench->whole = is_whole(bench);
	tear_down(bench);
}

/* Whether the mode did as it must on every version of SQLite. */
static bool
judge(const struct bench *bench)
{
	const struct mode *mode = bench->mode;
	int expected = FIRST_ROUNDS + MORE_ROUNDS + 1 + mode->window_open;

	if (bench->first_code != SQLITE_OK || bench->after_code != SQLITE_OK ||
	    bench->fired != 1 || bench->accepted != expected)
		return false;
	if (bench->window_code != (mode->window_open ? SQLITE_OK : SQLITE_BUSY))
		return false;
	return bench->whole || mode->unsafe;
}

int
main(void)
{
	struct bench bench;
	bool good = true, repaired = true;
	size_t i;

	install();
	printf("wal_reset: C9 H2, SQLite %s:", sqlite3_libversion());
	for (i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++) {
		run(&bench, &MODES[i]);
		printf(" %s: %d accepted, window %s, %s%s;", MODES[i].name,
		    bench.accepted,
		    bench.window_code == SQLITE_OK ? "open" : "shut",
		    bench.whole ? "whole" : "DAMAGED",
		    judge(&bench) ? "" : " (NOT AS IT MUST BE)");
		good = good && judge(&bench);
		repaired = repaired && (bench.whole || !MODES[i].unsafe);
	}
	printf(" engine %s\n", repaired ? "repaired" : "affected");
	return good ? 0 : 1;
}
