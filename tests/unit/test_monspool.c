/* links: capi queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "capi.h"
#include "monspool.h"
#include "queue_fixture.h"
#include "queue/audit.h"
#include "queue/deadletter.h"
#include "queue/ledger.h"

struct house {
	struct spool spool;
	msp_open_opts opts;
	msp_queue *queue;
	msp_error error;
};

static int
setup(void **state)
{
	struct house *house = calloc(1, sizeof(*house));
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;

	assert_non_null(house);
	spool_make(&house->spool);
	house->opts = opts;
	house->opts.path = house->spool.place.file;
	assert_int_equal(
	    msp_open(&house->opts, &house->queue, &house->error), MSP_OK);
	*state = house;
	return 0;
}

static int
teardown(void **state)
{
	struct house *house = *state;

	msp_close(house->queue);
	spool_remove(&house->spool);
	free(house);
	return 0;
}

static msp_metric
metric(const char *name, double value)
{
	msp_metric made = MSP_METRIC_INIT;

	made.ns = "cvm";
	made.metric = name;
	made.value = value;
	return made;
}

/* What another process sees, audited. */
static int64_t
accepted(struct house *house)
{
	struct db *db = spool_open(&house->spool, DB_READER);
	struct audit audit;

	assert_int_equal(audit_run(db, true, &audit), 0);
	assert_int_equal(audit.problem_count, 0);
	db_close(db);
	return audit.ledger.accepted;
}

static void
tells_its_version(void **state)
{
	(void)state;
	assert_int_equal(msp_version_number(), MSP_VERSION_NUMBER);
	assert_string_equal(msp_version_string(), "0.1.0");
	assert_true(msp_check_version());
}

static void
has_a_word_for_every_status(void **state)
{
	int status, other;

	(void)state;
	for (status = MSP_E_UNKNOWN; status <= MSP_DUPLICATE; status++)
		for (other = status + 1; other <= MSP_DUPLICATE; other++)
			assert_string_not_equal(
			    msp_strerror((msp_status)status),
			    msp_strerror((msp_status)other));
	assert_string_equal(msp_strerror((msp_status)99), "unknown status");
}

static void
put_is_there_on_return(void **state)
{
	struct house *house = *state;
	msp_dim dims[] = { { "ip", "10.0.0.1" } };
	msp_metric one = metric("cpu", 0.5);
	int64_t id = 0;

	one.dims = dims;
	one.ndims = 1;
	assert_int_equal(
	    msp_put(house->queue, &one, &id, &house->error), MSP_OK);
	assert_int_equal(id, 1);
	assert_int_equal(house->error.status, MSP_OK);
	assert_int_equal(accepted(house), 1);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(accepted(house), 2);
}

static void
says_what_is_wrong_with_a_metric(void **state)
{
	struct house *house = *state;
	msp_metric bad = metric("cpu", NAN);

	assert_int_equal(
	    msp_put(house->queue, &bad, NULL, &house->error), MSP_E_INVALID);
	assert_int_equal(house->error.status, MSP_E_INVALID);
	assert_string_equal(house->error.field, "value");
	assert_string_not_equal(house->error.message, "");
	assert_string_not_equal(house->error.hint, "");
	bad = metric("cpu-load", 1);
	assert_int_equal(msp_validate(&bad, &house->error), MSP_E_INVALID);
	assert_string_equal(house->error.field, "metric");
	bad.metric = "cpu";
	assert_int_equal(msp_validate(&bad, &house->error), MSP_OK);
	assert_string_equal(house->error.field, "");
	bad.dims = &(msp_dim){ "a", "b" };
	bad.ndims = SIZE_MAX / 2;
	assert_int_equal(msp_validate(&bad, &house->error), MSP_E_INVALID);
	assert_string_equal(house->error.field, "dimensions");
	assert_int_equal(accepted(house), 0);
}

