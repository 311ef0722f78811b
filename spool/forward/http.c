#include "http.h"

#include <stdlib.h>
#include <ev.h>
#include <curl/curl.h>

#include "base/config.h"
#include "base/fault.h"
#include "flight.h"
#include "protocol/request.h"
#include "sockets.h"

/* Easy handles kept for later requests. */
#define SPARES 8

struct http {
	struct ev_loop *loop;
	struct sockets sockets;
	struct config_receiver receiver;
	struct curl_slist *post_headers, *get_headers;
	struct flight *flights; /* all that are out */
	CURL *spares[SPARES];
	size_t spare_count;
	ev_timer answer; /* for flights that could not start */
	ev_timer late;   /* for those that ended while starting */
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
		curl_multi_remove_handle(http->sockets.multi, flight->easy);
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
harvest(void *cookie)
{
	struct http *http = cookie;
	struct CURLMsg *message;
	void *flight;
	int left;

	while ((message = curl_multi_info_read(http->sockets.multi, &left)) !=
	    NULL) {
		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
			&flight) != CURLE_OK)
			continue;
		finish(http, flight, message->data.result);
	}
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
	ev_timer_init(&http->answer, on_answer, 0.0, 0.0);
	ev_timer_init(&http->late, on_late, 0.0, 0.0);
	http->answer.data = http->late.data = http;
	http->sockets = (struct sockets){
		.loop = loop, .on_acted = harvest, .owner = http
	};
	if (sockets_open(&http->sockets) || set_up_headers(http)) {
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
	sockets_close(&http->sockets);
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

/* Who posts may be about to wait for a disk: the request travels meanwhile.
 * What ends here is told later. */
static void
depart(struct http *http)
{
	sockets_depart(&http->sockets);
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
	    curl_multi_add_handle(http->sockets.multi, flight->easy) !=
		CURLM_OK)
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
