#include "receiver_http.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <microhttpd.h>

#include "base/fault.h"
#include "receiver_exchange.h"

/* Room for the headers and a request target of 15 KiB (protocol.md section
 * 2: 100 rows in a GET). */
#define CONNECTION_MEMORY (64 * 1024)
#define CONNECTION_LIMIT 4096
#define IDLE_SECONDS 300

struct http {
	struct MHD_Daemon *daemon;
	int fd;
	struct exchanges exchanges;
};

static struct MHD_Daemon *
start_daemon(struct http *http, const struct http_tls *tls)
{
	const struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		    (void *)(uintptr_t)tls->certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)tls->key },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };
	bool is_secure = tls->certificate != NULL;
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
	    MHD_USE_SUSPEND_RESUME;

	return MHD_start_daemon(is_secure ? flags | MHD_USE_TLS : flags, 0,
	    NULL, NULL, exchange_go_on, &http->exchanges, MHD_OPTION_ARRAY,
	    is_secure ? secure : plain, MHD_OPTION_URI_LOG_CALLBACK,
	    exchange_begin, &http->exchanges, MHD_OPTION_NOTIFY_COMPLETED,
	    exchange_end, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned int)CONNECTION_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)IDLE_SECONDS, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_END);
}

struct http *
http_open(const struct exchange_setup *setup, const struct http_tls *tls,
    struct fault *fault)
{
	struct http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;

	if (http == NULL)
		goto fail;
	http->exchanges.setup = setup;
	if ((http->daemon = start_daemon(http, tls)) == NULL)
		goto free;
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	http->fd = info->epoll_fd;
	return http;

free:
	free(http);
fail:
	if (tls->certificate != NULL) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "the certificate or its key cannot be used");
		fault_hint(fault, "both are PEM, and belong together");
	} else
		fault_set(fault, FAULT_INTERNAL, "cannot start libmicrohttpd");
	return NULL;
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	exchanges_drop(&http->exchanges);
	MHD_stop_daemon(http->daemon);
	free(http);
}

void
http_connection(struct http *http, int fd, const struct sockaddr *address,
    socklen_t address_len)
{
	/* It closes the descriptor if it cannot take it. */
	MHD_add_connection(http->daemon, fd, address, address_len);
}

int
http_fd(const struct http *http)
{
	return http->fd;
}

int
http_wait_ms(const struct http *http)
{
	int64_t wait_ms = INT32_MAX;
	MHD_UNSIGNED_LONG_LONG own_ms;

	if (MHD_get_timeout(http->daemon, &own_ms) == MHD_YES &&
	    own_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms)
		wait_ms = (int64_t)own_ms;
	wait_ms = exchanges_wait_ms(&http->exchanges, wait_ms);
	return wait_ms == INT32_MAX ? -1 : (int)wait_ms;
}

int
http_turn(struct http *http, struct fault *fault)
{
	exchanges_resume_due(&http->exchanges);
	MHD_run(http->daemon);
	if (!http->exchanges.failed)
		return 0;
	*fault = http->exchanges.fault;
	return -1;
}
