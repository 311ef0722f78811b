#include "status_view.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/schema.h"
#include "queue/upkeep.h"
#include "cli.h"

#define MINUTE_MS 60000
/* Rates are taken over so many minutes, or since the history begins; never
 * over less than that. */
#define RATE_MINUTES 5
#define RATE_LEAST_MS 10000

static const int64_t AGES_MS[STATUS_AGES] = { 0, MINUTE_MS, 5 * MINUTE_MS,
	60 * MINUTE_MS, 24 * 60 * MINUTE_MS, 7 * 24 * 60 * MINUTE_MS };

int64_t
status_age_ms(int i)
{
	return AGES_MS[i];
}

int64_t
status_age_seconds(const struct status_view *view, int64_t at)
{
	if (at < 0 || at > view->now_ms)
		return 0;
	return (view->now_ms - at) / 1000;
}

/* ---- reading ---- */

static int64_t
per_second(int64_t rows, int64_t ms)
{
	return rows < 0 ? -1 : (rows * 100000 + ms / 2) / ms;
}

static int
read_rates(struct status_view *view, struct db *db)
{
	const struct ledger_row *ledger = &view->status.ledger;
	struct ledger_row before;
	int64_t now_minute = view->now_ms / MINUTE_MS, minute, ms;
	int known;

	view->in_rate = view->out_rate = -1;
	known = upkeep_recall(
	    db, now_minute - RATE_MINUTES - 1, &minute, &before);
	if (known != 1)
		return known;
	/* A row holds until the next: only then something changed. */
	if (minute < now_minute - RATE_MINUTES - 1 && view->running)
		minute = now_minute - RATE_MINUTES - 1;
	ms = view->now_ms - (minute + 1) * MINUTE_MS;
	if (ms < RATE_LEAST_MS)
		return 0;
	view->in_rate = per_second(ledger->accepted - before.accepted, ms);
	view->out_rate = per_second(ledger->delivered - before.delivered, ms);
	return 0;
}

static int
read_ages(struct status_view *view, struct db *db)
{
	int64_t before[STATUS_AGES];
	int i;

	for (i = 0; i < STATUS_AGES; i++)
		before[i] = view->now_ms - AGES_MS[i];
	if (status_ages(db, before + 1, view->ages + 1, STATUS_AGES - 1))
		return -1;
	view->ages[0] = view->status.ledger.pending;
	for (i = 0; i + 1 < STATUS_AGES; i++)
		view->ages[i] -= view->ages[i + 1];
	return 0;
}

/* Codes in the order in which they come; the least frequent of too many is
 * given up, as the groups come with the largest first. */
static int
count_code(void *cookie, const struct deadletter_group *group)
{
	struct status_view *view = cookie;
	int i;

	for (i = 0; i < view->code_count; i++)
		if (view->codes[i].code == group->code)
			break;
	if (i == STATUS_CODES)
		return 0;
	if (i == view->code_count)
		view->codes[view->code_count++] = (struct status_code){
			group->code, 0
		};
	view->codes[i].rows += group->rows;
	return 0;
}

static int
read_all(struct status_view *view, const struct cli *cli, struct db *db)
{
	int64_t late_ms = view->config.late.after_ms;

	if (status_read(
		db, late_ms > 0 ? view->now_ms - late_ms : -1, &view->status) ||
	    read_rates(view, db) || (view->want_ages && read_ages(view, db)))
		return -1;
	view->operation_count = operation_list(
	    db, 0, view->operations, STATUS_OPERATIONS);
	if (view->operation_count == -1)
		return -1;
	if (!cli->json && view->status.ledger.dead > 0 &&
	    deadletter_groups(db, count_code, view) == -1)
		return -1;
	return 0;
}

int
status_view_read(
    struct status_view *view, const struct cli *cli, struct fault *fault)
{
	struct db *db;
	int failed = -1;

	if (cli_queue_path(cli, &view->path, fault))
		return -1;
	if ((db = cli_open(cli, DB_READER, &view->config, fault)) == NULL)
		return -1;
	view->now_ms = clock_wall_ms();
	view->schema = schema_version(db);
	view->running = lock_held(db_place(db)->lock, &view->holder);
	if (read_all(view, cli, db))
		*fault = *db_fault(db);
	else
		failed = lanes_read(&view->lanes, db, fault);
	db_close(db);
	return failed;
}

void
status_view_free(struct status_view *view)
{
	lanes_free(&view->lanes);
}
