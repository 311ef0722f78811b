#define _POSIX_C_SOURCE 200809L
#include "sim.h"

#include <stdio.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "forward/key.h"
#include "queue/db.h"
#include "queue/entry.h"

#include "shim.h"

/* ---- once ---- */

static struct credentials *
load_keys(const struct sim *sim, const char *secret_id)
{
	struct config config = sim->base;
	struct credentials *credentials;
	struct fault fault = { 0 };
	size_t i;

	for (i = 0; i < SIM_ACCOUNTS; i++)
		snprintf(config.accounts[i].secret_id, CONFIG_NAME, "%s%zu",
		    secret_id, i);
	if ((credentials = credentials_load(&config, &fault)) == NULL)
		bench_die("cannot load the keys: %s", fault.message);
	return credentials;
}

static void
set_up_keys(struct sim *sim)
{
	static const char *const NAMES[SIM_ACCOUNTS] = { "default", "second",
		"third" };
	struct config *config = &sim->base;
	char path[BENCH_DIR + 16];
	FILE *key;
	size_t i;

	snprintf(path, sizeof(path), "%s/key", sim->spool.dir);
	if ((key = fopen(path, "w")) == NULL || chmod(path, 0600))
		bench_die("cannot make the key file %s", path);
	fputs("tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm\n", key);
	fclose(key);
	config->account_count = SIM_ACCOUNTS;
	for (i = 0; i < SIM_ACCOUNTS; i++) {
		snprintf(config->accounts[i].name, CONFIG_NAME, "%s", NAMES[i]);
		snprintf(config->accounts[i].region, CONFIG_NAME, "gz");
		snprintf(config->accounts[i].secret_key_file, CONFIG_PATH, "%s",
		    path);
	}
	sim->right = load_keys(sim, "AKIDright");
	sim->wrong = load_keys(sim, "AKIDnext");
}

static struct sqlite3_stmt *
prepare(struct sim *sim, const char *sql)
{
	struct sqlite3_stmt *query;

	if (sqlite3_prepare_v2(sim->foreign, sql, -1, &query, NULL) !=
	    SQLITE_OK)
		bench_die("%s: %s", sql, sqlite3_errmsg(sim->foreign));
	return query;
}

