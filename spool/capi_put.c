#include "capi.h"

#include "base/clock.h"

/* Queue one metric in the open round. */
static msp_status
add(msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	struct fault fault = { 0 };
	struct capi_metric converted;
	msp_status status;
	int added;

	if ((status = capi_convert(&converted, metric, error)) != MSP_OK)
		return status;
	status = capi_prepare(
	    &converted, &queue->config.checks, &queue->wire, error);
	if (status != MSP_OK)
		goto done;
	added = writer_add(queue->writer, &converted.entry, &queue->wire,
	    clock_wall_ms(), id, &fault);
	if (added == -1)
		status = capi_fail(error, &fault);
	else
		status = added == 1 ? MSP_DUPLICATE : MSP_OK;
done:
	capi_release(&converted);
	return status;
}

/* A put outside of a transaction is one. */
static msp_status
put_alone(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	msp_status status, committed;

	if ((status = capi_connect(queue, error)) != MSP_OK)
		return status;
	/* Not a word to other writers about what will not be queued. */
	status = capi_check(metric, &queue->config.checks, &queue->wire, error);
	if (status != MSP_OK || (status = capi_begin(queue, error)) != MSP_OK)
		return status;
	status = add(queue, metric, id, error);
	if (status < MSP_OK) {
		writer_abandon(queue->writer);
		return status;
	}
	committed = capi_commit(queue, error);
	return committed == MSP_OK ? status : committed;
}

msp_status
msp_put(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
{
	msp_status status;
	int64_t given = -1;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	if (queue->transaction)
		status = add(queue, metric, &given, error);
	else
		status = put_alone(queue, metric, &given, error);
	if (id != NULL && status >= MSP_OK)
		*id = given;
	return capi_leave(queue, status);
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
		return capi_fail_with(error, MSP_E_MISUSE,
		    "the metrics are not made by MSP_METRIC_INIT");
	if (batch->flags != MSP_ATOMIC && batch->flags != MSP_SKIP_BAD)
		return capi_fail_with(error, MSP_E_MISUSE, "unknown flags");
	if (batch->flags == MSP_SKIP_BAD && batch->each == NULL)
		return capi_fail_with(error, MSP_E_MISUSE,
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
		status = capi_check(metric_of(batch, i), &queue->config.checks,
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
	if ((status = capi_begin(queue, error)) != MSP_OK)
		return status;
	status = add_metrics(queue, batch, error);
	if (status == MSP_OK)
		return capi_commit(queue, error);
	writer_abandon(queue->writer);
	return status;
}

static msp_status
put_batch(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	msp_status status;

	if ((status = check_batch(batch, error)) != MSP_OK ||
	    (status = capi_connect(queue, error)) != MSP_OK)
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

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	return capi_leave(queue, put_batch(queue, &batch, error));
}
