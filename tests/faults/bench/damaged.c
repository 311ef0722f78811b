#define _POSIX_C_SOURCE 200809L
#include "damaged.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/request.h"
#include "queue/audit.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/status.h"

#define SERIES 12
#define BATCH 50
#define TURNS 3000
#define TIMES 3 /* that a forwarder opens the queue again */
#define FORWARD_MS (10 * 60 * 1000)
#define FAILURES_TOLD 40

void
damaged_complain(struct damaged *damaged, const char *format, ...)
{
	va_list args;

	if (damaged->counts.failed++ >= FAILURES_TOLD)
		return;
	printf("%s: %s: ", damaged->test, damaged->what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* ---- rows ---- */

/* Row ${row}, from 1, with three digits that no rot leaves right. */
static int64_t
code_of(int row)
{
	return (int64_t)row * 1000 + (row * 7919 + 331) % 1000;
}

static const char *
namespace_of(int row)
{
	return row % 3 == 0 ? "disk" : "cvm";
}

void
damaged_put(struct damaged *damaged, int rows)
{
	struct writer_result result = { 0 };
	struct fault fault = { 0 };
	struct spool_rows one = { .rows = 1, .series = SERIES };
	int i;

	for (i = 0; i < rows; i++) {
		if (++damaged->put > DAMAGED_ROWS)
			bench_die("more rows than there is room for");
		one.first = code_of(damaged->put);
		one.ns = namespace_of(damaged->put);
		if (spool_put(&damaged->spool, &one, &result, &fault))
			bench_die("cannot put: %s", fault.message);
	}
	damaged->last_id = damaged->left_id = result.last_id;
}

/* One item of a request: is it a row, and under its own name? */
static void
hear_item(struct damaged *damaged, const char *item, const char *ns)
{
	long long code = -1;
	int disk = -1, row;
	bool own;

	if (sscanf(item,
		"{\"dimensions\":{\"disk\":\"d%d\"},\"metricName\":\"used\","
		"\"value\":%lld}",
		&disk, &code) != 2) {
		damaged_complain(damaged, "sent: %.80s", item);
		return;
	}
	row = (int)(code / 1000);
	if (row < 1 || row > damaged->put || code != code_of(row)) {
		damaged->unseen++;
		return;
	}
	own = disk == code % SERIES && strcmp(ns, namespace_of(row)) == 0;
	damaged->crossed += !own;
	damaged->good += own && damaged->came[row] == 0;
	damaged->came[row]++;
}

static struct heard
hear(void *cookie, const struct request *request)
{
	const char *body = request->body.data, *item = body;
	const char *ns = strstr(body, "\"Namespace\":\"cvm\"") != NULL ? "cvm"
								       : "disk";

	while ((item = strstr(item, "{\"dimensions\"")) != NULL)
		hear_item(cookie, item++, ns);
	return (struct heard){ .code = 0 };
}

void
damaged_forget(struct damaged *damaged)
{
	memset(damaged->came, 0, sizeof(damaged->came));
	damaged->good = damaged->unseen = damaged->crossed = 0;
}

/* ---- the queue ---- */

static void
open_queue(struct damaged *damaged)
{
	struct fault fault = { 0 };

	if (spool_open(&damaged->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
}

/* All that was written is copied back, and the log is empty. */
static void
save(struct damaged *damaged, struct saved *saved)
{
	struct ledger_row ledger;

	if (ledger_read(damaged->spool.db, &ledger) ||
	    checkpoint_guarded(damaged->spool.db, false) != CHECKPOINT_DONE)
		bench_die("cannot checkpoint the queue");
	damaged->pending = ledger.pending;
	damaged->dead = ledger.dead;
	spool_close(&damaged->spool);
	saved_take(saved, &damaged->spool);
	saved->wal.size = 0;
}

void
damaged_set_up(struct damaged *damaged)
{
	struct spool *spool = &damaged->spool;
	struct fault fault = { 0 };

	spool_set_up(spool);
	spool->settings.batch.max_rows = BATCH;
	if (spool_init(spool, &fault))
		bench_die("cannot make the queue: %s", fault.message);
	open_queue(damaged);
	world_set_up(&damaged->world, spool);
	damaged->world.no_housekeeping = true;
	damaged_put(damaged, DAMAGED_SENT);
	save(damaged, &damaged->older);
	open_queue(damaged);
	damaged->world.receiver = world_takes_most;
	damaged->world.cookie = &damaged->chance;
	damaged_forward(damaged, 12);
	damaged_put(damaged, 400);
	save(damaged, &damaged->saved);
	damaged->world.receiver = hear;
	damaged->world.cookie = damaged;
}

void
damaged_tear_down(struct damaged *damaged)
{
	world_tear_down(&damaged->world);
	spool_tear_down(&damaged->spool);
	saved_free(&damaged->saved);
	saved_free(&damaged->older);
}

void
damaged_restore(struct damaged *damaged, const char *file, size_t size)
{
	const char *path = damaged->spool.place.file;
	int fd;

	saved_restore(&damaged->saved, &damaged->spool);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd == -1 || write(fd, file, size) != (ssize_t)size)
		bench_die("cannot write %s", path);
	close(fd);
}

bool
damaged_untouched(struct damaged *damaged, const char *file, size_t size)
{
	const char *path = damaged->spool.place.file;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *found = malloc(size + 1);
	bool same;

	if (fd == -1 || found == NULL)
		bench_die("cannot read %s", path);
	same = read(fd, found, size + 1) == (ssize_t)size &&
	    memcmp(file, found, size) == 0;
	free(found);
	close(fd);
	return same;
}

/* ---- the forwarder ---- */

static bool
reopen(struct damaged *damaged)
{
	struct fault fault = { 0 };

	world_closes(&damaged->world);
	spool_close(&damaged->spool);
	if (spool_open(&damaged->spool, &fault))
		return false;
	world_reopened(&damaged->world);
	return true;
}

void
damaged_forward(struct damaged *damaged, int turns)
{
	struct world_bench *world = &damaged->world;
	struct fault fault = { 0 };
	int times = 0, made;
	bool lost;

	if (world_start(world, CORE_RUN, &fault))
		return;
	do {
		made = world_run(world, FORWARD_MS, turns);
		if (made == turns && turns == TURNS)
			damaged_complain(damaged, "the forwarder finds no end");
		lost = world_lost(world);
		damaged->told |= lost;
	} while (lost && times++ < TIMES && reopen(damaged));
	world_stop(world);
}

/* ---- judgement ---- */

static void
check_refusal(struct damaged *damaged, const struct fault *fault,
    const char *file, size_t size)
{
	damaged->counts.refused++;
	if (fault_exit(fault->kind) != 74 || fault->message[0] == '\0')
		damaged_complain(damaged, "refused with %d, %s",
		    fault_exit(fault->kind), fault->message);
	if (!damaged_untouched(damaged, file, size))
		damaged_complain(damaged, "refused, and written to");
}

/* Whether the audit finds nothing, but for the ids that are lost, which it
 * must name. */
static bool
audit(struct damaged *damaged)
{
	static struct audit audit;
	int64_t lost = damaged->last_id - damaged->left_id;
	char words[96];

	if (audit_run(damaged->spool.db, true, &audit))
		return false;
	if (lost == 0)
		return audit.problem_count == 0;
	snprintf(words, sizeof(words), "ids %lld..%lld are missing",
	    (long long)damaged->left_id + 1, (long long)damaged->last_id);
	if (audit.problem_count == 1 &&
	    strstr(audit.problems[0], words) == audit.problems[0])
		return true;
	damaged_complain(damaged, "not told: %s, but: %s", words,
	    audit.problem_count == 0 ? "" : audit.problems[0]);
	return false;
}

/* Whether all is well as far as anybody is told, once lost ids are known. */
static bool
look(struct damaged *damaged)
{
	struct status status;

	if (status_read(damaged->spool.db, -1, &status) == 0)
		return audit(damaged);
	if (fault_exit(db_fault(damaged->spool.db)->kind) != 74)
		damaged_complain(
		    damaged, "status: %s", db_error(damaged->spool.db));
	return false;
}

/* What no check finds a first write may (a count of free pages); that it is
 * damage is told then. */
static void
put_one(struct damaged *damaged, bool clean)
{
	struct spool_rows one = { .ns = namespace_of(damaged->put + 1),
		.rows = 1,
		.series = SERIES,
		.first = code_of(damaged->put + 1) };
	struct writer_result result = { 0 };
	struct fault fault = { 0 };

	if (spool_put(&damaged->spool, &one, &result, &fault)) {
		damaged->told |= fault.kind == FAULT_CORRUPT;
		if (clean && !damaged->told && !damaged->odd)
			damaged_complain(damaged, "put: %s", fault.message);
		else if (fault_exit(fault.kind) != 74 &&
		    (!damaged->odd || fault.kind == FAULT_INTERNAL))
			damaged_complain(damaged, "put: %d, %s",
			    fault_exit(fault.kind), fault.message);
		return;
	}
	damaged->put++;
	if (result.last_id <= damaged->last_id)
		damaged_complain(damaged, "the id %lld is given again",
		    (long long)result.last_id);
}

/* ${most}: how often a row may come.  Where the tree of the rows is damaged,
 * as the audit tells, one can stand in it twice. */
static void
check_names(struct damaged *damaged, int most)
{
	int i;

	damaged->counts.unseen += damaged->unseen;
	damaged->counts.crossed += damaged->crossed;
	if (damaged->crossed > 0 && !damaged->may_cross)
		damaged_complain(damaged, "%d rows came under a wrong name",
		    damaged->crossed);
	for (i = 1; i <= damaged->put; i++)
		if (damaged->came[i] > most)
			damaged_complain(damaged, "row %d came %d times", i,
			    damaged->came[i]);
	if (damaged->unseen > 0 && !damaged->may_cross && !damaged->odd)
		damaged_complain(
		    damaged, "%d values came that nobody put", damaged->unseen);
}

/* The audit had found nothing: then every row came, once, or was set aside,
 * and is counted so. */
static void
check_all_came(struct damaged *damaged, int put)
{
	static const char SET_ASIDE[] =
	    "SELECT count(*) FROM dead_letter WHERE cause = 'damage'";
	static const char DEAD[] = "SELECT dead FROM ledger";
	int64_t died = spool_ask(&damaged->spool, DEAD) - damaged->dead;
	int came = damaged->good + damaged->unseen + damaged->crossed;
	char problem[256];

	damaged->counts.clean++;
	damaged->counts.set_aside += spool_ask(&damaged->spool, SET_ASIDE);
	if (came + died != damaged->pending + put)
		damaged_complain(damaged, "%d rows came, %lld died, of %lld",
		    came, (long long)died, (long long)damaged->pending + put);
	if (!spool_sound(&damaged->spool, problem))
		damaged_complain(damaged, "in the end: %s", problem);
}

void
damaged_examine(struct damaged *damaged, const char *file, size_t size)
{
	struct fault fault = { 0 };
	int put = damaged->put;
	bool clean;

	damaged->counts.cases++;
	damaged_forget(damaged);
	if (spool_open(&damaged->spool, &fault)) {
		check_refusal(damaged, &fault, file, size);
		return;
	}
	damaged->told = false;
	clean = look(damaged);
	put_one(damaged, clean);
	damaged_forward(damaged, TURNS);
	check_names(damaged, clean ? 1 : 2);
	if (!clean || damaged->told)
		damaged->counts.noticed++;
	else if (damaged->odd)
		damaged->counts.clean++;
	else
		check_all_came(damaged, damaged->put - put);
	damaged->put = put;
	spool_close(&damaged->spool);
}