static void
a_key_is_queued_once(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);
	int64_t id = 0, again = 0;

	one.key = "run-17";
	assert_int_equal(msp_put(house->queue, &one, &id, NULL), MSP_OK);
	assert_int_equal(
	    msp_put(house->queue, &one, &again, &house->error), MSP_DUPLICATE);
	assert_int_equal(again, id);
	assert_int_equal(accepted(house), 1);
}

static void
a_batch_is_all_or_nothing(void **state)
{
	struct house *house = *state;
	msp_metric batch[3] = { metric("a", 1), metric("b", INFINITY),
		metric("c-c", 3) };
	msp_status each[3];

	assert_int_equal(msp_put_batch(house->queue, batch, 3, MSP_ATOMIC, each,
			     &house->error),
	    MSP_E_INVALID);
	assert_int_equal(house->error.index, 1);
	assert_string_equal(house->error.field, "value");
	assert_int_equal(each[0], MSP_OK);
	assert_int_equal(each[1], MSP_E_INVALID);
	assert_int_equal(each[2], MSP_E_INVALID);
	assert_int_equal(accepted(house), 0);
	batch[1].value = 2;
	batch[2].metric = "c";
	assert_int_equal(msp_put_batch(house->queue, batch, 3, MSP_ATOMIC, NULL,
			     &house->error),
	    MSP_OK);
	assert_int_equal(accepted(house), 3);
	assert_int_equal(
	    msp_put_batch(house->queue, NULL, 0, 0, NULL, NULL), MSP_OK);
}

static void
a_batch_may_leave_out_the_bad(void **state)
{
	struct house *house = *state;
	msp_metric batch[3] = { metric("a", 1), metric("b", NAN),
		metric("c", 3) };
	msp_status each[3];

	assert_int_equal(msp_put_batch(house->queue, batch, 3, MSP_SKIP_BAD,
			     NULL, &house->error),
	    MSP_E_MISUSE);
	assert_int_equal(msp_put_batch(house->queue, batch, 3, MSP_SKIP_BAD,
			     each, &house->error),
	    MSP_OK);
	assert_int_equal(each[0], MSP_OK);
	assert_int_equal(each[1], MSP_E_INVALID);
	assert_int_equal(each[2], MSP_OK);
	assert_int_equal(house->error.index, 1);
	assert_int_equal(accepted(house), 2);
}

/* A program that was built with a later, larger msp_metric. */
static void
a_batch_is_stepped_by_the_callers_size(void **state)
{
	struct later {
		msp_metric metric;
		double more[2];
	} batch[2] = { { .metric = metric("a", 1) },
		{ .metric = metric("b", 2) } };
	struct house *house = *state;

	batch[0].metric.struct_size = sizeof(struct later);
	batch[1].metric.struct_size = sizeof(struct later);
	assert_int_equal(msp_put_batch(house->queue, &batch[0].metric, 2, 0,
			     NULL, &house->error),
	    MSP_OK);
	assert_int_equal(accepted(house), 2);
	batch[0].metric.struct_size = 8;
	assert_int_equal(msp_put_batch(house->queue, &batch[0].metric, 2, 0,
			     NULL, &house->error),
	    MSP_E_MISUSE);
	assert_int_equal(
	    msp_put(house->queue, &batch[0].metric, NULL, &house->error),
	    MSP_E_MISUSE);
}

static void
a_transaction_is_stored_at_commit(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1), bad = metric("cpu", NAN);
	msp_metric batch[2] = { metric("a", 1), metric("b", 2) };

	assert_int_equal(msp_begin(house->queue, &house->error), MSP_OK);
	assert_int_equal(msp_begin(house->queue, &house->error), MSP_E_MISUSE);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(
	    msp_put(house->queue, &bad, NULL, NULL), MSP_E_INVALID);
	assert_int_equal(
	    msp_put_batch(house->queue, batch, 2, 0, NULL, NULL), MSP_OK);
	assert_int_equal(accepted(house), 0);
	assert_int_equal(msp_commit(house->queue, &house->error), MSP_OK);
	assert_int_equal(accepted(house), 3);
	assert_int_equal(msp_commit(house->queue, &house->error), MSP_E_MISUSE);
}

