#include "dead_import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/lane.h"
#include "queue/ledger.h"
#include "queue/series.h"
#include "queue/writer.h"
#include "cli.h"
#include "dead_work.h"
#include "progress.h"

/* What a stored row takes, WAL and database together. */
#define STORED_TIMES 4

static int
fail(const struct dead_import *import, struct fault *fault)
{
	if (fault->kind == FAULT_NONE)
		*fault = *db_fault(import->db);
	return -1;
}

static void
note_ids(struct dead_import *import, int64_t first, int64_t last)
{
	if (import->first_id == -1)
		import->first_id = first;
	import->last_id = last;
}

static int
bury(struct dead_import *import, int64_t id)
{
	const struct entry *entry = &import->row.entry;
	const struct entry_wire *wire = &import->wire;
	struct deadletter_new row = { .id = id,
		.value = wire->value,
		.value_len = wire->value_len,
		.observed_at = entry->observed_at,
		.died_at = import->operation.asked_at };
	struct dead_history history;
	int64_t lane_id;

	dead_import_history(import, &history);
	row.accepted_at = history.accepted_at;
	row.attempts = history.attempts;
	row.code = history.code;
	row.message = history.message;
	if (lane_intern(import->db, entry->ns,
		entry->region == NULL ? "" : entry->region,
		entry->account == NULL ? "default" : entry->account, &lane_id))
		return -1;
	if (series_intern(import->db, lane_id, entry->metric,
		text_string(&wire->dimensions), text_string(&wire->wire),
		wire->wire.len, &row.series_id))
		return -1;
	return deadletter_import(import->db, &row);
}

static int
queue(struct dead_import *import, struct fault *fault)
{
	struct dead_history history;
	int64_t id;

	dead_import_history(import, &history);
	return writer_add(import->writer, &import->row.entry, &import->wire,
		   history.accepted_at, &id, fault) == -1
	    ? -1
	    : 0;
}

/* In a bracket: count ${rows} as done.  If others were counted since, somebody
 * else imports the same: then this chunk is not ours to store. */
static int
count(struct dead_import *import, int64_t rows, struct fault *fault)
{
	struct operation_row *mine = &import->operation, now;

	if (operation_load(import->db, mine->id, &now) != 1 ||
	    operation_count(import->db, mine->id, rows, 0, clock_wall_ms()))
		return -1;
	if (now.done == mine->done)
		return 0;
	fault_set(fault, FAULT_QUEUE_BUSY,
	    "another process imports the same rows (operation %" PRId64 ")",
	    mine->id);
	fault_hint(fault, "let it finish: monspool status");
	return -1;
}

/* In a bracket: bury up to OPERATION_ROWS; how many, or -1. */
static int64_t
bury_some(
    struct dead_import *import, char **line, size_t *size, struct fault *fault)
{
	int64_t first, given, rows = 0;
	int taken = 0;

	if (bound_check(import->db, &import->config, 0, fault) ||
	    ledger_next_id(import->db, &first))
		return -1;
	while (rows < OPERATION_ROWS &&
	    (taken = dead_import_next(import, line, size, fault)) == 1) {
		if (bury(import, first + rows))
			return -1;
		rows++;
	}
	if (taken == -1 ||
	    (rows > 0 && ledger_import(import->db, rows, &given)))
		return -1;
	if (rows > 0)
		note_ids(import, first, first + rows - 1);
	return rows;
}

/* The bracket of a chunk; how many rows went in, or -1. */
static int64_t
bury_chunk(
    struct dead_import *import, char **line, size_t *size, struct fault *fault)
{
	int64_t rows;

	/* One bracket: rows and the count of them, so that the same import
	 * goes on behind them. */
	if (dead_work_bracket(import->db, &import->config))
		return -1;
	if ((rows = bury_some(import, line, size, fault)) == -1 ||
	    count(import, rows, fault)) {
		db_rollback(import->db);
		return -1;
	}
	if (db_commit(import->db))
		return -1;
	import->operation.done += rows;
	return rows;
}

