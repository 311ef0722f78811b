#include "capi.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capi_series.h"
#include "queue/queue.h"
#include "queue/status.h"

unsigned
msp_version_number(void)
{
	return MSP_VERSION_NUMBER;
}

const char *
msp_version_string(void)
{
	return MONSPOOL_VERSION;
}

static void
disconnect(msp_queue *queue)
{
	capi_series_free(queue->series);
	writer_free(queue->writer);
	db_close(queue->db);
	queue->series = NULL;
	queue->writer = NULL;
	queue->db = NULL;
}

msp_status
capi_connect(msp_queue *queue, msp_error *error)
{
	struct fault fault = { 0 };

	if (queue->db != NULL &&
	    (queue->transaction ||
		(!db_broken(queue->db) && !db_replaced(queue->db))))
		return MSP_OK;
	disconnect(queue);
	queue->db = queue_open(queue->path, DB_SHARED, queue->busy_timeout_ms,
	    &queue->config, &fault);
	if (queue->db == NULL)
		return capi_fail(error, &fault);
	queue->writer = writer_new(queue->db, &queue->config, &fault);
	if (queue->writer != NULL)
		return MSP_OK;
	db_close(queue->db);
	queue->db = NULL;
	return capi_fail(error, &fault);
}

msp_status
capi_enter(msp_queue *queue, msp_error *error)
{
	capi_clear(error);
	if (queue == NULL)
		return capi_fail_with(error, MSP_E_MISUSE, "queue is NULL");
	/* Before the mutex, which another thread may have held at the fork. */
	if (getpid() != queue->pid)
		return capi_fail_with(error, MSP_E_FORKED,
		    "the queue was opened before a fork: open it anew");
	pthread_mutex_lock(&queue->mutex);
	return MSP_OK;
}

msp_status
capi_leave(msp_queue *queue, msp_status status)
{
	pthread_mutex_unlock(&queue->mutex);
	return status;
}

static msp_status
check_opts(const msp_open_opts *opts, msp_error *error)
{
	if (opts == NULL || opts->struct_size < sizeof(*opts))
		return capi_fail_with(error, MSP_E_MISUSE,
		    "the options are not made by MSP_OPEN_OPTS_INIT");
	if (opts->path == NULL || opts->path[0] == '\0')
		return capi_fail_with(
		    error, MSP_E_MISUSE, "the options name no path");
	if (opts->flags != 0)
		return capi_fail_with(error, MSP_E_MISUSE, "unknown flags");
	return MSP_OK;
}

msp_status
msp_create(const msp_open_opts *opts, msp_error *error)
{
	struct queue_init init = { 0 };
	struct fault fault = { 0 };
	msp_status status;
	bool created;

	capi_clear(error);
	if ((status = check_opts(opts, error)) != MSP_OK)
		return status;
	init.path = opts->path;
	if (queue_init(&init, &created, &fault))
		return capi_fail(error, &fault);
	return MSP_OK;
}

static int
make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;
	int failed;

	if (pthread_mutexattr_init(&attributes) != 0)
		return -1;
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	failed = pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return failed == 0 ? 0 : -1;
}

static msp_queue *
make_handle(const msp_open_opts *opts)
{
	msp_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL)
		return NULL;
	queue->pid = getpid();
	queue->busy_timeout_ms = opts->busy_timeout_ms;
	if ((queue->path = strdup(opts->path)) == NULL ||
	    make_mutex(&queue->mutex)) {
		free(queue->path);
		free(queue);
		return NULL;
	}
	return queue;
}

msp_status
msp_open(const msp_open_opts *opts, msp_queue **queue, msp_error *error)
{
	msp_queue *made;
	msp_status status;

	capi_clear(error);
	if (queue == NULL)
		return capi_fail_with(error, MSP_E_MISUSE, "queue is NULL");
	*queue = NULL;
	if ((status = check_opts(opts, error)) != MSP_OK)
		return status;
	if ((made = make_handle(opts)) == NULL)
		return capi_fail_with(error, MSP_E_NOMEM, "out of memory");
	if ((status = capi_connect(made, error)) != MSP_OK) {
		msp_close(made);
		return status;
	}
	*queue = made;
	return MSP_OK;
}

