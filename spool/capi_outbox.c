#include "capi.h"

#include <stdlib.h>

#include "queue/bell.h"
#include "queue/outbox.h"
#include "queue/place.h"

msp_status
msp_install(struct sqlite3 *database, msp_error *error)
{
	struct fault fault = { 0 };

	capi_clear(error);
	if (database == NULL)
		return capi_fail_with(
		    error, MSP_E_MISUSE, "the database is NULL");
	if (outbox_install(database, &fault))
		return capi_fail(error, &fault);
	return MSP_OK;
}

static msp_status
insert(struct sqlite3 *database, const struct capi_metric *converted,
    const struct config_checks *checks, int64_t *outbox_id, msp_error *error)
{
	struct entry_wire wire = { 0 };
	struct fault fault = { 0 };
	msp_status status;

	status = capi_prepare(converted, checks, &wire, error);
	if (status == MSP_OK &&
	    outbox_insert(database, &converted->entry,
		text_string(&wire.dimensions), outbox_id, &fault))
		status = capi_fail(error, &fault);
	entry_wire_free(&wire);
	return status;
}

msp_status
msp_put_on(struct sqlite3 *database, const msp_metric *metric,
    int64_t *outbox_id, msp_error *error)
{
	const struct config_checks *checks;
	struct capi_metric converted;
	msp_status status;

	capi_clear(error);
	if (database == NULL)
		return capi_fail_with(
		    error, MSP_E_MISUSE, "the database is NULL");
	if ((checks = capi_builtin_checks(error)) == NULL)
		return MSP_E_NOMEM;
	status = capi_convert(&converted, metric, error);
	if (status != MSP_OK)
		return status;
	status = insert(database, &converted, checks, outbox_id, error);
	capi_release(&converted);
	return status;
}

void
msp_wake(const char *queue_path)
{
	struct place *place;

	if (queue_path == NULL || (place = calloc(1, sizeof(*place))) == NULL)
		return;
	if (place_of(place, queue_path, NULL) == 0)
		bell_ring_path(place->bell);
	free(place);
}