static void
a_transaction_can_be_undone(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);

	assert_int_equal(
	    msp_rollback(house->queue, &house->error), MSP_E_MISUSE);
	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(msp_rollback(house->queue, NULL), MSP_OK);
	assert_int_equal(accepted(house), 0);
	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	msp_close(house->queue);
	house->queue = NULL;
	assert_int_equal(accepted(house), 0);
}

static void
a_transaction_that_is_too_large_says_so_to_its_end(void **state)
{
	struct house *house = *state;
	char text[200];
	msp_dim dim = { "text", text };
	msp_metric one = metric("cpu", 1);
	msp_status status = MSP_OK;
	int i;

	house->queue->config.queue.max_size = 4 << 20;
	one.dims = &dim;
	one.ndims = 1;
	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 100000 && status == MSP_OK; i++) {
		text[snprintf(text, sizeof(text), "%d", i)] = 'x';
		status = msp_put(house->queue, &one, NULL, &house->error);
	}
	assert_int_equal(status, MSP_E_FULL);
	assert_string_not_equal(house->error.message, "");
	assert_int_equal(
	    msp_put(house->queue, &one, NULL, &house->error), MSP_E_FULL);
	assert_string_not_equal(house->error.message, "");
	assert_int_equal(msp_commit(house->queue, &house->error), MSP_E_FULL);
	assert_string_not_equal(house->error.message, "");
	assert_int_equal(accepted(house), 0);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
}

/* No file may grow beyond ${bytes}; what is written to it then fails. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

#define NO_FRAME 4096 /* of the log fits */

static int
commit_without_room(void *cookie)
{
	struct house *house = cookie;
	msp_metric one = metric("cpu", 1);
	int bad = 0;

	one.key = "once";
	bad |= msp_begin(house->queue, NULL) != MSP_OK;
	bad |= msp_put(house->queue, &one, NULL, NULL) != MSP_OK;
	limit_files(NO_FRAME);
	bad |= msp_commit(house->queue, &house->error) != MSP_E_UNKNOWN;
	bad |= house->error.status != MSP_E_UNKNOWN;
	bad |= strstr(house->error.message, "ulimit") == NULL;
	/* whoever asks again is told again */
	bad |= msp_commit(house->queue, &house->error) != MSP_E_UNKNOWN;
	bad |= house->error.status != MSP_E_UNKNOWN;
	bad |= msp_rollback(house->queue, NULL) != MSP_E_UNKNOWN;
	limit_files(RLIM_INFINITY);
	bad |= msp_begin(house->queue, NULL) != MSP_OK;
	bad |= msp_rollback(house->queue, NULL) != MSP_OK;
	bad |= msp_rollback(house->queue, NULL) != MSP_E_MISUSE;
	bad |= msp_put(house->queue, &one, NULL, NULL) < MSP_OK;
	return bad;
}

/* The child's handle is its own. */
static int
in_child_with_handle(struct house *house, int (*child)(void *cookie))
{
	msp_close(house->queue);
	house->queue = NULL;
	return in_child(child, house);
}

static int
commit_without_room_in_child(void *cookie)
{
	struct house *house = cookie;

	if (msp_open(&house->opts, &house->queue, NULL) != MSP_OK)
		return 2;
	return commit_without_room(house);
}

static void
a_commit_that_fails_midway_is_unknown_however_often_asked(void **state)
{
	struct house *house = *state;

	assert_int_equal(
	    in_child_with_handle(house, commit_without_room_in_child), 0);
	assert_int_equal(accepted(house), 1);
}

