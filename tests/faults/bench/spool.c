#include "spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "queue/audit.h"
#include "queue/db.h"
#include "queue/entry.h"
#include "queue/queue.h"
#include "queue/stage.h"

#define PUT_AT 1700000000000

void
spool_set_up(struct spool *spool)
{
	memset(spool, 0, sizeof(*spool));
	bench_dir(spool->dir);
	snprintf(spool->path, sizeof(spool->path), "%s/queue.db", spool->dir);
	if (place_of(&spool->place, spool->path, NULL))
		bench_die("the path %s is too long", spool->path);
	config_defaults(&spool->settings);
	spool->settings.queue.reserve = 0;
}

int
spool_init(struct spool *spool, struct fault *fault)
{
	struct queue_init init = { .path = spool->path,
		.any_filesystem = true,
		.config = &spool->settings };

	return queue_init(&init, NULL, fault);
}

void
spool_make(struct spool *spool)
{
	struct fault fault = { 0 };

	spool_set_up(spool);
	if (spool_init(spool, &fault))
		bench_die("cannot make the queue: %s", fault.message);
}

void
spool_tear_down(struct spool *spool)
{
	spool_close(spool);
	bench_remove_dir(spool->dir);
}

int
spool_open(struct spool *spool, struct fault *fault)
{
	spool->writer = NULL;
	spool->db = queue_open(
	    spool->path, DB_WRITER, 10000, &spool->config, fault);
	if (spool->db == NULL)
		return -1;
	spool->writer = writer_new(spool->db, &spool->config, fault);
	if (spool->writer != NULL)
		return 0;
	spool_close(spool);
	return -1;
}

void
spool_close(struct spool *spool)
{
	writer_free(spool->writer);
	db_close(spool->db);
	spool->writer = NULL;
	spool->db = NULL;
}

/* ---- rows ---- */

typedef int take_row(struct spool *spool, void *to, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault);

/* Render row by row, and hand each to ${take}. */
static int
each_row(struct spool *spool, const struct spool_rows *rows, take_row *take,
    void *to, struct fault *fault)
{
	const struct config_checks *checks = &spool->config.checks;
	struct entry_wire wire = { 0 };
	char name[256];
	struct entry_dimension dimension = { "disk", name };
	struct entry entry = { .ns = rows->ns,
		.metric = "used",
		.dimensions = &dimension,
		.dimension_count = 1,
		.observed_at = -1,
		.max_age_ms = -1 };
	int i, failed = 0;

	for (i = 0; i < rows->rows && !failed; i++) {
		snprintf(name, sizeof(name), "d%0*d", rows->width,
		    (int)(rows->first + i) % rows->series);
		entry.value = (double)(rows->first + i);
		failed = entry_check(&entry, checks, false, fault) ||
		    entry_render(&entry, checks, &wire, fault) ||
		    take(spool, to, &entry, &wire, fault);
	}
	entry_wire_free(&wire);
	return failed ? -1 : 0;
}

static int
to_writer(struct spool *spool, void *to, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault)
{
	int64_t id;

	(void)to;
	return writer_add(spool->writer, entry, wire, PUT_AT, &id, fault);
}

static int
to_stage(struct spool *spool, void *to, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault)
{
	(void)spool;
	return stage_add(to, entry, wire, fault);
}

int
spool_put(struct spool *spool, const struct spool_rows *rows,
    struct writer_result *result, struct fault *fault)
{
	if (writer_begin(spool->writer, fault))
		return -1;
	if (each_row(spool, rows, to_writer, NULL, fault)) {
		writer_abandon(spool->writer);
		return -1;
	}
	return writer_commit(spool->writer, result, fault);
}

int
spool_bulk(struct spool *spool, const struct spool_rows *rows,
    struct writer_result *result, struct fault *fault)
{
	struct stage *stage = stage_new(spool->dir, fault);
	int failed;

	if (stage == NULL)
		return -1;
	failed = each_row(spool, rows, to_stage, stage, fault) ||
	    stage_commit(stage, spool->writer, PUT_AT, result, fault);
	stage_free(stage);
	return failed ? -1 : 0;
}

/* ---- looks ---- */

static bool
audit_passes(struct spool *spool, bool deep, char problem[256])
{
	struct audit audit = { 0 };

	if (audit_run(spool->db, deep, &audit)) {
		snprintf(problem, 256, "%.255s", db_error(spool->db));
		return false;
	}
	if (audit.problem_count == 0)
		return true;
	snprintf(problem, 256, "%s", audit.problems[0]);
	return false;
}

bool
spool_sound(struct spool *spool, char problem[256])
{
	return audit_passes(spool, true, problem);
}

bool
spool_balanced(struct spool *spool, char problem[256])
{
	return audit_passes(spool, false, problem);
}

int64_t
spool_ask(struct spool *spool, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t answer = -1;

	if (sqlite3_prepare_v2(db_handle(spool->db), sql, -1, &stmt, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}
