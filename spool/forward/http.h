#ifndef FORWARD_HTTP_H
#define FORWARD_HTTP_H

#include "world.h"

struct config_receiver;
struct ev_loop;
struct fault;
struct http;

/** The transport: libcurl's multi interface on libev, with the settings of
 * protocol.md section 10.  NULL with ${fault}. */
struct http *http_new(struct ev_loop *loop,
    const struct config_receiver *receiver, struct fault *fault);
void http_free(struct http *http);
/** Timeouts, proxy and the like of later requests. */
void http_configure(struct http *http, const struct config_receiver *receiver);

/** As world.post and world.cancel say; the cookie is the http. */
struct flight *http_post(
    void *http, const struct request *request, reply_fn *done, void *owner);
void http_cancel(void *http, struct flight *flight);

#endif
