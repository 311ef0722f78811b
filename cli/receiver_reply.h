#ifndef RECEIVER_REPLY_H
#define RECEIVER_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "receiver_outcome.h"

/**
 * An answer with its body.  Zero it before reply_make(); its owner keeps it until
 * the response made from it is gone.
 */
struct reply {
	char *body;
	size_t len;
	size_t cut;          /* bytes sent before the connection is closed */
	int64_t speed;       /* bytes a second, 0: at once */
	int64_t began_ms;    /* when the first byte was asked for; 0: not yet */
	int64_t next_due_ms; /* when a slow body goes on */
};

/** Write the body that ${outcome} asks for.  Return 0, or -1 if memory ran
 * out. */
int reply_make(struct reply *reply, const struct outcome *outcome);
void reply_free(struct reply *reply);

/**
 * reply_response(reply, outcome, wait, cookie):
 * Make the HTTP response that sends ${reply}.  A slow one calls ${wait} with
 * ${cookie} when nothing is due before reply->next_due_ms; the connection must
 * then be suspended until that time.  Return NULL if memory ran out.
 */
struct MHD_Response *reply_response(struct reply *reply,
    const struct outcome *outcome, void (*wait)(void *cookie), void *cookie);

#endif
