#include "receiver_exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "receiver_reply.h"

/* Clients that hang up on a hang are noticed this often. */
#define GONE_CHECK_MS 1000

/*
 * Where a request stands.
 *   begun      its headers are there               -> reading
 *   reading    until its last byte is there        -> any of the following
 *   waiting    suspended, until due_ms or hang-up  -> answering, dropped
 *   answering  its response is with libmicrohttpd  -> none, exchange_end()
 *   dropped    to be closed without an answer      -> none, exchange_end()
 */
enum stage {
	STAGE_BEGUN,
	STAGE_READING,
	STAGE_WAITING,
	STAGE_ANSWERING,
	STAGE_DROPPED
};

struct exchange {
	struct exchanges *all;
	struct MHD_Connection *connection;
	struct exchange *next, *previous; /* among the suspended */
	enum stage stage;
	int64_t due_ms; /* steady; -1: never */
	char *target;   /* as sent, NULL if memory ran out */
	struct text body;
	size_t body_len; /* all of it, kept or not */
	struct outcome outcome;
	struct reply reply;
};

/* ---- suspended exchanges ---- */

static void
suspend(struct exchange *exchange, int64_t due_ms)
{
	struct exchanges *all = exchange->all;

	exchange->due_ms = due_ms;
	exchange->previous = NULL;
	exchange->next = all->suspended;
	if (all->suspended != NULL)
		all->suspended->previous = exchange;
	all->suspended = exchange;
	MHD_suspend_connection(exchange->connection);
}

static void
resume(struct exchange *exchange)
{
	if (exchange->previous != NULL)
		exchange->previous->next = exchange->next;
	else
		exchange->all->suspended = exchange->next;
	if (exchange->next != NULL)
		exchange->next->previous = exchange->previous;
	MHD_resume_connection(exchange->connection);
}

