#ifndef RECEIVER_HTTP_H
#define RECEIVER_HTTP_H

#include <sys/socket.h>

struct exchange_setup;
struct fault;

/**
 * The HTTP side: reads requests, has each decided and recorded, and answers
 * or misbehaves.  One thread, no clock of its own: the caller polls and calls.
 */
struct http;

/** A certificate and its key, PEM; NULL: plain HTTP. */
struct http_tls {
	const char *certificate, *key;
};

/** Start.  ${setup} and ${tls} are borrowed.  Return NULL with ${fault} if that
 * fails. */
struct http *http_open(const struct exchange_setup *setup,
    const struct http_tls *tls, struct fault *fault);
void http_close(struct http *http);

/** Take the connection ${fd} (takes it). */
void http_connection(struct http *http, int fd, const struct sockaddr *address,
    socklen_t address_len);

/** A descriptor that becomes readable when there is work, and the longest
 * time to wait for that in ms, -1 for ever. */
int http_fd(const struct http *http);
int http_wait_ms(const struct http *http);

/**
 * http_turn(http, fault):
 * Do what can be done without waiting.  Return 0, or -1 with ${fault} when a
 * request could not be recorded: it was not answered, and none should be any more.
 */
int http_turn(struct http *http, struct fault *fault);

#endif
