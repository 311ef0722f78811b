#include "monspool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "queue/entry.h"
#include "queue/queue.h"
#include "queue/status.h"
#include "queue/writer.h"

/* Dimensions that are converted without asking for memory. */
#define DIMENSIONS 16
#define NO_MEMORY 7 /* SQLITE_NOMEM */

struct msp_queue {
	pthread_mutex_t mutex; /* recursive: msp_begin() keeps it */
	pid_t pid;             /* of the process that opened it */
	char *path;
	int64_t busy_timeout_ms;
	struct config config;
	struct db *db; /* NULL: to be opened anew (H12) */
	struct writer *writer;
	bool transaction;
	struct entry_wire wire;
};

static const struct meaning {
	enum fault_kind kind;
	msp_status status;
} MEANINGS[] = {
	{ FAULT_BAD_JSON, MSP_E_INVALID },
	{ FAULT_BAD_UTF8, MSP_E_INVALID },
	{ FAULT_BAD_NAME, MSP_E_INVALID },
	{ FAULT_BAD_VALUE, MSP_E_INVALID },
	{ FAULT_BAD_ROW, MSP_E_INVALID },
	{ FAULT_MISSING_MEMBER, MSP_E_INVALID },
	{ FAULT_DUPLICATE_MEMBER, MSP_E_INVALID },
	{ FAULT_TOO_LONG, MSP_E_INVALID },
	{ FAULT_TOO_MANY_DIMENSIONS, MSP_E_INVALID },
	{ FAULT_TOO_LARGE, MSP_E_INVALID },
	{ FAULT_QUEUE_BUSY, MSP_E_BUSY },
	{ FAULT_QUEUE_FULL, MSP_E_FULL },
	{ FAULT_CORRUPT, MSP_E_CORRUPT },
	{ FAULT_LEDGER_BROKEN, MSP_E_CORRUPT },
	{ FAULT_NO_PERMISSION, MSP_E_PERM },
	{ FAULT_NOT_FOUND, MSP_E_NOTFOUND },
	{ FAULT_QUEUE_MISSING, MSP_E_NOTFOUND },
	{ FAULT_QUEUE_FOREIGN, MSP_E_SCHEMA },
	{ FAULT_QUEUE_NEWER, MSP_E_SCHEMA },
	{ FAULT_OUTCOME_UNKNOWN, MSP_E_UNKNOWN },
	{ FAULT_USAGE, MSP_E_MISUSE },
	{ FAULT_INTERNAL, MSP_E_MISUSE },
};

static const struct word {
	msp_status status;
	const char *text;
} WORDS[] = {
	{ MSP_OK, "queued" },
	{ MSP_DUPLICATE, "key already known" },
	{ MSP_E_INVALID, "metric not acceptable" },
	{ MSP_E_BUSY, "queue busy" },
	{ MSP_E_FULL, "queue full" },
	{ MSP_E_IO, "I/O error" },
	{ MSP_E_CORRUPT, "queue damaged" },
	{ MSP_E_PERM, "no permission" },
	{ MSP_E_NOTFOUND, "no queue there" },
	{ MSP_E_SCHEMA, "not a queue of this version" },
	{ MSP_E_NOMEM, "out of memory" },
	{ MSP_E_FORKED, "handle from before a fork" },
	{ MSP_E_MISUSE, "call not allowed" },
	{ MSP_E_UNKNOWN, "outcome unknown" },
};

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

const char *
msp_strerror(msp_status status)
{
	size_t i;

	for (i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (WORDS[i].status == status)
			return WORDS[i].text;
	return "unknown status";
}

static msp_status
meaning(const struct fault *fault)
{
	size_t i;

	if (fault->sys_errno == ENOMEM ||
	    (fault->sqlite_code & 0xff) == NO_MEMORY)
		return MSP_E_NOMEM;
	for (i = 0; i < sizeof(MEANINGS) / sizeof(MEANINGS[0]); i++)
		if (MEANINGS[i].kind == fault->kind)
			return MEANINGS[i].status;
	return MSP_E_IO;
}

/* As much of the reason as there is room for. */
static void
add_why(msp_error *error, const char *why)
{
	size_t len = strlen(error->message);

	if (why[0] != '\0' && len + 3 < sizeof(error->message))
		snprintf(error->message + len, sizeof(error->message) - len,
		    ": %.120s", why);
}

static void
tell(msp_error *error, msp_status status, const struct fault *fault)
{
	if (error == NULL)
		return;
	error->status = status;
	error->sqlite_code = fault->sqlite_code;
	error->sys_errno = fault->sys_errno;
	snprintf(error->field, sizeof(error->field), "%s", fault->field);
	snprintf(error->message, sizeof(error->message), "%s", fault->message);
	add_why(error, fault->why);
	snprintf(error->hint, sizeof(error->hint), "%.159s", fault->hint);
}

static void
clear(msp_error *error)
{
	if (error != NULL)
		memset(error, 0, sizeof(*error));
}

static msp_status
fail(msp_error *error, const struct fault *fault)
{
	msp_status status = meaning(fault);

	tell(error, status, fault);
	return status;
}

static msp_status
fail_with(msp_error *error, msp_status status, const char *message)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_INTERNAL, "%s", message);
	tell(error, status, &fault);
	return status;
}

