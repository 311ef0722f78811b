#include "capi.h"

#include "base/clock.h"

msp_status
capi_add(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error)
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
	status = capi_add(queue, metric, id, error);
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
		status = capi_add(queue, metric, &given, error);
	else
		status = put_alone(queue, metric, &given, error);
	if (id != NULL && status >= MSP_OK)
		*id = given;
	return capi_leave(queue, status);
}
