#include "sockets.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

/* A socket that libcurl wants watched. */
struct watch {
	ev_io io; /* io.data is the sockets */
};

static void
act(struct sockets *sockets, curl_socket_t socket, int events)
{
	int running;

	curl_multi_socket_action(sockets->multi, socket, events, &running);
	sockets->on_acted(sockets->owner);
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

static int
watch_timer(CURLM *multi, long timeout_ms, void *cookie)
{
	struct sockets *sockets = cookie;

	(void)multi;
	ev_timer_stop(sockets->loop, &sockets->wake);
	if (timeout_ms < 0)
		return 0;
	ev_now_update(sockets->loop);
	ev_timer_set(&sockets->wake, (double)timeout_ms / 1000.0, 0.0);
	ev_timer_start(sockets->loop, &sockets->wake);
	return 0;
}

static struct watch *
watch_new(struct sockets *sockets, curl_socket_t socket)
{
	struct watch *watch = malloc(sizeof(*watch));

	if (watch == NULL)
		return NULL;
	ev_io_init(&watch->io, on_socket, socket, 0);
	watch->io.data = sockets;
	if (curl_multi_assign(sockets->multi, socket, watch) != CURLM_OK) {
		free(watch);
		return NULL;
	}
	return watch;
}

static void
watch_free(struct sockets *sockets, struct watch *watch)
{
	if (watch == NULL)
		return;
	ev_io_stop(sockets->loop, &watch->io);
	free(watch);
}

static int
watch_socket(
    CURL *easy, curl_socket_t socket, int what, void *cookie, void *assigned)
{
	struct sockets *sockets = cookie;
	struct watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		watch_free(sockets, watch);
		curl_multi_assign(sockets->multi, socket, NULL);
		return 0;
	}
	/* To fail would end libcurl's work for good; unwatched, the request
	 * just runs into its timeout. */
	if (watch == NULL && (watch = watch_new(sockets, socket)) == NULL)
		return 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= EV_READ;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) {
		events |= EV_WRITE;
		sockets->writes = socket;
	}
	ev_io_stop(sockets->loop, &watch->io);
	ev_io_set(&watch->io, socket, events);
	ev_io_start(sockets->loop, &watch->io);
	return 0;
}

int
sockets_open(struct sockets *sockets)
{
	CURLM *multi = curl_multi_init();

	ev_timer_init(&sockets->wake, on_wake, 0.0, 0.0);
	sockets->wake.data = sockets;
	if ((sockets->multi = multi) == NULL ||
	    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, watch_timer) !=
		CURLM_OK ||
	    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets) != CURLM_OK)
		return -1;
	return 0;
}

void
sockets_close(struct sockets *sockets)
{
	curl_multi_cleanup(sockets->multi);
	ev_timer_stop(sockets->loop, &sockets->wake);
}

static bool
is_writable(curl_socket_t socket)
{
	struct pollfd look = { .fd = socket, .events = POLLOUT };

	return poll(&look, 1, 0) == 1;
}

void
sockets_depart(struct sockets *sockets)
{
	CURLM *multi = sockets->multi;
	int running;

	sockets->writes = CURL_SOCKET_BAD;
	curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	if (sockets->writes != CURL_SOCKET_BAD && is_writable(sockets->writes))
		curl_multi_socket_action(
		    multi, sockets->writes, CURL_CSELECT_OUT, &running);
}
