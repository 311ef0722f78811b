#ifndef FORWARD_SOCKETS_H
#define FORWARD_SOCKETS_H

#include <ev.h>
#include <curl/curl.h>

/** libcurl's multi handle, driven by a libev loop: its sockets and its timer
 * are watchers of the loop. */
struct sockets {
	struct ev_loop *loop;
	CURLM *multi;
	ev_timer wake;        /* libcurl's timer */
	curl_socket_t writes; /* the latest that waits to be written to */
	void (*on_acted)(void *owner); /* libcurl has worked: look what ended */
	void *owner;
};

/** Set it up; loop, on_acted and owner are set, the rest is zero.  0, or -1
 * (memory); sockets_close() is due either way. */
int sockets_open(struct sockets *sockets);
/** No easy handle is left in it. */
void sockets_close(struct sockets *sockets);

/** Get as far as is possible at once with what was just added.  on_acted() is
 * not called: what ends here is for the caller to look for, later. */
void sockets_depart(struct sockets *sockets);

#endif
