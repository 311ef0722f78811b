#include "receiver_http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "receiver_reply.h"

/* Room for the headers and a request target of 15 KiB (protocol.md section
 * 2: 100 rows in a GET). */
#define CONNECTION_MEMORY (64 * 1024)
#define CONNECTION_LIMIT 4096
#define IDLE_SECONDS 300

/* Clients that hang up on a hang are noticed this often. */
#define GONE_CHECK_MS 1000

/*
 * Where a request stands.
 *   begun      its headers are there               -> reading
 *   reading    until its last byte is there        -> any of the following
 *   waiting    suspended, until due_ms or hang-up  -> answering, dropped
 *   answering  its response is with libmicrohttpd  -> none, on_completed()
 *   dropped    to be closed without an answer      -> none, on_completed()
 */
enum stage {
	STAGE_BEGUN,
	STAGE_READING,
	STAGE_WAITING,
	STAGE_ANSWERING,
	STAGE_DROPPED
};

struct exchange {
	struct http *http;
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

struct http {
	struct http_setup setup;
	struct MHD_Daemon *daemon;
	int fd;
	struct exchange *suspended;
	int64_t gone_check_ms;
	bool failed;
	struct fault fault;
};

/* ---- suspended exchanges ---- */

static void
suspend(struct exchange *exchange, int64_t due_ms)
{
	struct http *http = exchange->http;

	exchange->due_ms = due_ms;
	exchange->previous = NULL;
	exchange->next = http->suspended;
	if (http->suspended != NULL)
		http->suspended->previous = exchange;
	http->suspended = exchange;
	MHD_suspend_connection(exchange->connection);
}

static void
resume(struct exchange *exchange)
{
	if (exchange->previous != NULL)
		exchange->previous->next = exchange->next;
	else
		exchange->http->suspended = exchange->next;
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

static void
resume_due(struct http *http)
{
	struct exchange *exchange, *next;
	int64_t now_ms = clock_steady_ms();
	bool look = now_ms >= http->gone_check_ms;

	if (look)
		http->gone_check_ms = now_ms + GONE_CHECK_MS;
	for (exchange = http->suspended; exchange != NULL; exchange = next) {
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
	struct http *http = exchange->http;
	const struct http_setup *with = &http->setup;
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
	    with->record, &request, &exchange->outcome, &http->fault);
	if (result == 0) {
		totals_add(with->totals, &request, &exchange->outcome);
		log_request(&request, &exchange->outcome);
	}
free:
	request_free(&request);
	return result;
}

static enum MHD_Result
fail(struct http *http)
{
	if (http->fault.kind == FAULT_NONE)
		fault_set(&http->fault, FAULT_INTERNAL, "out of memory");
	http->failed = true;
	return MHD_NO;
}

static enum MHD_Result
answer(struct exchange *exchange, const char *method)
{
	const struct mishap *mishap;
	enum MHD_Result (*deed)(struct exchange *) = send_reply;

	if (exchange->http->failed)
		return MHD_NO;
	if (exchange->target == NULL || exchange->body.failed ||
	    settle(exchange, method))
		return fail(exchange->http);
	if (exchange->outcome.http_status != 0 &&
	    reply_make(&exchange->reply, &exchange->outcome))
		return fail(exchange->http);
	mishap = exchange->outcome.mishap;
	if (mishap != NULL && DEEDS[mishap->kind] != NULL)
		deed = DEEDS[mishap->kind];
	return deed(exchange);
}

/* ---- what libmicrohttpd calls ---- */

static void *
on_target(void *cookie, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->http = cookie;
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

static enum MHD_Result
on_request(void *cookie, struct MHD_Connection *connection, const char *url,
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

static void
on_completed(void *cookie, struct MHD_Connection *connection, void **slot,
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

/* ---- the loop's side ---- */

static struct MHD_Daemon *
start_daemon(struct http *http)
{
	return MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_SUSPEND_RESUME,
	    0, NULL, NULL, on_request, http, MHD_OPTION_URI_LOG_CALLBACK,
	    on_target, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTION_LIMIT,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http *
http_open(const struct http_setup *setup, struct fault *fault)
{
	struct http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;

	if (http == NULL)
		goto fail;
	http->setup = *setup;
	if ((http->daemon = start_daemon(http)) == NULL)
		goto free;
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	http->fd = info->epoll_fd;
	return http;

free:
	free(http);
fail:
	fault_set(fault, FAULT_INTERNAL, "cannot start libmicrohttpd");
	return NULL;
}

void
http_close(struct http *http)
{
	struct exchange *exchange;

	if (http == NULL)
		return;
	while ((exchange = http->suspended) != NULL) {
		exchange->stage = STAGE_DROPPED;
		resume(exchange);
	}
	MHD_stop_daemon(http->daemon);
	free(http);
}

void
http_connection(struct http *http, int fd, const struct sockaddr *address,
    socklen_t address_len)
{
	/* It closes the descriptor if it cannot take it. */
	MHD_add_connection(http->daemon, fd, address, address_len);
}

int
http_fd(const struct http *http)
{
	return http->fd;
}

int
http_wait_ms(const struct http *http)
{
	const struct exchange *exchange;
	int64_t wait_ms = INT32_MAX, now_ms = clock_steady_ms();
	MHD_UNSIGNED_LONG_LONG own_ms;

	if (MHD_get_timeout(http->daemon, &own_ms) == MHD_YES &&
	    own_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms)
		wait_ms = (int64_t)own_ms;
	for (exchange = http->suspended; exchange != NULL;
	     exchange = exchange->next)
		if (exchange->due_ms != -1 &&
		    exchange->due_ms - now_ms < wait_ms)
			wait_ms = exchange->due_ms - now_ms;
	if (http->suspended != NULL && wait_ms > GONE_CHECK_MS)
		wait_ms = GONE_CHECK_MS;
	if (wait_ms == INT32_MAX)
		return -1;
	return wait_ms < 0 ? 0 : (int)wait_ms;
}

int
http_turn(struct http *http, struct fault *fault)
{
	resume_due(http);
	MHD_run(http->daemon);
	if (!http->failed)
		return 0;
	*fault = http->fault;
	return -1;
}
