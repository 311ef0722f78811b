/* links: forward */
#define _GNU_SOURCE
#include "forward/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <curl/curl.h>
#include <ev.h>
#include <cmocka.h>

#include "base/config.h"
#include "base/fault.h"
#include "protocol/request.h"

#define DEADLINE 20.0

/* What the server does with each connection. */
enum act {
	REPLY,    /* read the request, send the text, close */
	RESET,    /* read the request, send the text, reset */
	SLAM,     /* reset without reading */
	STALL,    /* read the request, send the text, wait for the client */
	TRICKLE,  /* a byte now and then, for ever */
	HEADERS,  /* header lines for ever */
	FLOOD,    /* a body for ever, in chunks */
	CONTINUES /* 100 Continue for ever */
};

struct server {
	int listener, port, connections;
	enum act act;
	const char *text;
	char seen[1500000]; /* the latest request */
	size_t seen_len;
	pthread_t thread;
};

/* Who waits for a reply. */
struct waiter {
	struct ev_loop *loop;
	struct reply reply;
	char error[200], location[400], body[70000];
	int calls;
};

struct fixture {
	struct ev_loop *loop;
	struct http *http;
	struct config_receiver receiver;
	struct server server;
	struct request request;
	struct waiter waiter;
};

/* Whether the request in ${server}->seen is whole. */
static bool
whole(const struct server *server)
{
	const char *end, *length;

	if ((end = strstr(server->seen, "\r\n\r\n")) == NULL)
		return false;
	if ((length = strcasestr(server->seen, "Content-Length: ")) == NULL)
		return true;
	return (size_t)(end + 4 - server->seen) +
	    strtoul(length + 16, NULL, 10) <=
	    server->seen_len;
}

static void
read_request(struct server *server, int peer)
{
	ssize_t got;

	server->seen_len = 0;
	server->seen[0] = '\0';
	while (!whole(server)) {
		got = read(peer, server->seen + server->seen_len,
		    sizeof(server->seen) - 1 - server->seen_len);
		if (got <= 0)
			return;
		server->seen_len += (size_t)got;
		server->seen[server->seen_len] = '\0';
	}
}

static bool
say(int peer, const char *text)
{
	return send(peer, text, strlen(text), MSG_NOSIGNAL) ==
	    (ssize_t)strlen(text);
}

/* Send ${text} again and again, ${wait_ms} apart, until the client is gone. */
static void
repeat(int peer, const char *text, int wait_ms)
{
	while (say(peer, text))
		if (wait_ms > 0)
			usleep((useconds_t)wait_ms * 1000);
}

static void
reset(int peer)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void
play(struct server *server, int peer)
{
	char byte;

	if (server->act != SLAM) {
		read_request(server, peer);
		say(peer, server->text);
	}
	if (server->act == RESET || server->act == SLAM)
		reset(peer);
	if (server->act == STALL)
		while (read(peer, &byte, 1) > 0)
			;
	if (server->act == TRICKLE)
		repeat(peer, "x", 20);
	if (server->act == HEADERS)
		repeat(peer, "X-More: and more and more\r\n", 0);
	if (server->act == FLOOD)
		repeat(peer, "10\r\n0123456789abcdef\r\n", 0);
	if (server->act == CONTINUES)
		repeat(peer, "HTTP/1.1 100 Continue\r\n\r\n", 0);
	close(peer);
}

static void *
serve(void *cookie)
{
	struct server *server = cookie;
	int peer;

	while ((peer = accept(server->listener, NULL, NULL)) != -1) {
		server->connections++;
		play(server, peer);
	}
	return NULL;
}

static void
listen_on_loopback(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(server->listener, -1);
	assert_int_equal(
	    bind(server->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 16), 0);
	assert_int_equal(
	    getsockname(server->listener, (struct sockaddr *)&address, &len),
	    0);
	server->port = ntohs(address.sin_port);
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct fault fault = { 0 };

	fixture->loop = ev_loop_new(EVFLAG_AUTO);
	fixture->receiver.fresh_connections = true;
	fixture->receiver.connect_timeout_ms = 3000;
	fixture->receiver.timeout_ms = 5000;
	fixture->http = http_new(fixture->loop, &fixture->receiver, &fault);
	assert_non_null(fixture->http);
	fixture->waiter.loop = fixture->loop;
	listen_on_loopback(&fixture->server);
	text_addf(&fixture->request.url, "http://127.0.0.1:%d/v2/index.php",
	    fixture->server.port);
	text_adds(&fixture->request.body, "{\"Data\":[]}");
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_free(fixture->http); /* a stalling server sees us go */
	if (fixture->server.thread != 0) {
		shutdown(fixture->server.listener, SHUT_RDWR);
		pthread_join(fixture->server.thread, NULL);
	}
	close(fixture->server.listener);
	ev_loop_destroy(fixture->loop);
	text_free(&fixture->request.url);
	text_free(&fixture->request.body);
	free(fixture);
	return 0;
}

