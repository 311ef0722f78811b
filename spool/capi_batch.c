#include "capi.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "capi_series.h"

struct batch {
	const msp_metric *first;
	size_t n;
	unsigned flags;
	msp_status *each;
	struct capi_place *places; /* of the metrics' series */
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

static msp_status
check_metric(
    msp_queue *queue, const struct batch *batch, size_t at, msp_error *error)
{
	struct capi_metric converted;
	struct fault fault = { 0 };
	msp_status status;

	status = capi_convert(&converted, metric_of(batch, at), error);
	if (status != MSP_OK)
		return status;
	if (capi_series_check(queue->series, &converted.entry,
		&queue->config.checks, &queue->wire, &batch->places[at],
		&fault))
		status = capi_fail(error, &fault);
	capi_release(&converted);
	return status;
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
		status = check_metric(queue, batch, i, first);
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

/* Queue one of a known series.  MSP_OK, MSP_DUPLICATE, an error. */
static msp_status
add_row(msp_queue *queue, const struct entry *entry, struct writer_row *row,
    msp_error *error)
{
	struct fault fault = { 0 };
	char value[NUMBER_TEXT_SIZE];
	int64_t id;
	int taken = 0;

	if (entry->key != NULL)
		taken = writer_take_key(
		    queue->writer, entry->key, row->accepted_at, &id, &fault);
	if (taken == 1)
		return MSP_DUPLICATE;
	row->value = value;
	row->value_len = number_print(value, entry->value);
	row->observed_at = entry->observed_at;
	row->expires_at = entry->max_age_ms < 0
	    ? -1
	    : row->accepted_at + entry->max_age_ms;
	if (taken == -1 || writer_add_interned(queue->writer, row, &id, &fault))
		return capi_fail(error, &fault);
	return MSP_OK;
}

static msp_status
add_metric(msp_queue *queue, const struct batch *batch, size_t at,
    int64_t now_ms, msp_error *error)
{
	struct writer_row row = { .accepted_at = now_ms };
	struct capi_metric converted;
	struct fault fault = { 0 };
	msp_status status;
	int64_t id;
	int found;

	status = capi_convert(&converted, metric_of(batch, at), error);
	if (status != MSP_OK)
		return status;
	found = capi_series_resolve(queue->series, batch->places[at],
	    &converted.entry, &queue->config.checks, &queue->wire,
	    queue->writer, &row.lane_id, &row.series_id, &fault);
	if (found == 0)
		status = add_row(queue, &converted.entry, &row, error);
	else if (found == 1)
		status = capi_add(queue, metric_of(batch, at), &id, error);
	else
		status = capi_fail(error, &fault);
	capi_release(&converted);
	return status;
}

/* Queue those that passed; in the open round. */
static msp_status
add_metrics(msp_queue *queue, const struct batch *batch, msp_error *error)
{
	int64_t now_ms = clock_wall_ms();
	msp_status status;
	size_t i;

	for (i = 0; i < batch->n; i++) {
		if (batch->each != NULL && batch->each[i] != MSP_OK)
			continue;
		status = add_metric(queue, batch, i, now_ms, error);
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
put_places(msp_queue *queue, struct batch *batch, msp_error *error)
{
	msp_status status;

	if (queue->series == NULL &&
	    (queue->series = capi_series_new()) == NULL)
		return capi_fail_with(error, MSP_E_NOMEM, "out of memory");
	batch->places = calloc(batch->n, sizeof(*batch->places));
	if (batch->places == NULL)
		return capi_fail_with(error, MSP_E_NOMEM, "out of memory");
	status = check_metrics(queue, batch, error);
	if (status == MSP_OK ||
	    (status == MSP_E_INVALID && batch->flags == MSP_SKIP_BAD))
		status = put_metrics(queue, batch, error);
	free(batch->places);
	return status;
}

/* Of all that are not invalid by themselves. */
static void
tell_each(const struct batch *batch, msp_status status)
{
	size_t i;

	for (i = 0; batch->each != NULL && i < batch->n; i++)
		if (status == MSP_OK || batch->each[i] != MSP_E_INVALID)
			batch->each[i] = status;
}

static msp_status
put_batch(msp_queue *queue, struct batch *batch, msp_error *error)
{
	msp_status status;

	if ((status = check_batch(batch, error)) != MSP_OK)
		return status;
	tell_each(batch, MSP_OK);
	status = capi_connect(queue, error);
	if (status == MSP_OK && batch->n > 0)
		status = put_places(queue, batch, error);
	if (status < MSP_OK && status != MSP_E_INVALID)
		tell_each(batch, status);
	return status;
}

msp_status
msp_put_batch(msp_queue *queue, const msp_metric *metrics, size_t n,
    unsigned flags, msp_status *each, msp_error *error)
{
	struct batch batch = { metrics, n, flags, each, NULL };
	msp_status status;

	if ((status = capi_enter(queue, error)) != MSP_OK)
		return status;
	return capi_leave(queue, put_batch(queue, &batch, error));
}