void
msp_close(msp_queue *queue)
{
	if (queue == NULL)
		return;
	disconnect(queue);
	/* A forked mutex may be locked by a thread that is not here. */
	if (getpid() == queue->pid) {
		if (queue->transaction)
			pthread_mutex_unlock(&queue->mutex);
		pthread_mutex_destroy(&queue->mutex);
	}
	entry_wire_free(&queue->wire);
	free(queue->path);
	free(queue);
}

msp_status
capi_begin(msp_queue *queue, msp_error *error)
{
	struct fault fault = { 0 };

	if (writer_begin(queue->writer, &fault))
		return capi_fail(error, &fault);
	return MSP_OK;
}

msp_status
capi_commit(msp_queue *queue, msp_error *error)
{
	struct writer_result result;
	struct fault fault = { 0 };
	msp_status status;

	if (writer_commit(queue->writer, &result, &fault) == 0)
		return MSP_OK;
	status = capi_fail(error, &fault);
	if (status == MSP_E_UNKNOWN)
		disconnect(queue); /* H12: the handle is not to be trusted */
	return status;
}

msp_status
msp_begin(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	if (queue->transaction)
		return capi_leave(queue,
		    capi_fail_with(error, MSP_E_MISUSE,
			"this thread has begun a transaction already"));
	if ((status = capi_connect(queue, error)) != MSP_OK ||
	    (status = capi_begin(queue, error)) != MSP_OK)
		return capi_leave(queue, status);
	queue->transaction = true;
	queue->unknown = false;
	return MSP_OK; /* and keeps the mutex */
}

/* Nothing can be ended; whoever asks again about a commit that failed midway
 * is told again. */
static msp_status
no_transaction(msp_queue *queue, msp_error *error)
{
	if (queue->unknown)
		return capi_fail_with(error, MSP_E_UNKNOWN,
		    "the commit before failed midway: stored or not");
	return capi_fail_with(
	    error, MSP_E_MISUSE, "this thread has begun no transaction");
}

/* The mutex twice: that of this call and that of msp_begin(). */
static msp_status
end_transaction(msp_queue *queue, msp_status status)
{
	queue->transaction = false;
	queue->unknown = status == MSP_E_UNKNOWN;
	pthread_mutex_unlock(&queue->mutex);
	return capi_leave(queue, status);
}

msp_status
msp_commit(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	if (!queue->transaction)
		return capi_leave(queue, no_transaction(queue, error));
	return end_transaction(queue, capi_commit(queue, error));
}

msp_status
msp_rollback(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	if (!queue->transaction)
		return capi_leave(queue, no_transaction(queue, error));
	writer_abandon(queue->writer);
	return end_transaction(queue, MSP_OK);
}

static void
fill_stats(const struct status *status, int64_t now_ms, msp_stats *stats)
{
	int64_t oldest = status->oldest_accepted_at;

	stats->accepted = status->ledger.accepted;
	stats->pending = status->ledger.pending;
	stats->held = status->held;
	stats->dead = status->ledger.dead;
	stats->late = status->late;
	stats->oldest_pending_age_s = 0;
	if (oldest != -1 && now_ms > oldest)
		stats->oldest_pending_age_s = (now_ms - oldest) / 1000;
	stats->db_bytes = status->db_bytes + status->wal_bytes;
}

static msp_status
read_stats(msp_queue *queue, msp_stats *stats, msp_error *error)
{
	int64_t now_ms = clock_wall_ms(), late_before = -1;
	struct status read;
	msp_status status;

	if ((status = capi_connect(queue, error)) != MSP_OK)
		return status;
	if (queue->config.late.after_ms > 0)
		late_before = now_ms - queue->config.late.after_ms;
	if (status_read(queue->db, late_before, &read))
		return capi_fail(error, db_fault(queue->db));
	fill_stats(&read, now_ms, stats);
	return MSP_OK;
}

msp_status
msp_stats_get(msp_queue *queue, msp_stats *stats, msp_error *error)
{
	msp_status status;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	if (stats == NULL || stats->struct_size < sizeof(*stats))
		return capi_leave(queue,
		    capi_fail_with(error, MSP_E_MISUSE,
			"the stats are not made by MSP_STATS_INIT"));
	return capi_leave(queue, read_stats(queue, stats, error));
}