void
simqueue_open(struct sim *sim)
{
	struct fault fault = { 0 };

	if (spool_open(&sim->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
	/* Who waits for a lock does so in true time: nobody shall. */
	db_set_busy_timeout(sim->spool.db, 0);
}

void
simqueue_set_up(struct sim *sim)
{
	struct fault fault = { 0 };

	shim_install();
	spool_set_up(&sim->spool);
	sim->spool.settings.checks.max_dimension_value = 2000;
	if (spool_init(&sim->spool, &fault))
		bench_die("cannot make the queue: %s", fault.message);
	sim->base = sim->spool.settings;
	set_up_keys(sim);
	simqueue_open(sim);
	if (sqlite3_open(sim->spool.path, &sim->foreign) != SQLITE_OK)
		bench_die("cannot open %s", sim->spool.path);
	sqlite3_exec(
	    sim->foreign, "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	sim->pending = prepare(sim,
	    "SELECT coalesce(origin_id, metric.id), attempts"
	    " FROM metric LEFT JOIN origin ON origin.id = metric.id"
	    " WHERE metric.id > ?1");
	sim->dead = prepare(sim,
	    "SELECT coalesce(origin_id, dead_letter.id), attempts, cause"
	    " FROM dead_letter LEFT JOIN origin ON origin.id = dead_letter.id"
	    " WHERE dead_letter.id > ?1");
	sim->replayable = prepare(sim,
	    "SELECT dead_letter.id, lane_id, coalesce(code, -1), metric,"
	    "  coalesce(origin_id, dead_letter.id)"
	    " FROM dead_letter JOIN series ON series.id = series_id"
	    " LEFT JOIN origin ON origin.id = dead_letter.id"
	    " WHERE dead_letter.id > ?1 ORDER BY lane_id, code, metric");
	sim->deaths = prepare(sim,
	    "SELECT lane_id, died_at FROM dead_letter JOIN series"
	    " ON series.id = series_id WHERE dead_letter.id > ?1"
	    " ORDER BY lane_id, died_at");
	simair_set_up(sim);
}

void
simqueue_tear_down(struct sim *sim)
{
	sqlite3_finalize(sim->pending);
	sqlite3_finalize(sim->dead);
	sqlite3_finalize(sim->replayable);
	sqlite3_finalize(sim->deaths);
	sqlite3_close(sim->foreign);
	credentials_free(sim->right);
	credentials_free(sim->wrong);
	spool_tear_down(&sim->spool);
}

/* ---- the other program ---- */

void
simqueue_ask(struct sim *sim, const char *sql)
{
	if (sqlite3_exec(sim->foreign, sql, NULL, NULL, NULL) != SQLITE_OK)
		bench_die("%s: %s", sql, sqlite3_errmsg(sim->foreign));
}

void
simqueue_let_go(struct sim *sim)
{
	if (sim->foreign_until_ms < 0)
		return;
	sim->foreign_until_ms = -1;
	simqueue_ask(sim, "ROLLBACK");
	sim_say(sim, "the lock is free");
}

void
simqueue_empty(struct sim *sim)
{
	simqueue_ask(sim,
	    "BEGIN IMMEDIATE;"
	    "DELETE FROM metric; DELETE FROM dead_letter;"
	    "DELETE FROM suspect; DELETE FROM attempt; DELETE FROM account;"
	    "DELETE FROM series; DELETE FROM lane; DELETE FROM origin;"
	    "DELETE FROM operation; DELETE FROM operation_group;"
	    "DELETE FROM operation_row; DELETE FROM former;"
	    "UPDATE ledger SET purged = purged + pending + dead,"
	    " pending = 0, dead = 0;"
	    "COMMIT");
	sim->base_id = spool_ask(&sim->spool, "SELECT last_id FROM ledger");
}

/* ---- rows ---- */

static int
add_row(struct sim *sim, int index, struct entry_wire *wire)
{
	const struct sim_row *row = &sim->rows[index];
	const struct sim_series *series = &sim->series[row->series];
	char metric[32], value[1400];
	struct entry_dimension dimension = { "d", value };
	struct entry entry = { .ns = sim->lanes[series->lane].ns,
		.account = sim->lanes[series->lane].account,
		.metric = metric,
		.dimensions = &dimension,
		.dimension_count = 1,
		.value = index,
		.observed_at = -1,
		.max_age_ms = row->max_age_ms > 0 ? row->max_age_ms : -1 };
	const struct config_checks *checks = &sim->spool.config.checks;
	struct fault fault = { 0 };
	int64_t id;

	simplan_name(sim, row->series, metric, value);
	if (entry_check(&entry, checks, false, &fault) ||
	    entry_render(&entry, checks, wire, &fault) ||
	    writer_add(
		sim->spool.writer, &entry, wire, row->put_at, &id, &fault))
		bench_die("cannot put row %d: %s", index, fault.message);
	if (id <= sim->base_id || (index > 0 && id <= sim->rows[index - 1].id))
		sim_complain(sim, "row %d got id %lld", index, (long long)id);
	sim->rows[index].id = id;
	return 0;
}

void
simqueue_put(struct sim *sim, int count)
{
	struct writer *writer = sim->spool.writer;
	struct entry_wire wire = { 0 };
	struct writer_result result;
	struct fault fault = { 0 };
	int i;

	if (sim->foreign_until_ms >= 0 || sim->row_count == SIM_ROWS)
		return;
	if (writer_begin(writer, &fault))
		bench_die("cannot begin: %s", fault.message);
	i = simplan_rows(sim, count);
	sim_say(sim, "put %d rows", sim->row_count - i);
	for (; i < sim->row_count; i++)
		add_row(sim, i, &wire);
	if (writer_commit(writer, &result, &fault))
		bench_die("cannot commit: %s", fault.message);
	entry_wire_free(&wire);
	if (sim->core != NULL)
		core_wake(sim->core);
}