static int
batch_without_room(void *cookie)
{
	struct house *house = cookie;
	msp_metric batch[3] = { metric("a", 1), metric("b", NAN),
		metric("c", 3) };
	msp_status each[3] = { MSP_OK, MSP_OK, MSP_OK };
	int bad = 0;

	if (msp_open(&house->opts, &house->queue, NULL) != MSP_OK)
		return 2;
	limit_files(NO_FRAME);
	bad |= msp_put_batch(house->queue, batch, 3, MSP_SKIP_BAD, each,
		   &house->error) != MSP_E_UNKNOWN;
	bad |= each[0] != MSP_E_UNKNOWN || each[1] != MSP_E_INVALID ||
	    each[2] != MSP_E_UNKNOWN;
	limit_files(RLIM_INFINITY);
	bad |= msp_put_batch(
		   house->queue, batch, 3, MSP_SKIP_BAD, each, NULL) != MSP_OK;
	bad |= each[0] != MSP_OK || each[2] != MSP_OK;
	return bad;
}

static void
no_metric_of_a_batch_is_ok_when_its_commit_failed(void **state)
{
	struct house *house = *state;

	assert_int_equal(in_child_with_handle(house, batch_without_room), 0);
	assert_int_equal(accepted(house), 2);
}

/* In the open transaction: the file may not grow any more. */
static void
fill_up(struct house *house)
{
	assert_int_equal(
	    db_run(house->queue->db, "PRAGMA max_page_count=1"), 0);
}

static msp_status
put_until_it_fails(struct house *house)
{
	msp_metric one = metric("cpu", 1);
	msp_status status = MSP_OK;
	int i;

	for (i = 0; i < 100000 && status == MSP_OK; i++)
		status = msp_put(house->queue, &one, NULL, NULL);
	return status;
}

static void
a_commit_after_a_failed_put_says_why_it_failed(void **state)
{
	struct house *house = *state;
	msp_metric batch[2] = { metric("a", 1), metric("b", 2) };
	msp_status each[2];

	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	fill_up(house);
	assert_int_equal(put_until_it_fails(house), MSP_E_FULL);
	assert_int_equal(msp_put_batch(house->queue, batch, 2, 0, each, NULL),
	    MSP_E_FULL); /* nothing of it can be stored any more */
	assert_int_equal(each[0], MSP_E_FULL);
	assert_int_equal(each[1], MSP_E_FULL);
	assert_int_equal(msp_commit(house->queue, &house->error), MSP_E_FULL);
	assert_int_equal(house->error.status, MSP_E_FULL);
	assert_int_equal(msp_commit(house->queue, NULL), MSP_E_MISUSE);
	assert_int_equal(accepted(house), 0);
}

/* Another queue is put in the place of ${house}'s. */
static void
replace_queue(struct house *house)
{
	const struct place *place = &house->spool.place;
	const char *const names[] = { place->file, place->wal, place->shm };
	struct queue_init init = { .path = place->file,
		.any_filesystem = true };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(unlink(names[i]), 0);
	unlink(place->gate);
	assert_int_equal(queue_init(&init, NULL, NULL), 0);
}

static void
goes_on_with_the_queue_that_is_there_now(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);
	msp_stats stats = MSP_STATS_INIT;

	assert_int_equal(
	    msp_put_batch(house->queue, &one, 1, 0, NULL, NULL), MSP_OK);
	replace_queue(house);
	assert_int_equal(msp_stats_get(house->queue, &stats, NULL), MSP_OK);
	assert_int_equal(stats.accepted, 0);
	replace_queue(house);
	assert_int_equal(
	    msp_put_batch(house->queue, &one, 1, 0, NULL, NULL), MSP_OK);
	assert_int_equal(accepted(house), 1);
	replace_queue(house);
	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(msp_commit(house->queue, NULL), MSP_OK);
	assert_int_equal(accepted(house), 1);
}

static void
says_that_the_queue_is_gone(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);
	char aside[512];

	spool_path(&house->spool, "aside.db", aside);
	assert_int_equal(rename(house->spool.place.file, aside), 0);
	assert_int_equal(
	    msp_put(house->queue, &one, NULL, &house->error), MSP_E_NOTFOUND);
	assert_int_not_equal(access(house->spool.place.file, F_OK), 0);
	assert_int_equal(msp_begin(house->queue, NULL), MSP_E_NOTFOUND);
	assert_int_equal(rename(aside, house->spool.place.file), 0);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(accepted(house), 1);
}

