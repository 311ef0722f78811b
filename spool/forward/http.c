#include "http.h"

#include <poll.h>
#include <stdlib.h>
#include <ev.h>
#include <curl/curl.h>

#include "base/config.h"
#include "base/fault.h"
#include "flight.h"
#include "protocol/request.h"

/* Easy handles kept for later requests. */
#define SPARES 8

struct http {
	struct ev_loop *loop;
	CURLM *multi;
	struct config_receiver receiver;
	struct curl_slist *post_headers, *get_headers;
	struct flight *flights; /* all that are out */
	CURL *spares[SPARES];
	size_t spare_count;
	curl_socket_t writes; /* the latest that waits to be written to */
	ev_timer wake;        /* libcurl's timer */
	ev_timer answer;      /* for flights that could not start */
	ev_timer late;        /* for those that ended while starting */
};

/* A socket that libcurl wants watched. */
struct watch {
	ev_io io; /* io.data is the http */
};

static CURL *
take_easy(struct http *http)
{
	if (http->spare_count > 0)
		return http->spares[--http->spare_count];
	return curl_easy_init();
}

static void
return_easy(struct http *http, CURL *easy)
{
	if (easy == NULL)
		return;
	if (http->spare_count == SPARES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	http->spares[http->spare_count++] = easy;
}

static void
link_flight(struct http *http, struct flight *flight)
{
	flight->link = &http->flights;
	flight->next = http->flights;
	if (flight->next != NULL)
		flight->next->link = &flight->next;
	http->flights = flight;
}

static void
unlink_flight(struct flight *flight)
{
	*flight->link = flight->next;
	if (flight->next != NULL)
		flight->next->link = flight->link;
}

/* Take ${flight} out of libcurl and off the list. */
static void
withdraw(struct http *http, struct flight *flight)
{
	if (flight->unstarted == CURLE_OK)
		curl_multi_remove_handle(http->multi, flight->easy);
	unlink_flight(flight);
}

/* The flight is over: its owner is told, and may post again from there. */
static void
finish(struct http *http, struct flight *flight, CURLcode code)
{
	struct reply reply;

	withdraw(http, flight);
	flight_reply(flight, code, &reply);
	flight->done(flight->owner, &reply);
	return_easy(http, flight->easy);
	flight_free(flight);
}

static void
harvest(struct http *http)
{
	struct CURLMsg *message;
	void *flight;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
			&flight) != CURLE_OK)
			continue;
		finish(http, flight, message->data.result);
	}
}

static void
act(struct http *http, curl_socket_t socket, int events)
{
	int running;

	curl_multi_socket_action(http->multi, socket, events, &running);
	harvest(http);
}

static void
on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	int select = 0;

	(void)loop;
	if (events & EV_READ)
		select |= CURL_CSELECT_IN;
	if (events & EV_WRITE)
		select |= CURL_CSELECT_OUT;
	act(io->data, io->fd, select);
}

static void
on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	ev_timer_stop(loop, timer);
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* One a loop turn, so that an owner who posts again at once cannot keep the
 * loop from its other work. */
static void
on_answer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct http *http = timer->data;
	struct flight *flight, *last = NULL;

	(void)events;
	ev_timer_stop(loop, timer);
	for (flight = http->flights; flight != NULL; flight = flight->next)
		if (flight->unstarted != CURLE_OK)
			last = flight;
	if (last == NULL)
		return;
	ev_timer_start(loop, timer);
	finish(http, last, last->unstarted);
}

static void
on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	ev_timer_stop(loop, timer);
	harvest(timer->data);
}

static int
watch_timer(CURLM *multi, long timeout_ms, void *cookie)
{
	struct http *http = cookie;

	(void)multi;
	ev_timer_stop(http->loop, &http->wake);
	if (timeout_ms < 0)
		return 0;
	ev_now_update(http->loop);
	ev_timer_set(&http->wake, (double)timeout_ms / 1000.0, 0.0);
	ev_timer_start(http->loop, &http->wake);
	return 0;
}

static struct watch *
watch_new(struct http *http, curl_socket_t socket)
{
	struct watch *watch = malloc(sizeof(*watch));

	if (watch == NULL)
		return NULL;
	ev_io_init(&watch->io, on_socket, socket, 0);
	watch->io.data = http;
	if (curl_multi_assign(http->multi, socket, watch) != CURLM_OK) {
		free(watch);
		return NULL;
	}
	return watch;
}

static void
watch_free(struct http *http, struct watch *watch)
{
	if (watch == NULL)
		return;
	ev_io_stop(http->loop, &watch->io);
	free(watch);
}

