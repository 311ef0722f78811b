/* links: forward; bench: spool saved world damaged */
/*
 * damage [SEED]: a queue of several hundred rows, damaged in every page of its
 * file and every frame of its log (contract.md C9, H9, H10): bytes flipped,
 * zeroed, cut off; the log deleted, its header flipped; an older copy put back
 * beside a gate that knows better.  Each time it is opened, looked at,
 * audited, put to and forwarded: nothing crashes or runs on for ever, no row
 * comes under a wrong name, a loss is told, with its ids where they are known,
 * and a file that is refused is left as it is.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "queue/db.h"
#include "queue/upkeep.h"

#include "bench/damaged.h"

#define PAGE 4096
#define PAGES_MOST 1000
#define LOG_HEADER 32
#define FRAME (24 + PAGE)
#define STEPS 16 /* transactions in the log */

/* A working copy of a saved file. */
struct copy {
	char *data;
	size_t size;
};

static struct copy
copy_of(const struct saved_file *file)
{
	struct copy copy = { malloc(file->size + 1), file->size };

	if (copy.data == NULL)
		bench_die("out of memory");
	memcpy(copy.data, file->data, file->size);
	return copy;
}

/* ---- pages of the file ---- */

/* What is on each page, from 1. */
static char owners[PAGES_MOST][32];

static void
find_owners(struct damaged *damaged)
{
	struct sqlite3_stmt *stmt = NULL;
	struct sqlite3 *other;
	int64_t page;

	if (sqlite3_open(damaged->spool.place.file, &other) != SQLITE_OK ||
	    sqlite3_prepare_v2(other, "SELECT pageno, name FROM dbstat", -1,
		&stmt, NULL) != SQLITE_OK)
		bench_die("cannot tell what is on the pages");
	while (sqlite3_step(stmt) == SQLITE_ROW)
		if ((page = sqlite3_column_int64(stmt, 0)) < PAGES_MOST)
			snprintf(owners[page], sizeof(owners[0]), "%s",
			    (const char *)sqlite3_column_text(stmt, 1));
	sqlite3_finalize(stmt);
	sqlite3_close(other);
	saved_restore(&damaged->saved, &damaged->spool);
}

/* Rows have no check of their own: a bit that rots in one can change its value
 * or its series unseen (contract.md 6, limit 6). */
static void
flip(struct damaged *damaged, struct copy *copy, int page)
{
	size_t at = (size_t)(page - 1) * PAGE;
	char was;

	/* every other one in the head of the page */
	at += (size_t)bench_below(
	    &damaged->chance, bench_below(&damaged->chance, 2) ? 64 : PAGE);
	if (at >= copy->size)
		return;
	was = copy->data[at];
	copy->data[at] ^= (char)(1 << bench_below(&damaged->chance, 8));
	snprintf(damaged->what, sizeof(damaged->what),
	    "page %d (%s), byte %zu flipped", page, owners[page], at % PAGE);
	damaged->may_cross = strcmp(owners[page], "metric") == 0;
	damaged_restore(damaged, copy->data, copy->size);
	damaged_examine(damaged, copy->data, copy->size);
	damaged->may_cross = false;
	copy->data[at] = was;
}

static void
zero(struct damaged *damaged, struct copy *copy, int page)
{
	char *at = copy->data + (size_t)(page - 1) * PAGE, was[PAGE];

	memcpy(was, at, PAGE);
	memset(at, 0, PAGE);
	snprintf(damaged->what, sizeof(damaged->what), "page %d (%s) zeroed",
	    page, owners[page]);
	damaged_restore(damaged, copy->data, copy->size);
	damaged_examine(damaged, copy->data, copy->size);
	memcpy(at, was, PAGE);
}

/* The file ends before the page, or in it. */
static void
cut(struct damaged *damaged, struct copy *copy, int page, size_t bytes)
{
	size_t size = (size_t)(page - 1) * PAGE + bytes;

	snprintf(damaged->what, sizeof(damaged->what),
	    "cut at byte %zu of page %d (%s)", bytes, page, owners[page]);
	damaged_restore(damaged, copy->data, size);
	damaged_examine(damaged, copy->data, size);
}

static int
damage_pages(struct damaged *damaged)
{
	struct copy copy = copy_of(&damaged->saved.file);
	int pages = (int)(copy.size / PAGE), page;
	int64_t flips = bench_count(4, 400), i;

	find_owners(damaged);
	for (page = 1; page <= pages && page < PAGES_MOST; page++) {
		for (i = 0; i < flips; i++)
			flip(damaged, &copy, page);
		zero(damaged, &copy, page);
		cut(damaged, &copy, page, 0);
		cut(damaged, &copy, page,
		    1 + (size_t)bench_below(&damaged->chance, PAGE - 1));
	}
	free(copy.data);
	return pages;
}

/* ---- frames of the log ---- */