static void
another_handle_waits_and_is_told(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);
	msp_queue *other;

	house->opts.busy_timeout_ms = 50;
	assert_int_equal(msp_open(&house->opts, &other, NULL), MSP_OK);
	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(other, &one, NULL, &house->error), MSP_E_BUSY);
	assert_non_null(strstr(house->error.hint, "busy_timeout_ms"));
	assert_null(strstr(house->error.hint, "--"));
	assert_int_equal(msp_commit(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(other, &one, NULL, NULL), MSP_OK);
	msp_close(other);
}

static void
never_makes_a_queue_by_opening(void **state)
{
	struct house *house = *state;
	msp_queue *queue = house->queue;
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;
	char path[512];

	spool_path(&house->spool, "none.db", path);
	assert_int_equal(msp_open(&opts, &queue, &house->error), MSP_E_MISUSE);
	assert_null(queue);
	opts.path = path;
	assert_int_equal(
	    msp_open(&opts, &queue, &house->error), MSP_E_NOTFOUND);
	assert_int_not_equal(access(path, F_OK), 0);
	opts.flags = 1;
	assert_int_equal(msp_open(&opts, &queue, &house->error), MSP_E_MISUSE);
	spool_write(path, "not a queue, this is some other file", 36);
	opts.flags = 0;
	assert_int_equal(msp_open(&opts, &queue, &house->error), MSP_E_SCHEMA);
	msp_close(NULL);
}

static void
creating_again_keeps_the_rows(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);

	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(msp_create(&house->opts, &house->error), MSP_OK);
	assert_int_equal(accepted(house), 1);
}

static int
use_inherited(void *cookie)
{
	struct house *house = cookie;
	msp_metric one = metric("cpu", 1);
	msp_stats stats = MSP_STATS_INIT;
	msp_queue *mine;
	int bad = 0;

	bad |= msp_put(house->queue, &one, NULL, NULL) != MSP_E_FORKED;
	bad |= msp_put_batch(house->queue, &one, 1, 0, NULL, NULL) !=
	    MSP_E_FORKED;
	bad |= msp_begin(house->queue, NULL) != MSP_E_FORKED;
	bad |= msp_commit(house->queue, NULL) != MSP_E_FORKED;
	bad |= msp_rollback(house->queue, NULL) != MSP_E_FORKED;
	bad |= msp_stats_get(house->queue, &stats, NULL) != MSP_E_FORKED;
	msp_close(house->queue);
	house->opts.busy_timeout_ms = 0;
	bad |= msp_open(&house->opts, &mine, NULL) != MSP_OK;
	msp_close(mine);
	return bad;
}

/* Even out of a transaction, whose mutex the child inherits locked. */
static void
a_handle_does_not_survive_a_fork(void **state)
{
	struct house *house = *state;
	msp_metric one = metric("cpu", 1);

	assert_int_equal(msp_begin(house->queue, NULL), MSP_OK);
	assert_int_equal(msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	assert_int_equal(in_child(use_inherited, house), 0);
	assert_int_equal(msp_commit(house->queue, NULL), MSP_OK);
	assert_int_equal(accepted(house), 1);
}

#define THREADS 4
#define PUTS 50

static void *
put_many(void *cookie)
{
	struct house *house = cookie;
	msp_metric one = metric("cpu", 1);
	intptr_t failed = 0;
	int i;

	for (i = 0; i < PUTS; i++) {
		failed += msp_put(house->queue, &one, NULL, NULL) != MSP_OK;
		failed += msp_begin(house->queue, NULL) != MSP_OK;
		failed += msp_put(house->queue, &one, NULL, NULL) != MSP_OK;
		failed += msp_put(house->queue, &one, NULL, NULL) != MSP_OK;
		if (i % 2)
			failed += msp_commit(house->queue, NULL) != MSP_OK;
		else
			failed += msp_rollback(house->queue, NULL) != MSP_OK;
	}
	return (void *)failed;
}

static void
threads_share_a_handle(void **state)
{
	struct house *house = *state;
	pthread_t threads[THREADS];
	void *failed;
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, put_many, house), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(accepted(house), THREADS * PUTS * 2);
}