static int
watch_socket(
    CURL *easy, curl_socket_t socket, int what, void *cookie, void *assigned)
{
	struct http *http = cookie;
	struct watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		watch_free(http, watch);
		curl_multi_assign(http->multi, socket, NULL);
		return 0;
	}
	/* To fail would end libcurl's work for good; unwatched, the request
	 * just runs into its timeout. */
	if (watch == NULL && (watch = watch_new(http, socket)) == NULL)
		return 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EV_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) {
		events |= EV_WRITE;
		http->writes = socket;
	}
	ev_io_stop(http->loop, &watch->io);
	ev_io_set(&watch->io, socket, events);
	ev_io_start(http->loop, &watch->io);
	return 0;
}

static int
set_up_multi(struct http *http)
{
	if ((http->multi = curl_multi_init()) == NULL)
		return -1;
	if (curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION,
		watch_socket) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) !=
		CURLM_OK ||
	    curl_multi_setopt(
		http->multi, CURLMOPT_TIMERFUNCTION, watch_timer) != CURLM_OK ||
	    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) !=
		CURLM_OK)
		return -1;
	return 0;
}

/* An empty "Expect:" keeps libcurl from waiting for a 100 above 1 MiB. */
static int
set_up_headers(struct http *http)
{
	struct curl_slist *first;

	http->get_headers = curl_slist_append(NULL, "Expect:");
	first = curl_slist_append(NULL, "Content-Type: application/json");
	http->post_headers = curl_slist_append(first, "Expect:");
	if (http->post_headers == NULL)
		curl_slist_free_all(first);
	return http->get_headers == NULL || http->post_headers == NULL ? -1 : 0;
}

struct http *
http_new(struct ev_loop *loop, const struct config_receiver *receiver,
    struct fault *fault)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		goto memory;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		goto global;
	http->loop = loop;
	http->receiver = *receiver;
	ev_timer_init(&http->wake, on_wake, 0.0, 0.0);
	ev_timer_init(&http->answer, on_answer, 0.0, 0.0);
	ev_timer_init(&http->late, on_late, 0.0, 0.0);
	http->wake.data = http->answer.data = http->late.data = http;
	if (set_up_multi(http) || set_up_headers(http)) {
		http_free(http);
		goto memory;
	}
	return http;

global:
	free(http);
memory:
	fault_set(fault, FAULT_INTERNAL, "cannot set up libcurl");
	fault_why(fault, "out of memory");
	return NULL;
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	while (http->flights != NULL)
		http_cancel(http, http->flights);
	while (http->spare_count > 0)
		curl_easy_cleanup(http->spares[--http->spare_count]);
	curl_multi_cleanup(http->multi);
	ev_timer_stop(http->loop, &http->wake);
	ev_timer_stop(http->loop, &http->answer);
	ev_timer_stop(http->loop, &http->late);
	curl_slist_free_all(http->post_headers);
	curl_slist_free_all(http->get_headers);
	free(http);
	curl_global_cleanup();
}

void
http_configure(struct http *http, const struct config_receiver *receiver)
{
	http->receiver = *receiver;
}

static bool
is_writable(curl_socket_t socket)
{
	struct pollfd look = { .fd = socket, .events = POLLOUT };

	return poll(&look, 1, 0) == 1;
}

/* Get as far as is possible at once: who posts may be about to wait for a
 * disk, and the request travels meanwhile.  What ends here is told later. */
static void
depart(struct http *http)
{
	int running;

	http->writes = CURL_SOCKET_BAD;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	if (http->writes != CURL_SOCKET_BAD && is_writable(http->writes))
		curl_multi_socket_action(
		    http->multi, http->writes, CURL_CSELECT_OUT, &running);
	ev_timer_start(http->loop, &http->late);
}

/* Give the flight to libcurl.  What is refused here is answered by the loop,
 * so that failure has one road. */
static void
start(struct http *http, struct flight *flight)
{
	flight_prepare(flight, &http->receiver,
	    flight->request->get ? http->get_headers : http->post_headers);
	if (flight->unstarted == CURLE_OK &&
	    curl_multi_add_handle(http->multi, flight->easy) != CURLM_OK)
		flight->unstarted = CURLE_OUT_OF_MEMORY;
	if (flight->unstarted != CURLE_OK)
		ev_timer_start(http->loop, &http->answer);
	else
		depart(http);
}

struct flight *
http_post(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	struct http *http = cookie;
	struct flight *flight = calloc(1, sizeof(*flight));

	if (flight == NULL)
		return NULL;
	if ((flight->easy = take_easy(http)) == NULL) {
		free(flight);
		return NULL;
	}
	flight->request = request;
	flight->done = done;
	flight->owner = owner;
	link_flight(http, flight);
	start(http, flight);
	return flight;
}

void
http_cancel(void *cookie, struct flight *flight)
{
	struct http *http = cookie;

	withdraw(http, flight);
	return_easy(http, flight->easy);
	flight_free(flight);
}
