#ifndef BENCH_CUTTER_H
#define BENCH_CUTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ev_loop;
struct tls_server;

/*
 * A server that reads an HTTP request and answers it, until it cuts the
 * connection at a byte that it was told.  It reads before it cuts, so it knows
 * whether any byte of a request came.  Over TLS it counts the bytes on the
 * wire, those of the handshake among them.
 */
struct cutter;

enum cutter_how {
	CUTTER_FIN,   /* it ends its side, and lets the client end */
	CUTTER_RST,   /* it resets the connection */
	CUTTER_STALL, /* it falls silent until the client ends */
	CUTTER_HOWS
};

/** What is done with the connections from now on. */
struct cutter_plan {
	bool in_answer;      /* else in the request */
	size_t at;           /* bytes of it that pass */
	enum cutter_how how; /* and then, unless the answer is whole */
	const char *answer;  /* with its headers; then comes a FIN */
	size_t spare;        /* bytes at its end that say nothing any more */
};

/** What has come of it so far. */
struct cutter_count {
	int64_t seen;  /* requests of which a byte came */
	int64_t whole; /* whole answers given */
	int64_t met;   /* connections whose TLS the client could begin with */
	bool
	    beyond; /* a request was shorter than the plan's cut, and answered */
};

/** One that listens on a port of the loopback, which goes into ${port}. */
struct cutter *cutter_new(struct ev_loop *loop, int *port);
void cutter_free(struct cutter *cutter);
/** Speak TLS from now on; NULL: no more. */
void cutter_tls(struct cutter *cutter, struct tls_server *server);
/** Follow ${plan}, which is copied but for its answer. */
void cutter_plan(struct cutter *cutter, const struct cutter_plan *plan);
const struct cutter_count *cutter_count(const struct cutter *cutter);

#endif
