#include "modelrun.h"

#include <stdio.h>
#include <string.h>

#include "queue/db.h"
#include "queue/entry.h"
#include "queue/gate.h"
#include "queue/stage.h"

#define ROWS_MOST 24 /* of a put */
#define ENOUGH 90    /* rows in the queue: no more are put */

/* A row as a writer gives it. */
struct given {
	struct model_row row;
	int key; /* -1: none */
	char metric[16], disk[16], key_text[16];
	struct entry_dimension dimension;
	struct entry entry;
	struct entry_wire wire;
};

static int64_t
max_age(const struct model_row *row)
{
	return row->expires_at == -1 ? -1 : row->expires_at - row->accepted_at;
}

static void
give(struct model_run *run, struct given *given, int key_odds)
{
	const struct model_series *series = &given->row.series;

	given->row = model_some_row(run);
	given->key = -1;
	if (model_odds(run, key_odds))
		given->key = model_below(run, MODEL_KEYS);
	snprintf(given->metric, sizeof(given->metric), "m%d", series->metric);
	snprintf(given->disk, sizeof(given->disk), "d%d", series->disk);
	snprintf(given->key_text, sizeof(given->key_text), "k%d", given->key);
	given->dimension = (struct entry_dimension){ "disk", given->disk };
	given->entry = (struct entry){ .ns = model_namespace(series->ns),
		.metric = given->metric,
		.region = model_region(series->region),
		.account = model_account(series->account),
		.dimensions = &given->dimension,
		.dimension_count = 1,
		.value = (double)given->row.value,
		.observed_at = given->row.observed_at,
		.max_age_ms = max_age(&given->row),
		.key = given->key == -1 ? NULL : given->key_text };
	if (entry_check(
		&given->entry, &run->spool.config.checks, true, &run->fault) ||
	    entry_render(&given->entry, &run->spool.config.checks, &given->wire,
		&run->fault))
		model_complain(run, "refused: %s", run->fault.message);
}

/* Add a row to the open round, and to the model. */
static void
add(struct model_run *run, struct given *given, int key_odds)
{
	int64_t id = -1, must;
	bool known;
	int added;

	give(run, given, key_odds);
	must = model_put(&run->model, &given->row, given->key, &known);
	added = writer_add(run->spool.writer, &given->entry, &given->wire,
	    run->model.now_ms, &id, &run->fault);
	model_expect(run, "a row is known", added, known);
	model_expect(run, "the id of a row put", id, must);
}

static void
tell(struct model_run *run, const struct writer_result *result)
{
	const struct ledger_row *before = &run->before.ledger;
	const struct ledger_row *after = &run->model.ledger;

	model_expect(run, "rows queued", result->queued,
	    after->accepted - before->accepted);
	model_expect(run, "rows known", result->duplicates,
	    after->duplicates - before->duplicates);
}

static void
put_round(struct model_run *run, int rows, int key_odds)
{
	struct writer_result result = { 0 };
	struct given given = { 0 };
	int64_t accepted = run->model.ledger.accepted;
	int i;

	if (writer_begin(run->spool.writer, &run->fault)) {
		model_complain(run, "begin: %s", run->fault.message);
		return;
	}
	model_look(&run->model);
	for (i = 0; i < rows && run->why[0] == '\0'; i++)
		add(run, &given, key_odds);
	entry_wire_free(&given.wire);
	model_put_done(
	    &run->model, (int)(run->model.ledger.accepted - accepted));
	if (model_odds(run, 10)) {
		writer_abandon(run->spool.writer);
		if (run->model.wrong != MODEL_UNDOES_NOTHING)
			run->model = run->before;
	} else if (writer_commit(run->spool.writer, &result, &run->fault))
		model_complain(run, "commit: %s", run->fault.message);
	else
		tell(run, &result);
}

static bool
is_full(const struct model_run *run)
{
	return run->model.count >= ENOUGH;
}

static void
put_one(struct model_run *run)
{
	if (!is_full(run))
		put_round(run, 1, 20);
}

static void
put_batch(struct model_run *run)
{
	if (!is_full(run))
		put_round(run, 1 + model_below(run, ROWS_MOST), 0);
}

static void
put_keyed(struct model_run *run)
{
	if (!is_full(run))
		put_round(run, 1 + model_below(run, ROWS_MOST), 60);
}

/* Rows by way of a stage, which may have a key for all of them. */
static void
fill_stage(struct model_run *run, struct stage *stage, int rows)
{
	struct given given[ROWS_MOST] = { 0 };
	int key = model_odds(run, 40) ? model_below(run, MODEL_KEYS) : -1;
	struct model *model = &run->model;
	char text[16];
	bool known = false;
	int i;

	snprintf(text, sizeof(text), "k%d", key);
	if (key != -1 && stage_set_key(stage, text, &run->fault))
		model_complain(run, "%s", run->fault.message);
	for (i = 0; i < rows; i++) {
		give(run, &given[i], key == -1 ? 20 : 0);
		if (stage_add(
			stage, &given[i].entry, &given[i].wire, &run->fault))
			model_complain(run, "%s", run->fault.message);
		entry_wire_free(&given[i].wire);
	}
	model_look(model);
	if (key != -1 && model_put_known(model, key, rows))
		return;
	for (i = 0; i < rows; i++)
		model_put(model, &given[i].row, given[i].key, &known);
}

static void
put_staged(struct model_run *run)
{
	struct writer_result result = { 0 };
	struct stage *stage;

	if (is_full(run))
		return;
	if ((stage = stage_new(run->spool.dir, &run->fault)) == NULL) {
		model_complain(run, "%s", run->fault.message);
		return;
	}
	fill_stage(run, stage, 1 + model_below(run, ROWS_MOST));
	if (stage_commit(stage, run->spool.writer, run->model.now_ms, &result,
		&run->fault))
		model_complain(run, "staged: %s", run->fault.message);
	else
		tell(run, &result);
	stage_free(stage);
}

/* The gate knows ids that the file does not (contract.md H9). */
static void
lose_ids(struct model_run *run)
{
	struct db *db = run->spool.db;

	if (db_enter(db)) {
		model_complain(run, "%.200s", db_error(db));
		return;
	}
	run->model.mark = run->model.ledger.last_id + 1 + model_below(run, 9);
	gate_set_mark(db_gate(db), run->model.mark);
	db_leave(db);
}

const struct model_do MODEL_PUTS[] = {
	{ "put", 120, put_one },
	{ "batch", 60, put_batch },
	{ "keys", 50, put_keyed },
	{ "stage", 40, put_staged },
	{ "gap", 10, lose_ids },
	{ NULL, 0, NULL },
};