static void
start(struct fixture *fixture, enum act act, const char *text)
{
	fixture->server.act = act;
	fixture->server.text = text;
	assert_int_equal(pthread_create(&fixture->server.thread, NULL, serve,
			     &fixture->server),
	    0);
}

static void
on_reply(void *owner, const struct reply *reply)
{
	struct waiter *waiter = owner;

	waiter->reply = *reply;
	waiter->calls++;
	snprintf(waiter->error, sizeof(waiter->error), "%s", reply->error);
	snprintf(
	    waiter->location, sizeof(waiter->location), "%s", reply->location);
	assert_true(reply->len < sizeof(waiter->body));
	memcpy(waiter->body, reply->body, reply->len + 1);
	ev_break(waiter->loop, EVBREAK_ALL);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* Turn the loop until a reply came, or ${seconds} are over. */
static void
turn(struct fixture *fixture, double seconds)
{
	ev_timer deadline;

	ev_now_update(fixture->loop);
	ev_timer_init(&deadline, on_deadline, seconds, 0.0);
	ev_timer_start(fixture->loop, &deadline);
	ev_run(fixture->loop, 0);
	ev_timer_stop(fixture->loop, &deadline);
}

static const struct reply *
exchange(struct fixture *fixture)
{
	int before = fixture->waiter.calls;

	assert_non_null(http_post(
	    fixture->http, &fixture->request, on_reply, &fixture->waiter));
	assert_int_equal(fixture->waiter.calls, before); /* never inside */
	turn(fixture, DEADLINE);
	assert_int_equal(fixture->waiter.calls, before + 1);
	return &fixture->waiter.reply;
}

static void
posts_the_body_and_hands_over_the_reply(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, REPLY,
	    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Content-Length: 10\r\n\r\n{\"code\":0}");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_OK);
	assert_string_equal(fixture->waiter.error, "");
	assert_int_equal(reply->http_status, 200);
	assert_int_equal(reply->date_ms, INT64_C(784111777000));
	assert_int_equal(reply->len, 10);
	assert_string_equal(fixture->waiter.body, "{\"code\":0}");
	assert_int_equal(reply->request_size, fixture->server.seen_len);
	assert_memory_equal(
	    fixture->server.seen, "POST /v2/index.php HTTP/1.1\r\n", 29);
	assert_non_null(strstr(
	    fixture->server.seen, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(fixture->server.seen,
	    "\r\nUser-Agent: monspool/" MONSPOOL_VERSION));
	assert_non_null(strstr(fixture->server.seen, "\r\n\r\n{\"Data\":[]}"));
	assert_null(strstr(fixture->server.seen, "Expect"));
	assert_null(strstr(fixture->server.seen, "Accept-Encoding"));
}

static void
gets_without_body_or_content_type(void **state)
{
	struct fixture *fixture = *state;

	fixture->request.get = true;
	text_adds(&fixture->request.url, "?a=b%2Bc");
	start(fixture, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_memory_equal(
	    fixture->server.seen, "GET /v2/index.php?a=b%2Bc HTTP/1.1\r\n", 36);
	assert_null(strstr(fixture->server.seen, "Content-"));
	assert_null(strstr(fixture->server.seen, "Data"));
}

static void
never_asks_for_a_100_before_a_large_body(void **state)
{
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < 1200000; i++)
		text_addc(&fixture->request.body, ' ');
	start(fixture, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_true(fixture->server.seen_len > 1200000);
	assert_null(strstr(fixture->server.seen, "Expect"));
}

static void
counts_nothing_sent_when_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	shutdown(fixture->server.listener, SHUT_RDWR);
	close(fixture->server.listener);
	fixture->server.listener = -1;
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_COULDNT_CONNECT);
	assert_int_equal(reply->request_size, 0);
	assert_int_equal(reply->http_status, 0);
	assert_string_equal(
	    fixture->waiter.error, "cannot connect: Connection refused");
}

static void
counts_nothing_sent_when_the_name_is_unknown(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	text_clear(&fixture->request.url);
	text_adds(&fixture->request.url, "http://no-such-name.invalid/");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_COULDNT_RESOLVE_HOST);
	assert_int_equal(reply->request_size, 0);
	assert_non_null(strstr(fixture->waiter.error, "does not resolve"));
}

