#include "capi.h"

#include <stdlib.h>

/* No row holds more; a count that was never set is not asked memory for. */
#define DIMENSIONS_MOST 65536

static msp_status
refuse_dimensions(size_t count, msp_error *error)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_TOO_MANY_DIMENSIONS, "%zu dimensions", count);
	fault_hint(&fault, "is ndims set, and dims?");
	fault_field(&fault, "dimensions");
	return capi_fail(error, &fault);
}

static void
convert_dimensions(struct capi_metric *converted, const msp_metric *metric)
{
	size_t i;

	for (i = 0; i < metric->ndims; i++) {
		converted->dimensions[i].key = metric->dims[i].key;
		converted->dimensions[i].value = metric->dims[i].value;
	}
	converted->entry.dimensions = converted->dimensions;
	converted->entry.dimension_count = metric->ndims;
}

msp_status
capi_convert(
    struct capi_metric *converted, const msp_metric *metric, msp_error *error)
{
	if (metric == NULL || metric->struct_size < sizeof(*metric))
		return capi_fail_with(error, MSP_E_MISUSE,
		    "the metric is not made by MSP_METRIC_INIT");
	if (metric->dims == NULL && metric->ndims > 0)
		return capi_fail_with(error, MSP_E_MISUSE, "dims is NULL");
	if (metric->ndims > DIMENSIONS_MOST)
		return refuse_dimensions(metric->ndims, error);
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
	if (metric->ndims > CAPI_DIMENSIONS)
		converted->dimensions = calloc(
		    metric->ndims, sizeof(*converted->dimensions));
	if (converted->dimensions == NULL)
		return capi_fail_with(error, MSP_E_NOMEM, "out of memory");
	convert_dimensions(converted, metric);
	return MSP_OK;
}

void
capi_release(struct capi_metric *converted)
{
	if (converted->dimensions != converted->stack)
		free(converted->dimensions);
}

msp_status
capi_prepare(const struct capi_metric *converted,
    const struct config_checks *checks, struct entry_wire *wire,
    msp_error *error)
{
	struct fault fault = { 0 };

	if (entry_check(&converted->entry, checks, checks->strict, &fault) ||
	    entry_render(&converted->entry, checks, wire, &fault))
		return capi_fail(error, &fault);
	return MSP_OK;
}

msp_status
capi_check(const msp_metric *metric, const struct config_checks *checks,
    struct entry_wire *wire, msp_error *error)
{
	struct capi_metric converted;
	msp_status status;

	if ((status = capi_convert(&converted, metric, error)) != MSP_OK)
		return status;
	status = capi_prepare(&converted, checks, wire, error);
	capi_release(&converted);
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

const struct config_checks *
capi_builtin_checks(msp_error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_builtin_checks);
	if (builtin_checks.max_row_bytes != 0)
		return &builtin_checks;
	capi_fail_with(error, MSP_E_NOMEM, "out of memory");
	return NULL;
}

msp_status
msp_validate(const msp_metric *metric, msp_error *error)
{
	const struct config_checks *checks;
	struct entry_wire wire = { 0 };
	msp_status status;

	capi_clear(error);
	if ((checks = capi_builtin_checks(error)) == NULL)
		return MSP_E_NOMEM;
	status = capi_check(metric, checks, &wire, error);
	entry_wire_free(&wire);
	return status;
}
