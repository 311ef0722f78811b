#ifndef PROTOCOL_REQUEST_H
#define PROTOCOL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct batch;

/** Who sends what to where: all that is the same for a lane's requests. */
struct envelope {
	bool get;
	const char *url; /* where to connect, path included */
	const char *sign_host, *sign_path;
	const char *secret_id;
	const void *key;
	size_t key_len;
	const char *region, *ns;
};

/** One attempt, ready for the transport. */
struct request {
	bool get;
	struct text url;  /* GET: with the query */
	struct text body; /* POST: the JSON body; GET: empty */
	size_t rows;
	size_t bytes; /* POST: of the body, GET: of the target */
};

/**
 * request_envelope(envelope):
 * Bytes of a request with no rows, timestamp and nonce taken as ten digits
 * each (protocol.md section 2, Sizes): the brackets of Data included.  For
 * GET: of the encoded target (path and query of the url), with the longest
 * signature there can be, since '+', '/' and '=' take three bytes each in a
 * query and differ from nonce to nonce.  Return 0 when memory was short.
 */
size_t request_envelope(const struct envelope *envelope);

/**
 * request_build(request, envelope, batch, timestamp, nonce):
 * Sign and render one attempt at ${batch} into ${request}, which is zeroed or
 * was used before.  Return 0, or -1 (memory, OpenSSL); then ${request} must
 * not be sent.
 */
int request_build(struct request *request, const struct envelope *envelope,
    const struct batch *batch, int64_t timestamp, uint32_t nonce);

/** Free what ${request} holds. */
void request_clear(struct request *request);

#endif
