#include "dead_work.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/db.h"
#include "dead_filter.h"

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
dead_work_describe(struct operation_row *row, enum operation_kind kind,
    const struct dead_choice *choice)
{
	struct text words = { 0 };

	row->kind = kind;
	row->state = OPERATION_RUNNING;
	row->asked_at = clock_wall_ms();
	row->ended_at = -1;
	print_asker(row->asked_by, sizeof(row->asked_by));
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

/* One bracket: rows and the count of them move together, so whoever looks
 * after a kill sees how far it came. */
static int
do_some(struct db *db, struct operation_row *row, const int64_t *ids,
    size_t count, dead_work_step *step, void *cookie)
{
	int64_t done, skipped = 0;

	if (db_begin(db))
		return -1;
	if ((done = step(db, cookie, ids, count, &skipped)) == -1 ||
	    operation_count(db, row->id, done, skipped, clock_wall_ms())) {
		db_rollback(db);
		return -1;
	}
	if (db_commit(db))
		return -1;
	row->done += done;
	row->skipped += skipped;
	return 0;
}

static int
end(struct db *db, const struct operation_row *row)
{
	if (db_begin(db))
		return -1;
	if (operation_set(db, row->id, OPERATION_DONE, clock_wall_ms()) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

int
dead_work_do(struct db *db, struct operation_row *row, const int64_t *ids,
    size_t count, dead_work_step *step, void *cookie, struct fault *fault)
{
	size_t at, most;

	for (at = 0; at < count; at += most) {
		most = count - at;
		if (most > OPERATION_ROWS)
			most = OPERATION_ROWS;
		if (do_some(db, row, ids + at, most, step, cookie)) {
			*fault = *db_fault(db);
			return -1;
		}
	}
	if (end(db, row)) {
		*fault = *db_fault(db);
		return -1;
	}
	row->state = OPERATION_DONE;
	return 0;
}