static void
counts_nothing_sent_when_tls_fails(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	text_clear(&fixture->request.url);
	text_addf(&fixture->request.url, "https://127.0.0.1:%d/",
	    fixture->server.port);
	start(fixture, SLAM, "");
	reply = exchange(fixture);
	assert_int_not_equal(reply->transfer, CURLE_OK);
	assert_int_equal(reply->request_size, 0);
	assert_string_not_equal(fixture->waiter.error, "");
}

/* A proxy that takes CONNECT and lets nothing through. */
static void
counts_nothing_sent_when_the_proxy_refuses_a_tunnel(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	snprintf(fixture->receiver.proxy, sizeof(fixture->receiver.proxy),
	    "http://127.0.0.1:%d", fixture->server.port);
	http_configure(fixture->http, &fixture->receiver);
	text_clear(&fixture->request.url);
	text_adds(&fixture->request.url, "https://receiver.invalid/");
	start(fixture, REPLY,
	    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
	reply = exchange(fixture);
	assert_int_not_equal(reply->transfer, CURLE_OK);
	assert_int_equal(reply->request_size, 0);
	assert_memory_equal(
	    fixture->server.seen, "CONNECT receiver.invalid:443", 28);
}

static void
counts_what_was_sent_before_a_reset(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, RESET, "");
	reply = exchange(fixture);
	assert_true(reply->transfer == CURLE_RECV_ERROR ||
	    reply->transfer == CURLE_GOT_NOTHING);
	assert_int_equal(reply->request_size, fixture->server.seen_len);
}

static void
fails_when_reset_without_reading(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, SLAM, "");
	assert_int_not_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_string_not_equal(fixture->waiter.error, "");
}

static void
fails_when_closed_without_a_reply(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, REPLY, "");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_GOT_NOTHING);
	assert_true(reply->request_size > 0);
	assert_int_equal(reply->http_status, 0);
}

static void
fails_when_cut_below_the_content_length(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, REPLY,
	    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"code\":0}");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_PARTIAL_FILE);
	assert_int_equal(reply->http_status, 200);
	assert_string_equal(fixture->waiter.error, "the reply was cut short");
}

static void
fails_when_the_chunks_are_cut(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, REPLY,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "a\r\n{\"code\":0}\r\n");
	assert_true(exchange(fixture)->transfer == CURLE_PARTIAL_FILE ||
	    fixture->waiter.reply.transfer == CURLE_RECV_ERROR);
}

static void
refuses_a_reply_without_a_status_line(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, REPLY, "{\"code\":0}");
	assert_int_equal(
	    exchange(fixture)->transfer, CURLE_UNSUPPORTED_PROTOCOL);
	assert_true(fixture->waiter.reply.request_size > 0);
	assert_string_equal(fixture->waiter.error, "the reply is not HTTP");
}

static void
stops_at_64_kib(void **state, enum act act, const char *text)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, act, text);
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_WRITE_ERROR);
	assert_true(reply->len <= 65536);
	assert_string_equal(fixture->waiter.error, "the reply is over 64 KiB");
}

static void
stops_endless_headers(void **state)
{
	stops_at_64_kib(state, HEADERS, "HTTP/1.1 200 OK\r\n");
}

