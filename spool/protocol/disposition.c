#include "disposition.h"

#include "answer.h"
#include "disposition_table.h"

static const char *const VERDICTS[] = {
	[VERDICT_DELIVERED] = "delivered",
	[VERDICT_RETRY] = "retry",
	[VERDICT_THROTTLE_REQUESTS] = "throttle-requests",
	[VERDICT_THROTTLE_ROWS] = "throttle-rows",
	[VERDICT_HOLD] = "hold",
	[VERDICT_SPLIT] = "split",
	[VERDICT_ISOLATE] = "isolate",
	[VERDICT_CHECK_ONE] = "check-one",
	[VERDICT_DEAD_LETTER] = "dead-letter",
	[VERDICT_RESIGN] = "resign",
};

static const char *const SCOPES[] = {
	[SCOPE_NONE] = "none",
	[SCOPE_ROW] = "row",
	[SCOPE_SERIES] = "series",
	[SCOPE_NAMESPACE] = "namespace",
	[SCOPE_SIZE] = "size",
	[SCOPE_PACE] = "pace",
	[SCOPE_ACCOUNT] = "account",
	[SCOPE_ENDPOINT] = "endpoint",
	[SCOPE_CLOCK] = "clock",
};

static const char *const STORED[] = {
	[STORED_NO] = "no",
	[STORED_MAYBE] = "maybe",
	[STORED_YES] = "yes",
};

/* When a rule about a failed transfer applies. */
enum when {
	ALWAYS,
	UNSENT,  /* no byte of the request left */
	SENT,    /* some did */
	ANSWERED /* a status line came */
};

/* protocol.md section 9.1 by the numbers of libcurl, which is not known here;
 * the first match counts. */
static const struct {
	int transfer;
	enum when when;
	const char *row;
} TRANSFERS[] = {
	{ 6, ALWAYS, "transfer-dns" },              /* COULDNT_RESOLVE_HOST */
	{ 7, ALWAYS, "transfer-refused" },          /* COULDNT_CONNECT */
	{ 28, UNSENT, "transfer-connect-timeout" }, /* OPERATION_TIMEDOUT */
	{ 28, SENT, "transfer-timeout" },           /* OPERATION_TIMEDOUT */
	{ 58, ALWAYS, "transfer-certificate" },     /* SSL_CERTPROBLEM */
	{ 60, ALWAYS, "transfer-certificate" }, /* PEER_FAILED_VERIFICATION */
	{ 77, ALWAYS, "transfer-certificate" }, /* SSL_CACERT_BADFILE */
	{ 90, ALWAYS, "transfer-certificate" }, /* SSL_PINNEDPUBKEYNOTMATCH */
	{ 35, ALWAYS, "transfer-handshake" },   /* SSL_CONNECT_ERROR */
	{ 56, ANSWERED, "transfer-too-large" }, /* RECV_ERROR */
	{ 56, ALWAYS, "transfer-broken" },      /* RECV_ERROR */
	{ 55, ALWAYS, "transfer-broken" },      /* SEND_ERROR */
	{ 52, ALWAYS, "transfer-broken" },      /* GOT_NOTHING */
	{ 18, ALWAYS, "transfer-cut" },         /* PARTIAL_FILE */
	{ 23, ALWAYS, "transfer-too-large" },   /* WRITE_ERROR, our own stop */
	{ 63, ALWAYS, "transfer-too-large" },   /* FILESIZE_EXCEEDED */
	{ 1, UNSENT, "transfer-setting" },      /* UNSUPPORTED_PROTOCOL */
	{ 3, UNSENT, "transfer-setting" },      /* URL_MALFORMAT */
	{ 43, UNSENT, "transfer-setting" },     /* BAD_FUNCTION_ARGUMENT */
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct disposition *
find_code(const struct dispositions *table, int code)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (table->rows[i].code == code)
			return &table->rows[i];
	}
	return NULL;
}

static bool
applies(enum when when, const struct outcome *outcome)
{
	if (when == UNSENT)
		return !disposition_counts(outcome);
	if (when == SENT)
		return disposition_counts(outcome);
	return when == ALWAYS || outcome->http_status != 0;
}

static const struct disposition *
judge_transfer(const struct dispositions *table, const struct outcome *outcome)
{
	size_t i;

	for (i = 0; i < LENGTH(TRANSFERS); i++) {
		if (TRANSFERS[i].transfer == outcome->transfer &&
		    applies(TRANSFERS[i].when, outcome))
			return disposition_row(table, TRANSFERS[i].row);
	}
	return disposition_row(table, "transfer-failed");
}

static const struct disposition *
judge_status(const struct dispositions *table, int status)
{
	if (status < STATUS_LEAST || status > STATUS_MOST)
		return disposition_row(table, "http-other");
	return &table->http[status - STATUS_LEAST];
}

/* The code that came, or -1: only a well-formed one counts. */
static int
code_of(const struct outcome *outcome)
{
	if (outcome->answer == NULL || !outcome->answer->well_formed)
		return -1;
	return outcome->answer->code;
}

const struct disposition *
disposition_judge(
    const struct dispositions *table, const struct outcome *outcome)
{
	const struct disposition *row;
	int code = code_of(outcome);

	if (outcome->transfer != 0)
		return judge_transfer(table, outcome);
	row = code >= 0 ? find_code(table, code) : NULL;
	if (row != NULL && code != 0)
		return row;
	if (outcome->http_status != STATUS_OK)
		return judge_status(table, outcome->http_status);
	if (code < 0)
		return disposition_row(table, "malformed");
	return row != NULL ? row : disposition_row(table, "unknown-code");
}

enum stored
disposition_stored(
    const struct disposition *disposition, const struct outcome *outcome)
{
	if (outcome->transfer != 0)
		return disposition_counts(outcome) ? STORED_MAYBE : STORED_NO;
	if (outcome->http_status != STATUS_OK && code_of(outcome) == 0)
		return STORED_MAYBE;
	return disposition->stored;
}

bool
disposition_counts(const struct outcome *outcome)
{
	return outcome->request_size > 0;
}

const struct disposition *
disposition_find(const struct dispositions *table, const char *name)
{
	int index = disposition_status(name);

	return index >= 0 ? &table->http[index] : disposition_row(table, name);
}

const struct disposition *
disposition_at(const struct dispositions *table, size_t index)
{
	size_t i;

	if (index < table->count)
		return &table->rows[index];
	index -= table->count;
	for (i = 0; i < STATUSES; i++) {
		if (table->overridden[i] && index-- == 0)
			return &table->http[i];
	}
	return NULL;
}

const char *
verdict_name(enum verdict verdict)
{
	return VERDICTS[verdict];
}

const char *
scope_name(enum scope scope)
{
	return SCOPES[scope];
}

const char *
stored_name(enum stored stored)
{
	return STORED[stored];
}
