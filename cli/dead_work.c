#include "dead_work.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/bound.h"
#include "queue/db.h"
#include "dead_filter.h"
#include "progress.h"

static void
print_asker(char *buf, size_t size)
{
	const struct passwd *user = getpwuid(getuid());

	if (user != NULL)
		snprintf(buf, size, "%.60s", user->pw_name);
	else
		snprintf(buf, size, "uid %ld", (long)getuid());
}

void
dead_work_ask(struct operation_row *row, enum operation_kind kind)
{
	row->kind = kind;
	row->state = OPERATION_RUNNING;
	row->asked_at = clock_wall_ms();
	row->ended_at = -1;
	print_asker(row->asked_by, sizeof(row->asked_by));
}

void
dead_work_describe(struct operation_row *row, enum operation_kind kind,
    const struct dead_choice *choice)
{
	struct text words = { 0 };

	dead_work_ask(row, kind);
	dead_choice_words(choice, &words);
	text_shown(row->selection, sizeof(row->selection), text_string(&words),
	    words.len);
	text_free(&words);
}

int
dead_work_begin(struct db *db, struct operation_row *row, struct fault *fault)
{
	if (db_begin(db))
		goto fail;
	if (operation_new(db, row)) {
		db_rollback(db);
		goto fail;
	}
	if (db_commit(db))
		goto fail;
	return 0;

fail:
	*fault = *db_fault(db);
	return -1;
}

int
dead_work_bracket(struct db *db, const struct config *config)
{
	int failed;

	if (db_enter(db))
		return -1;
	bound_shorten_log(db, config);
	failed = db_begin(db);
	db_leave(db); /* the transaction stays in */
	return failed;
}

/* One bracket: rows and the count of them move together, so whoever looks
 * after a kill sees how far it came. */
static int
do_some(const struct dead_work *work, const int64_t *ids, size_t count)
{
	struct operation_row *row = work->operation;
	int64_t done, skipped = 0;

	if (dead_work_bracket(work->db, work->config))
		return -1;
	done = work->step(work->db, work->cookie, ids, count, &skipped);
	if (done == -1 ||
	    operation_count(
		work->db, row->id, done, skipped, clock_wall_ms())) {
		db_rollback(work->db);
		return -1;
	}
	if (db_commit(work->db))
		return -1;
	row->done += done;
	row->skipped += skipped;
	return 0;
}

int
dead_work_end(struct db *db, struct operation_row *row, struct fault *fault)
{
	if (db_begin(db))
		goto fail;
	if (operation_set(db, row->id, OPERATION_DONE, clock_wall_ms()) == -1) {
		db_rollback(db);
		goto fail;
	}
	if (db_commit(db))
		goto fail;
	row->state = OPERATION_DONE;
	return 0;

fail:
	*fault = *db_fault(db);
	return -1;
}

int
dead_work_do(const struct dead_work *work, const int64_t *ids, size_t count,
    struct fault *fault)
{
	size_t at, most, step = (size_t)bound_deaths(work->config);
	int failed = 0;

	if (step > OPERATION_ROWS)
		step = OPERATION_ROWS;
	progress_start(work->output);
	for (at = 0; at < count && !failed; at += most) {
		progress_count(work->what, (int64_t)at, (int64_t)count);
		most = count - at;
		if (most > step)
			most = step;
		failed = do_some(work, ids + at, most);
	}
	progress_end();
	if (failed) {
		*fault = *db_fault(work->db);
		return -1;
	}
	return dead_work_end(work->db, work->operation, fault);
}