static int
socket_of(const struct exchange *exchange)
{
	return MHD_get_connection_info(
	    exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
	    ->connect_fd;
}

/* Nobody else looks at suspended connections: a client that gives up would
 * keep its descriptor here for ever. */
static bool
is_gone(const struct exchange *exchange)
{
	char byte;
	ssize_t n = recv(
	    socket_of(exchange), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
}

void
exchanges_resume_due(struct exchanges *all)
{
	struct exchange *exchange, *next;
	int64_t now_ms = clock_steady_ms();
	bool look = now_ms >= all->gone_check_ms;

	if (look)
		all->gone_check_ms = now_ms + GONE_CHECK_MS;
	for (exchange = all->suspended; exchange != NULL; exchange = next) {
		next = exchange->next;
		if (exchange->due_ms == -1 && look && is_gone(exchange))
			exchange->stage = STAGE_DROPPED;
		else if (exchange->due_ms == -1 || exchange->due_ms > now_ms)
			continue;
		resume(exchange);
	}
}

/* ---- answers ---- */

static void
wait_for_more(void *cookie)
{
	struct exchange *exchange = cookie;

	suspend(exchange, exchange->reply.next_due_ms);
}

static enum MHD_Result
send_reply(struct exchange *exchange)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	exchange->stage = STAGE_ANSWERING;
	response = reply_response(
	    &exchange->reply, &exchange->outcome, wait_for_more, exchange);
	if (response == NULL)
		return MHD_NO;
	result = MHD_queue_response(exchange->connection,
	    (unsigned int)exchange->outcome.http_status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
reset(struct exchange *exchange)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	/* Dissolving the association sends the RST at once; a close, even
	 * with SO_LINGER 0, comes after libmicrohttpd's polite FIN. */
	exchange->stage = STAGE_DROPPED;
	connect(socket_of(exchange), &nowhere, sizeof(nowhere));
	return MHD_NO;
}

static enum MHD_Result
hang(struct exchange *exchange)
{
	exchange->stage = STAGE_WAITING;
	suspend(exchange, -1);
	return MHD_YES;
}

static enum MHD_Result
delay(struct exchange *exchange)
{
	exchange->stage = STAGE_WAITING;
	suspend(exchange,
	    clock_steady_ms() + mishap_delay_ms(exchange->outcome.mishap));
	return MHD_YES;
}

static enum MHD_Result
drop(struct exchange *exchange)
{
	exchange->stage = STAGE_DROPPED;
	return MHD_NO;
}

/* What is done with a request that has been decided, if not answered. */
static enum MHD_Result (*const DEEDS[MISHAP_KINDS])(struct exchange *) = {
	[MISHAP_RESET] = reset,
	[MISHAP_HANG] = hang,
	[MISHAP_DELAY] = delay,
	[MISHAP_CLOSE] = drop,
};

static void
log_request(const struct request *request, const struct outcome *outcome)
{
	char name[64], method[32], namespace[128];

	log_event(LOG_INFO, "request",
	    "request=%" PRId64
	    " method=%s namespace=%s rows=%zu bytes=%zu http=%d code=%d "
	    "accepted=%s fault=%s",
	    request->number, log_text(method, sizeof(method), request->method),
	    log_text(namespace, sizeof(namespace),
		request_copy(request, REQUEST_NAMESPACE, name, sizeof(name))),
	    request->rows, request->bytes, outcome->http_status, outcome->code,
	    outcome->accepted ? "yes" : "no",
	    outcome->mishap == NULL ? "none" : outcome->mishap->label);
}

/* Read, decide and record.  Nothing may be answered if this fails. */
static int
settle(struct exchange *exchange, const char *method)
{
	struct exchanges *all = exchange->all;
	const struct exchange_setup *with = all->setup;
	struct request request = { .number = with->totals->requests + 1,
		.received_at_ms = clock_wall_ms() };
	int result = -1;

	if (request_read(&request, method, exchange->target,
		text_string(&exchange->body), exchange->body.len))
		goto free;
	if (exchange->body_len > exchange->body.len)
		request.bytes = exchange->body_len; /* too long to be kept */
	request.signature = sign_check(&with->rules->credentials, &request);
	exchange->outcome = outcome_decide(
	    with->mishaps, with->rules, &request);
	result = record_add(
	    with->record, &request, &exchange->outcome, &all->fault);
	if (result == 0) {
		totals_add(with->totals, &request, &exchange->outcome);
		log_request(&request, &exchange->outcome);
	}
free:
	request_free(&request);
	return result;
}

static enum MHD_Result
fail(struct exchanges *all)
{
	if (all->fault.kind == FAULT_NONE)
		fault_set(&all->fault, FAULT_INTERNAL, "out of memory");
	all->failed = true;
	return MHD_NO;
}

static enum MHD_Result
answer(struct exchange *exchange, const char *method)
{
	const struct mishap *mishap;
	enum MHD_Result (*deed)(struct exchange *) = send_reply;

	if (exchange->all->failed)
		return MHD_NO;
	if (exchange->target == NULL || exchange->body.failed ||
	    settle(exchange, method))
		return fail(exchange->all);
	if (exchange->outcome.http_status != 0 &&
	    reply_make(&exchange->reply, &exchange->outcome))
		return fail(exchange->all);
	mishap = exchange->outcome.mishap;
	if (mishap != NULL && DEEDS[mishap->kind] != NULL)
		deed = DEEDS[mishap->kind];
	return deed(exchange);
}

/* ---- what libmicrohttpd calls ---- */

void *
exchange_begin(
    void *cookie, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->all = cookie;
	exchange->connection = connection;
	exchange->target = strdup(target);
	return exchange;
}

static enum MHD_Result
take_body(struct exchange *exchange, const char *data, size_t *len)
{
	exchange->body_len += *len;
	if (exchange->body_len <= CHECK_LONGEST_BODY)
		text_add(&exchange->body, data, *len);
	else
		text_free(&exchange->body);
	*len = 0;
	return MHD_YES;
}

enum MHD_Result
exchange_go_on(void *cookie, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **slot)
{
	struct exchange *exchange = *slot;

	(void)cookie;
	(void)connection;
	(void)url; /* decoded; we have the target as sent */
	(void)version;
	if (exchange == NULL)
		return MHD_NO;
	if (exchange->stage == STAGE_BEGUN) {
		exchange->stage = STAGE_READING;
		return MHD_YES;
	}
	if (*len > 0)
		return take_body(exchange, data, len);
	if (exchange->stage == STAGE_READING)
		return answer(exchange, method);
	return exchange->stage == STAGE_WAITING ? send_reply(exchange) : MHD_NO;
}

void
exchange_end(void *cookie, struct MHD_Connection *connection, void **slot,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *slot;

	(void)cookie;
	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	reply_free(&exchange->reply);
	text_free(&exchange->body);
	free(exchange->target);
	free(exchange);
	*slot = NULL;
}

int64_t
exchanges_wait_ms(const struct exchanges *all, int64_t most_ms)
{
	const struct exchange *exchange;
	int64_t now_ms = clock_steady_ms();

	for (exchange = all->suspended; exchange != NULL;
	     exchange = exchange->next)
		if (exchange->due_ms != -1 &&
		    exchange->due_ms - now_ms < most_ms)
			most_ms = exchange->due_ms - now_ms;
	if (all->suspended != NULL && most_ms > GONE_CHECK_MS)
		most_ms = GONE_CHECK_MS;
	return most_ms < 0 ? 0 : most_ms;
}

void
exchanges_drop(struct exchanges *all)
{
	struct exchange *exchange;

	while ((exchange = all->suspended) != NULL) {
		exchange->stage = STAGE_DROPPED;
		resume(exchange);
	}
}
