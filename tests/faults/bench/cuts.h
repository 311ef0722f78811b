#ifndef BENCH_CUTS_H
#define BENCH_CUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cutter.h"

/*
 * A forwarder whose connections are cut (contract.md C13).  The transport is
 * the real one, and so is the core; only its clock jumps to the next event.
 * After each request rows must have been delivered by whole answers alone, and
 * none may be dead; or the test ends, and says at which byte.
 */

#define CUTS_ANSWER 256 /* an answer is shorter */

enum cuts_answer {
	CUTS_LENGTH,  /* its length is told */
	CUTS_CHUNKED, /* it comes in two chunks */
	CUTS_CLOSE,   /* it is over when the connection is */
	CUTS_ANSWERS
};

/** What came of all of it. */
struct cuts_count {
	int64_t cuts, seen, whole, attempts;
};

void cuts_set_up(const char *test);
void cuts_tear_down(void);

/** Begin with batches of ${rows}; by TLS if ${server} is not NULL, whose
 * certificate is in the file ${ca_file}. */
void cuts_start(
    int rows, bool get, struct tls_server *server, const char *ca_file);
/** What waits is delivered, and every request is accounted for: the table
 * attempt has each that the server saw a byte of.  By plain HTTP it has no
 * other; by TLS a byte may leave that the server cannot read. */
void cuts_stop(void);

/** Cut requests at each ${step}th byte, until one is shorter. */
void cuts_requests(enum cutter_how how, size_t step);
/** Cut answers at each ${step}th byte, until one is whole. */
void cuts_answers(enum cutter_how how, enum cuts_answer kind, size_t step);

void cuts_count(struct cuts_count *count);
/** A new file name in the test's directory. */
void cuts_path(const char *name, char path[128]);

#endif
