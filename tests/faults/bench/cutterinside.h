#ifndef BENCH_CUTTERINSIDE_H
#define BENCH_CUTTERINSIDE_H

#include <ev.h>

#include "cutter.h"

/* What the two halves of the cutter share: cutter.c speaks HTTP by itself,
 * cuttertls.c wraps it. */

#define REQUEST_MOST 65536

struct connection {
	ev_io io; /* io.data is the connection */
	struct cutter *cutter;
	struct cutter_plan plan;
	size_t got;
	bool seen, over;        /* over: what comes now is thrown away */
	struct tls *tls;        /* or NULL */
	size_t raw_in, raw_out; /* its bytes */
	bool met;
	struct connection *next;
	char bytes[REQUEST_MOST];
};

struct cutter {
	struct ev_loop *loop;
	ev_io listener;
	struct cutter_plan plan;
	struct cutter_count count;
	struct tls_server *server;
	struct connection *connections;
};

/** It is over, and freed. */
void cutter_end(struct connection *connection);
/** Cut it; it may be freed. */
void cutter_cut(struct connection *connection, enum cutter_how how);
/** The answer is given up to where it is cut, if it is; then it is cut. */
void cutter_finish(struct connection *connection, bool whole);
void cutter_send(struct connection *connection, const char *bytes, size_t len);
/** A byte of its request came. */
void cutter_saw(struct connection *connection);
/** The bytes of the request, 0: not known yet. */
size_t cutter_request(const struct connection *connection);

/** Something came by TLS. */
void cutter_read_tls(struct connection *connection);

#endif