static void
tells_what_waits(void **state)
{
	struct house *house = *state;
	const struct death death = {
		.cause = "code", .scope = "row", .attempt_id = -1
	};
	msp_stats stats = MSP_STATS_INIT;
	msp_metric one = metric("cpu", 1);
	struct db *db;
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(
		    msp_put(house->queue, &one, NULL, NULL), MSP_OK);
	db = spool_open(&house->spool, DB_WRITER);
	assert_int_equal(deadletter_move(db, 1, 1, &death), 1);
	assert_int_equal(db_run(db,
			     "UPDATE metric /* scan */ SET accepted_at ="
			     " accepted_at - 3600000 WHERE id = 2"),
	    0);
	assert_int_equal(db_run(db, "UPDATE lane SET state = 'held'"), 0);
	db_close(db);
	assert_int_equal(
	    msp_stats_get(house->queue, &stats, &house->error), MSP_OK);
	assert_int_equal(stats.accepted, 3);
	assert_int_equal(stats.pending, 2);
	assert_int_equal(stats.held, 2);
	assert_int_equal(stats.dead, 1);
	assert_int_equal(stats.late, 1);
	assert_in_range(stats.oldest_pending_age_s, 3600, 3700);
	assert_true(stats.db_bytes > 0);
	stats.struct_size = 4;
	assert_int_equal(
	    msp_stats_get(house->queue, &stats, &house->error), MSP_E_MISUSE);
}

static void
takes_no_handle_for_misuse(void **state)
{
	msp_metric one = metric("cpu", 1);
	msp_error error;

	(void)state;
	assert_int_equal(msp_put(NULL, &one, NULL, &error), MSP_E_MISUSE);
	assert_int_equal(msp_begin(NULL, NULL), MSP_E_MISUSE);
	assert_int_equal(msp_validate(NULL, &error), MSP_E_MISUSE);
	one.ndims = 1;
	assert_int_equal(msp_validate(&one, &error), MSP_E_MISUSE);
}

#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HOUSE_TEST(tells_its_version),
		HOUSE_TEST(has_a_word_for_every_status),
		HOUSE_TEST(put_is_there_on_return),
		HOUSE_TEST(says_what_is_wrong_with_a_metric),
		HOUSE_TEST(a_key_is_queued_once),
		HOUSE_TEST(a_batch_is_all_or_nothing),
		HOUSE_TEST(a_batch_may_leave_out_the_bad),
		HOUSE_TEST(a_batch_is_stepped_by_the_callers_size),
		HOUSE_TEST(a_transaction_is_stored_at_commit),
		HOUSE_TEST(a_transaction_can_be_undone),
		HOUSE_TEST(a_transaction_that_is_too_large_says_so_to_its_end),
		HOUSE_TEST(
		    a_commit_that_fails_midway_is_unknown_however_often_asked),
		HOUSE_TEST(no_metric_of_a_batch_is_ok_when_its_commit_failed),
		HOUSE_TEST(a_commit_after_a_failed_put_says_why_it_failed),
		HOUSE_TEST(goes_on_with_the_queue_that_is_there_now),
		HOUSE_TEST(says_that_the_queue_is_gone),
		HOUSE_TEST(another_handle_waits_and_is_told),
		HOUSE_TEST(never_makes_a_queue_by_opening),
		HOUSE_TEST(creating_again_keeps_the_rows),
		HOUSE_TEST(a_handle_does_not_survive_a_fork),
		HOUSE_TEST(threads_share_a_handle),
		HOUSE_TEST(tells_what_waits),
		HOUSE_TEST(takes_no_handle_for_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
