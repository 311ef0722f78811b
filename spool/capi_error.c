#include "capi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NO_MEMORY 7 /* SQLITE_NOMEM */

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

/* What a program is told to do is another thing than what a person is. */
static const char *
hint_of(msp_status status, const struct fault *fault)
{
	return status == MSP_E_BUSY && fault->hint[0] != '\0'
	    ? "try again, or wait longer: busy_timeout_ms"
	    : fault->hint;
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
	snprintf(
	    error->hint, sizeof(error->hint), "%.159s", hint_of(status, fault));
}

void
capi_clear(msp_error *error)
{
	if (error != NULL)
		memset(error, 0, sizeof(*error));
}

msp_status
capi_fail(msp_error *error, const struct fault *fault)
{
	msp_status status = meaning(fault);

	tell(error, status, fault);
	return status;
}

msp_status
capi_fail_with(msp_error *error, msp_status status, const char *message)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_INTERNAL, "%s", message);
	tell(error, status, &fault);
	return status;
}