/* Open what is not open: at first, and after a commit that failed midway. */
static msp_status
connect_queue(msp_queue *queue, msp_error *error)
{
	struct fault fault = { 0 };

	if (queue->db != NULL)
		return MSP_OK;
	queue->db = queue_open(queue->path, DB_SHARED, queue->busy_timeout_ms,
	    &queue->config, &fault);
	if (queue->db == NULL)
		return fail(error, &fault);
	queue->writer = writer_new(queue->db, &queue->config, &fault);
	if (queue->writer != NULL)
		return MSP_OK;
	db_close(queue->db);
	queue->db = NULL;
	return fail(error, &fault);
}

static void
disconnect(msp_queue *queue)
{
	writer_free(queue->writer);
	db_close(queue->db);
	queue->writer = NULL;
	queue->db = NULL;
}

/* Begin a call on ${queue}: the mutex is ours unless this fails. */
static msp_status
enter(msp_queue *queue, msp_error *error)
{
	clear(error);
	if (queue == NULL)
		return fail_with(error, MSP_E_MISUSE, "queue is NULL");
	/* Before the mutex, which another thread may have held at the fork. */
	if (getpid() != queue->pid)
		return fail_with(error, MSP_E_FORKED,
		    "the queue was opened before a fork: open it anew");
	pthread_mutex_lock(&queue->mutex);
	return MSP_OK;
}

static msp_status
leave(msp_queue *queue, msp_status status)
{
	pthread_mutex_unlock(&queue->mutex);
	return status;
}

static msp_status
check_opts(const msp_open_opts *opts, msp_error *error)
{
	if (opts == NULL || opts->struct_size < sizeof(*opts))
		return fail_with(error, MSP_E_MISUSE,
		    "the options are not made by MSP_OPEN_OPTS_INIT");
	if (opts->path == NULL || opts->path[0] == '\0')
		return fail_with(
		    error, MSP_E_MISUSE, "the options name no path");
	if (opts->flags != 0)
		return fail_with(error, MSP_E_MISUSE, "unknown flags");
	return MSP_OK;
}