/* A log of some transactions over the saved file. */
struct log {
	struct copy file, wal; /* as they are on the disk */
	struct saved_file gate;
	int frames;
	struct log_step {
		int frames; /* of the log, when it was committed */
		int64_t last_id, pending, dead;
	} steps[STEPS + 1];
};

static void
note_step(struct damaged *damaged, struct log_step *step, int64_t bytes)
{
	struct ledger_row ledger;

	if (ledger_read(damaged->spool.db, &ledger))
		bench_die("cannot read the ledger");
	step->frames = (int)(bytes / FRAME);
	step->last_id = ledger.last_id;
	step->pending = ledger.pending;
	step->dead = ledger.dead;
}

static void
write_log(struct damaged *damaged, struct log *log)
{
	struct fault fault = { 0 };
	struct saved after;
	int64_t bytes = 0;
	int i;

	damaged_restore(
	    damaged, damaged->saved.file.data, damaged->saved.file.size);
	if (spool_open(&damaged->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
	upkeep_watch(damaged->spool.db, &bytes);
	note_step(damaged, &log->steps[0], 0);
	for (i = 1; i <= STEPS; i++) {
		if (i % 5 == 0)
			damaged_forward(damaged, 4);
		else
			damaged_put(damaged, 1);
		note_step(damaged, &log->steps[i], bytes);
	}
	spool_close(&damaged->spool);
	saved_take(&after, &damaged->spool);
	log->file = copy_of(&after.file);
	log->wal = copy_of(&after.wal);
	log->frames = log->steps[STEPS].frames;
	free(damaged->saved.gate.data);
	free(damaged->saved.wal.data); /* each case has its own from now on */
	damaged->saved.wal = (struct saved_file){ 0 };
	damaged->saved.gate = after.gate;
	free(after.file.data);
	free(after.wal.data);
}

/* The latest transaction that ended before frame ${frame}, from 0. */
static const struct log_step *
step_before(const struct log *log, int frame)
{
	int i;

	for (i = STEPS; i > 0; i--)
		if (log->steps[i].frames <= frame)
			break;
	return &log->steps[i];
}

/* The gap that a put records is exactly what was lost. */
static void
check_gap(struct damaged *damaged, int64_t last_id)
{
	static const char FIRST[] = "SELECT first_id FROM gap";
	static const char LAST[] = "SELECT last_id FROM gap";
	static const char COUNT[] = "SELECT count(*) FROM gap";
	static const char MISSING[] = "SELECT missing FROM ledger";
	struct spool *spool = &damaged->spool;
	int64_t lost = damaged->last_id - last_id;

	if (spool_ask(spool, COUNT) != (lost > 0) ||
	    spool_ask(spool, MISSING) != lost)
		damaged_complain(damaged, "%lld ids are missing, not %lld",
		    (long long)spool_ask(spool, MISSING), (long long)lost);
	else if (lost > 0 &&
	    (spool_ask(spool, FIRST) != last_id + 1 ||
		spool_ask(spool, LAST) != damaged->last_id))
		damaged_complain(damaged, "the gap is %lld to %lld",
		    (long long)spool_ask(spool, FIRST),
		    (long long)spool_ask(spool, LAST));
}

static void
restore_log(
    struct damaged *damaged, const struct log *log, const struct copy *wal)
{
	damaged->saved.wal = (struct saved_file){ wal->data, wal->size };
	damaged_restore(damaged, log->file.data, log->file.size);
}

/* What the log leaves must be a whole commit: after the step ${left}, or, as
 * the forwarder's is several, on the way to the next. */
static void
check_left(struct damaged *damaged, const struct log_step *left, bool last)
{
	int64_t least = left->pending;
	struct ledger_row ledger = { 0 };
	struct fault fault = { 0 };

	if (!last && left[1].pending < least)
		least = left[1].pending;
	if (spool_open(&damaged->spool, &fault) ||
	    ledger_read(damaged->spool.db, &ledger))
		damaged_complain(damaged, "refused: %s", fault.message);
	spool_close(&damaged->spool);
	if (ledger.last_id != left->last_id || ledger.pending < least ||
	    ledger.pending > left->pending)
		damaged_complain(damaged, "%lld ids, %lld rows are left",
		    (long long)ledger.last_id, (long long)ledger.pending);
	damaged->pending = ledger.pending;
	damaged->dead = ledger.dead;
	damaged->left_id = left->last_id;
}

/* ${wal} is what is on the disk (NULL: no log): as after the step ${left}. */
static void
examine_log(struct damaged *damaged, const struct log *log,
    const struct copy *wal, const struct log_step *left)
{
	static char nothing[1];
	const struct copy none = { nothing, 0 };
	struct fault fault = { 0 };

	restore_log(damaged, log, wal == NULL ? &none : wal);
	check_left(damaged, left, left == &log->steps[STEPS]);
	restore_log(damaged, log, wal == NULL ? &none : wal);
	if (wal == NULL)
		unlink(damaged->spool.place.wal);
	damaged_examine(damaged, log->file.data, log->file.size);
	if (spool_open(&damaged->spool, &fault)) {
		damaged_complain(damaged, "refused: %s", fault.message);
		return;
	}
	check_gap(damaged, left->last_id);
	spool_close(&damaged->spool);
}

/* What a frame suffers. */
static struct copy
hurt(struct damaged *damaged, const struct log *log, int frame, int how)
{
	size_t at = LOG_HEADER + (size_t)frame * FRAME;
	struct saved_file whole = { log->wal.data, log->wal.size };
	struct copy wal = copy_of(&whole);
	static const char *const HOWS[] = { "flipped in its head", "flipped",
		"zeroed", "cut", "cut inside" };

	snprintf(damaged->what, sizeof(damaged->what), "frame %d of %d %s",
	    frame, log->frames, HOWS[how]);
	if (how == 0)
		wal.data[at + (size_t)bench_below(&damaged->chance, 24)] ^= 4;
	else if (how == 1)
		wal.data[at + 24 +
		    (size_t)bench_below(&damaged->chance, PAGE)] ^= 32;
	else if (how == 2)
		memset(wal.data + at, 0, FRAME);
	else if (how == 3)
		wal.size = at;
	else
		wal.size = at + (size_t)bench_below(&damaged->chance, FRAME);
	return wal;
}

static void
damage_frames(struct damaged *damaged, struct log *log)
{
	struct copy wal;
	int frame, how;

	for (frame = 0; frame < log->frames; frame++)
		for (how = 0; how < 5; how++) {
			wal = hurt(damaged, log, frame, how);
			examine_log(
			    damaged, log, &wal, step_before(log, frame));
			free(wal.data);
		}
}

/* The log as a whole: its header, the log deleted, and an older file beside
 * the same gate. */
static void
damage_log(struct damaged *damaged, struct log *log)
{
	struct saved_file whole = { log->wal.data, log->wal.size };
	struct copy wal = copy_of(&whole);
	int i;

	for (i = 0; i < LOG_HEADER; i++) {
		snprintf(damaged->what, sizeof(damaged->what),
		    "byte %d of the log's header flipped", i);
		wal.data[i] ^= 16;
		examine_log(damaged, log, &wal, &log->steps[0]);
		wal.data[i] ^= 16;
	}
	snprintf(damaged->what, sizeof(damaged->what), "the log deleted");
	examine_log(damaged, log, NULL, &log->steps[0]);
	snprintf(damaged->what, sizeof(damaged->what), "nothing damaged");
	examine_log(damaged, log, &wal, &log->steps[STEPS]);
	free(wal.data);
}

/* An older copy of the file beside the gate, and then the log, of today. */
static void
put_older_back(struct damaged *damaged, struct log *log)
{
	static const struct log_step THEN = { .last_id = DAMAGED_SENT,
		.pending = DAMAGED_SENT };
	struct saved_file whole = { log->wal.data, log->wal.size };
	struct log older = *log;

	older.file = copy_of(&damaged->older.file);
	snprintf(damaged->what, sizeof(damaged->what), "an older file");
	older.steps[0] = THEN;
	older.steps[1] = THEN;
	examine_log(damaged, &older, NULL, &older.steps[0]);

	/* pages of both: the audit finds that, or the log holds all that counts */
	snprintf(damaged->what, sizeof(damaged->what),
	    "an older file under a newer log");
	older.wal = copy_of(&whole);
	restore_log(damaged, &older, &older.wal);
	damaged->pending = log->steps[STEPS].pending;
	damaged->dead = log->steps[STEPS].dead;
	damaged->left_id = damaged->last_id;
	damaged_examine(damaged, older.file.data, older.file.size);
	free(older.file.data);
	free(older.wal.data);
}

int
main(int argc, char **argv)
{
	static struct damaged damaged;
	static struct log log;
	const struct damaged_counts *counts = &damaged.counts;
	int pages;

	damaged.test = "damage";
	damaged.seed = damaged.chance = bench_start(argc, argv);
	damaged_set_up(&damaged);
	pages = damage_pages(&damaged);
	write_log(&damaged, &log);
	damage_frames(&damaged, &log);
	damage_log(&damaged, &log);
	put_older_back(&damaged, &log);
	printf("damage: C9 H9 H10, %d pages, %d frames, %lld cases, seed %llu: "
	       "%lld refused untouched, %lld told by the audit, %lld harmless "
	       "or set aside (%lld rows); by flips in rows %lld values changed "
	       "unseen, %lld rows under another series; %lld failed; %.1f s\n",
	    pages, log.frames, (long long)counts->cases,
	    (unsigned long long)damaged.seed, (long long)counts->refused,
	    (long long)counts->noticed, (long long)counts->clean,
	    (long long)counts->set_aside, (long long)counts->unseen,
	    (long long)counts->crossed, (long long)counts->failed, bench_cpu());
	damaged.saved.wal = (struct saved_file){ 0 };
	damaged_tear_down(&damaged);
	free(log.file.data);
	free(log.wal.data);
	return counts->failed > 0;
}