static void
stops_an_endless_body(void **state)
{
	stops_at_64_kib(state, FLOOD,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void
stops_endless_interim_replies(void **state)
{
	stops_at_64_kib(state, CONTINUES, "");
}

static void
follows_no_redirect_and_shows_it_escaped(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	start(fixture, REPLY,
	    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\x1b[2J\r\n"
	    "Content-Length: 0\r\n\r\n");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_OK);
	assert_int_equal(reply->http_status, 302);
	assert_string_equal(
	    fixture->waiter.location, "http://127.0.0.1:1/\\x1b[2J");
	assert_int_equal(fixture->server.connections, 1);
}

static void
ignores_proxies_of_the_environment(void **state)
{
	struct fixture *fixture = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	start(fixture, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void
obeys_the_configured_proxy_whatever_no_proxy_says(void **state)
{
	struct fixture *fixture = *state;

	setenv("no_proxy", "*", 1);
	snprintf(fixture->receiver.proxy, sizeof(fixture->receiver.proxy),
	    "http://127.0.0.1:%d", fixture->server.port);
	http_configure(fixture->http, &fixture->receiver);
	text_clear(&fixture->request.url);
	text_adds(&fixture->request.url, "http://receiver.invalid/x");
	start(fixture, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	unsetenv("no_proxy");
	assert_memory_equal(
	    fixture->server.seen, "POST http://receiver.invalid/x ", 31);
}

static void
refuses_other_protocols(void **state)
{
	static const char *const URLS[] = { "file:///etc/passwd",
		"ftp://127.0.0.1/", "gopher://127.0.0.1/" };
	struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
		text_clear(&fixture->request.url);
		text_adds(&fixture->request.url, URLS[i]);
		assert_int_equal(
		    exchange(fixture)->transfer, CURLE_UNSUPPORTED_PROTOCOL);
		assert_int_equal(fixture->waiter.reply.request_size, 0);
		assert_int_equal(fixture->waiter.reply.len, 0);
	}
}

static void
answers_what_cannot_start_from_the_loop(void **state)
{
	struct fixture *fixture = *state;

	/* libcurl takes no string setting above 8 MB. */
	while (fixture->request.url.len < 9000000)
		text_adds(&fixture->request.url, "0123456789");
	assert_int_not_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_int_equal(fixture->waiter.reply.request_size, 0);
}

static void
gives_up_at_the_timeout(void **state)
{
	struct fixture *fixture = *state;
	const struct reply *reply;

	fixture->receiver.timeout_ms = 200;
	http_configure(fixture->http, &fixture->receiver);
	start(fixture, STALL, "");
	reply = exchange(fixture);
	assert_int_equal(reply->transfer, CURLE_OPERATION_TIMEDOUT);
	assert_true(reply->request_size > 0);
	assert_true(reply->took_ms >= 200 && reply->took_ms < 5000);
}

static void
gives_up_a_trickling_reply_at_the_timeout(void **state)
{
	struct fixture *fixture = *state;

	fixture->receiver.timeout_ms = 300;
	http_configure(fixture->http, &fixture->receiver);
	start(fixture, TRICKLE,
	    "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OPERATION_TIMEDOUT);
	assert_int_equal(fixture->waiter.reply.http_status, 200);
}

static void
connects_anew_for_every_request(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, STALL, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_int_equal(exchange(fixture)->transfer, CURLE_OK);
	assert_int_equal(fixture->server.connections, 2);
}

static void
takes_retry_after_up_to_an_hour(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, REPLY,
	    "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n"
	    "Content-Length: 0\r\n\r\n");
	assert_int_equal(exchange(fixture)->retry_after_ms, 7000);
	fixture->server.text = "HTTP/1.1 429 Slow\r\nRetry-After: 999999\r\n"
			       "Content-Length: 0\r\n\r\n";
	assert_int_equal(exchange(fixture)->retry_after_ms, 3600 * 1000);
}

static void
never_calls_back_after_a_cancel(void **state)
{
	struct fixture *fixture = *state;
	struct flight *flight;

	start(fixture, REPLY, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	flight = http_post(
	    fixture->http, &fixture->request, on_reply, &fixture->waiter);
	assert_non_null(flight);
	http_cancel(fixture->http, flight);
	/* The next one is answered, the cancelled one was not. */
	exchange(fixture);
	turn(fixture, 0.1);
	assert_int_equal(fixture->waiter.calls, 1);
}

static void
cancels_what_waits_for_a_name(void **state)
{
	struct fixture *fixture = *state;
	struct flight *flight;

	text_clear(&fixture->request.url);
	text_adds(&fixture->request.url, "http://no-such-name.invalid/");
	flight = http_post(
	    fixture->http, &fixture->request, on_reply, &fixture->waiter);
	turn(fixture, 0.0);
	if (fixture->waiter.calls == 0)
		http_cancel(fixture->http, flight);
	turn(fixture, 0.1);
	assert_in_range(fixture->waiter.calls, 0, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(posts_the_body_and_hands_over_the_reply),
		CASE(gets_without_body_or_content_type),
		CASE(never_asks_for_a_100_before_a_large_body),
		CASE(counts_nothing_sent_when_refused),
		CASE(counts_nothing_sent_when_the_name_is_unknown),
		CASE(counts_nothing_sent_when_tls_fails),
		CASE(counts_nothing_sent_when_the_proxy_refuses_a_tunnel),
		CASE(counts_what_was_sent_before_a_reset),
		CASE(fails_when_reset_without_reading),
		CASE(fails_when_closed_without_a_reply),
		CASE(fails_when_cut_below_the_content_length),
		CASE(fails_when_the_chunks_are_cut),
		CASE(refuses_a_reply_without_a_status_line),
		CASE(stops_endless_headers),
		CASE(stops_an_endless_body),
		CASE(stops_endless_interim_replies),
		CASE(follows_no_redirect_and_shows_it_escaped),
		CASE(ignores_proxies_of_the_environment),
		CASE(obeys_the_configured_proxy_whatever_no_proxy_says),
		CASE(refuses_other_protocols),
		CASE(answers_what_cannot_start_from_the_loop),
		CASE(gives_up_at_the_timeout),
		CASE(gives_up_a_trickling_reply_at_the_timeout),
		CASE(connects_anew_for_every_request),
		CASE(takes_retry_after_up_to_an_hour),
		CASE(never_calls_back_after_a_cancel),
		CASE(cancels_what_waits_for_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