msp_status
msp_create(const msp_open_opts *opts, msp_error *error)
{
	struct queue_init init = { 0 };
	struct fault fault = { 0 };
	msp_status status;
	bool created;

	clear(error);
	if ((status = check_opts(opts, error)) != MSP_OK)
		return status;
	init.path = opts->path;
	if (queue_init(&init, &created, &fault))
		return fail(error, &fault);
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

	clear(error);
	if (queue == NULL)
		return fail_with(error, MSP_E_MISUSE, "queue is NULL");
	*queue = NULL;
	if ((status = check_opts(opts, error)) != MSP_OK)
		return status;
	if ((made = make_handle(opts)) == NULL)
		return fail_with(error, MSP_E_NOMEM, "out of memory");
	if ((status = connect_queue(made, error)) != MSP_OK) {
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

/* A metric as the queue shelf takes it. */
struct converted {
	struct entry entry;
	struct entry_dimension stack[DIMENSIONS], *dimensions;
};

static void
convert_dimensions(struct converted *converted, const msp_metric *metric)
{
	size_t i;

	for (i = 0; i < metric->ndims; i++) {
		converted->dimensions[i].key = metric->dims[i].key;
		converted->dimensions[i].value = metric->dims[i].value;
	}
	converted->entry.dimensions = converted->dimensions;
	converted->entry.dimension_count = metric->ndims;
}

static msp_status
convert(struct converted *converted, const msp_metric *metric, msp_error *error)
{
	if (metric == NULL || metric->struct_size < sizeof(*metric))
		return fail_with(error, MSP_E_MISUSE,
		    "the metric is not made by MSP_METRIC_INIT");
	if (metric->dims == NULL && metric->ndims > 0)
		return fail_with(error, MSP_E_MISUSE, "dims is NULL");
	converted->entry = (struct entry){ .ns = metric->ns,
		.metric = metric->metric,
		.region = metric->region,
		.account = metric->account,
		.value = metric->value,
		.key = metric->key,
		.observed_at = metric->observed_unix_ms == 0
		    ? -1
		    : metric->observed_unix_ms,
		.max_age_ms = metric->max_age_s == 0
		    ? -1
		    : (int64_t)metric->max_age_s * 1000 };
	converted->dimensions = converted->stack;
	if (metric->ndims > DIMENSIONS)
		converted->dimensions = calloc(
		    metric->ndims, sizeof(*converted->dimensions));
	if (converted->dimensions == NULL)
		return fail_with(error, MSP_E_NOMEM, "out of memory");
	convert_dimensions(converted, metric);
	return MSP_OK;
}

static void
release(struct converted *converted)
{
	if (converted->dimensions != converted->stack)
		free(converted->dimensions);
}

/* Check and render: the wire is what the queue would store. */
static msp_status
prepare(const struct converted *converted, const struct config_checks *checks,
    struct entry_wire *wire, msp_error *error)
{
	struct fault fault = { 0 };

	if (entry_check(&converted->entry, checks, checks->strict, &fault) ||
	    entry_render(&converted->entry, checks, wire, &fault))
		return fail(error, &fault);
	return MSP_OK;
}

static msp_status
check(const msp_metric *metric, const struct config_checks *checks,
    struct entry_wire *wire, msp_error *error)
{
	struct converted converted;
	msp_status status;

	if ((status = convert(&converted, metric, error)) != MSP_OK)
		return status;
	status = prepare(&converted, checks, wire, error);
	release(&converted);
	return status;
}

static struct config_checks builtin_checks;

static void
load_builtin_checks(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return;
	config_defaults(config);
	builtin_checks = config->checks;
	free(config);
}

msp_status
msp_validate(const msp_metric *metric, msp_error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct entry_wire wire = { 0 };
	msp_status status;

	clear(error);
	pthread_once(&once, load_builtin_checks);
	if (builtin_checks.max_row_bytes == 0)
		return fail_with(error, MSP_E_NOMEM, "out of memory");
	status = check(metric, &builtin_checks, &wire, error);
	entry_wire_free(&wire);
	return status;
}

static msp_status
begin(msp_queue *queue, msp_error *error)
{
	struct fault fault = { 0 };
	msp_status status;

	if ((status = connect_queue(queue, error)) != MSP_OK)
		return status;
	if (writer_begin(queue->writer, &fault))
		return fail(error, &fault);
	return MSP_OK;
}

static msp_status
commit(msp_queue *queue, msp_error *error)
{
	struct writer_result result;
	struct fault fault = { 0 };
	msp_status status;

	if (writer_commit(queue->writer, &result, &fault) == 0)
		return MSP_OK;
	status = fail(error, &fault);
	if (status == MSP_E_UNKNOWN)
		disconnect(queue); /* H12: the handle is not to be trusted */
	return status;
}

/* Queue one metric in the open round. */
static msp_status
add(msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	struct fault fault = { 0 };
	struct converted converted;
	msp_status status;
	int added;

	if ((status = convert(&converted, metric, error)) != MSP_OK)
		return status;
	status = prepare(
	    &converted, &queue->config.checks, &queue->wire, error);
	if (status != MSP_OK)
		goto done;
	added = writer_add(queue->writer, &converted.entry, &queue->wire,
	    clock_wall_ms(), id, &fault);
	if (added == -1)
		status = fail(error, &fault);
	else
		status = added == 1 ? MSP_DUPLICATE : MSP_OK;
done:
	release(&converted);
	return status;
}

/* A put outside of a transaction is one. */
static msp_status
put_alone(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	msp_status status, committed;

	if ((status = connect_queue(queue, error)) != MSP_OK)
		return status;
	/* Not a word to other writers about what will not be queued. */
	status = check(metric, &queue->config.checks, &queue->wire, error);
	if (status != MSP_OK || (status = begin(queue, error)) != MSP_OK)
		return status;
	status = add(queue, metric, id, error);
	if (status < MSP_OK) {
		writer_abandon(queue->writer);
		return status;
	}
	committed = commit(queue, error);
	return committed == MSP_OK ? status : committed;
}

msp_status
msp_put(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	msp_status status;
	int64_t given = -1;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	if (queue->transaction)
		status = add(queue, metric, &given, error);
	else
		status = put_alone(queue, metric, &given, error);
	if (id != NULL && status >= MSP_OK)
		*id = given;
	return leave(queue, status);
}

struct batch {
	const msp_metric *first;
	size_t n;
	unsigned flags;
	msp_status *each;
};

static const msp_metric *
metric_of(const struct batch *batch, size_t at)
{
	const char *bytes = (const char *)batch->first;

	return (const msp_metric *)(const void *)(bytes +
	    at * batch->first->struct_size);
}

static msp_status
check_batch(const struct batch *batch, msp_error *error)
{
	if (batch->n > 0 &&
	    (batch->first == NULL ||
		batch->first->struct_size < sizeof(msp_metric) ||
		batch->first->struct_size % sizeof(void *) != 0))
		return fail_with(error, MSP_E_MISUSE,
		    "the metrics are not made by MSP_METRIC_INIT");
	if (batch->flags != MSP_ATOMIC && batch->flags != MSP_SKIP_BAD)
		return fail_with(error, MSP_E_MISUSE, "unknown flags");
	if (batch->flags == MSP_SKIP_BAD && batch->each == NULL)
		return fail_with(error, MSP_E_MISUSE,
		    "MSP_SKIP_BAD needs room to say which were left out");
	return MSP_OK;
}

/* Check all metrics before others have to wait; remember the first that is
 * invalid.  MSP_OK, MSP_E_INVALID, or what ends the call. */
static msp_status
check_metrics(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	msp_error *first = error;
	msp_status status, all = MSP_OK;
	size_t i;

	for (i = 0; i < batch->n; i++) {
		status = check(metric_of(batch, i), &queue->config.checks,
		    &queue->wire, first);
		if (batch->each != NULL)
			batch->each[i] = status;
		if (status == MSP_OK)
			continue;
		if (first != NULL)
			first->index = i;
		if (status != MSP_E_INVALID)
			return status;
		all = status;
		first = NULL; /* later ones are told by each[] alone */
	}
	return all;
}

/* Queue those that passed; in the open round. */
static msp_status
add_metrics(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	msp_status status;
	int64_t id;
	size_t i;

	for (i = 0; i < batch->n; i++) {
		if (batch->each != NULL && batch->each[i] != MSP_OK)
			continue;
		status = add(queue, metric_of(batch, i), &id, error);
		if (batch->each != NULL)
			batch->each[i] = status;
		if (status >= MSP_OK)
			continue;
		if (error != NULL)
			error->index = i;
		return status;
	}
	return MSP_OK;
}

static msp_status
put_metrics(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	msp_status status;

	if (queue->transaction)
		return add_metrics(queue, batch, error);
	if ((status = begin(queue, error)) != MSP_OK)
		return status;
	status = add_metrics(queue, batch, error);
	if (status == MSP_OK)
		return commit(queue, error);
	writer_abandon(queue->writer);
	return status;
}

static msp_status
put_batch(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	msp_status status;

	if ((status = check_batch(batch, error)) != MSP_OK ||
	    (status = connect_queue(queue, error)) != MSP_OK)
		return status;
	status = check_metrics(queue, batch, error);
	if (status != MSP_OK &&
	    (status != MSP_E_INVALID || batch->flags == MSP_ATOMIC))
		return status;
	return batch->n == 0 ? MSP_OK : put_metrics(queue, batch, error);
}

msp_status
msp_put_batch(msp_queue *queue, const msp_metric *metrics, size_t n,
    unsigned flags, msp_status *each, msp_error *error)
{
	const struct batch batch = { metrics, n, flags, each };
	msp_status status;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	return leave(queue, put_batch(queue, &batch, error));
}

msp_status
msp_begin(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	if (queue->transaction)
		return leave(queue,
		    fail_with(error, MSP_E_MISUSE,
			"this thread has begun a transaction already"));
	if ((status = begin(queue, error)) != MSP_OK)
		return leave(queue, status);
	queue->transaction = true;
	return MSP_OK; /* and keeps the mutex */
}

/* The mutex twice: that of this call and that of msp_begin(). */
static msp_status
end_transaction(msp_queue *queue, msp_status status)
{
	queue->transaction = false;
	pthread_mutex_unlock(&queue->mutex);
	return leave(queue, status);
}

msp_status
msp_commit(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	if (!queue->transaction)
		return leave(queue,
		    fail_with(error, MSP_E_MISUSE,
			"this thread has begun no transaction"));
	return end_transaction(queue, commit(queue, error));
}

msp_status
msp_rollback(msp_queue *queue, msp_error *error)
{
	msp_status status;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	if (!queue->transaction)
		return leave(queue,
		    fail_with(error, MSP_E_MISUSE,
			"this thread has begun no transaction"));
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

	if ((status = connect_queue(queue, error)) != MSP_OK)
		return status;
	if (queue->config.late.after_ms > 0)
		late_before = now_ms - queue->config.late.after_ms;
	if (status_read(queue->db, late_before, &read))
		return fail(error, db_fault(queue->db));
	fill_stats(&read, now_ms, stats);
	return MSP_OK;
}

msp_status
msp_stats_get(msp_queue *queue, msp_stats *stats, msp_error *error)
{
	msp_status status;

	if ((status = enter(queue, error)) != MSP_OK)
		return status;
	if (stats == NULL || stats->struct_size < sizeof(*stats))
		return leave(queue,
		    fail_with(error, MSP_E_MISUSE,
			"the stats are not made by MSP_STATS_INIT"));
	return leave(queue, read_stats(queue, stats, error));
}