static int64_t
queue_some(
    struct dead_import *import, char **line, size_t *size, struct fault *fault)
{
	int64_t rows = 0;
	int taken = 0;

	while (rows < OPERATION_ROWS &&
	    (taken = dead_import_next(import, line, size, fault)) == 1) {
		if (queue(import, fault))
			return -1;
		rows++;
	}
	return taken == -1 || count(import, rows, fault) ? -1 : rows;
}

/* As bury_chunk(): the round of a writer is a bracket. */
static int64_t
queue_chunk(
    struct dead_import *import, char **line, size_t *size, struct fault *fault)
{
	struct writer_result result;
	int64_t rows;

	if (writer_begin(import->writer, fault))
		return -1;
	if ((rows = queue_some(import, line, size, fault)) == -1) {
		writer_abandon(import->writer);
		return -1;
	}
	if (writer_commit(import->writer, &result, fault))
		return -1;
	if (result.queued > 0)
		note_ids(import, result.first_id, result.last_id);
	import->operation.done += rows;
	return rows;
}

/* Pass over what an earlier call stored. */
static int
pass_over(struct dead_import *import, char **line, size_t *size)
{
	int64_t i;

	for (i = 0; i < import->resumed; i++)
		if (getline(line, size, import->copy) == -1)
			return -1;
	return 0;
}

static int
store_rows(struct dead_import *import, struct fault *fault)
{
	char *line = NULL;
	size_t size = 0;
	int64_t rows = -1;

	progress_start(&import->cli->output);
	if (pass_over(import, &line, &size) == 0)
		do {
			progress_count(
			    "stored", import->operation.done, import->rows);
			rows = import->replay
			    ? queue_chunk(import, &line, &size, fault)
			    : bury_chunk(import, &line, &size, fault);
		} while (rows == OPERATION_ROWS);
	progress_end();
	free(line);
	return rows == -1 ? fail(import, fault) : 0;
}

/* ---- the operation ---- */

static int
resume(struct dead_import *import, const struct operation_row *before,
    struct fault *fault)
{
	if (db_begin(import->db))
		return fail(import, fault);
	if (operation_reopen(import->db, before->id, clock_wall_ms())) {
		db_rollback(import->db);
		return fail(import, fault);
	}
	if (db_commit(import->db))
		return fail(import, fault);
	import->operation = *before;
	import->resumed = before->done;
	return 0;
}

/* An import of the same input that was cut short goes on, else there is a new
 * one. */
static int
begin(struct dead_import *import, struct fault *fault)
{
	struct operation_row *operation = &import->operation;
	struct operation_row before;
	int found;

	snprintf(operation->selection, sizeof(operation->selection),
	    "%" PRId64 " rows, %016" PRIx64 "%s", import->rows, import->hash,
	    import->replay ? ", into the queue" : "");
	found = operation_find_import(
	    import->db, operation->selection, &before);
	if (found == -1)
		return fail(import, fault);
	if (found == 1 && before.state != OPERATION_DONE)
		return resume(import, &before, fault);
	import->repeats = found == 1 ? before.id : 0;
	dead_work_ask(operation, OPERATION_IMPORT);
	operation->matched = import->rows;
	return dead_work_begin(import->db, operation, fault);
}

int
dead_import_store(struct dead_import *import, struct fault *fault)
{
	if (import->rows == 0)
		return 0;
	if (bound_check_disk(import->db, &import->config,
		import->bytes * STORED_TIMES, fault) ||
	    begin(import, fault))
		return -1;
	if (import->replay &&
	    (import->writer = writer_new(import->db, &import->config, fault)) ==
		NULL)
		return -1;
	if (store_rows(import, fault))
		return -1;
	return dead_work_end(import->db, &import->operation, fault);
}
