#define _GNU_SOURCE /* accept4() */
#include "receiver_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/number.h"

#define BACKLOG 1024

/* ---- the address ---- */

/* Split ${text} into a ${host} and its ${port}, "0" if there is none. */
static int
split(const char *text, char *host, size_t size, const char **port)
{
	const char *end, *start = text;
	size_t len;

	*port = "0";
	if (*text == '[') {
		start = text + 1;
		if ((end = strchr(text, ']')) == NULL)
			return -1;
		if (end[1] == ':')
			*port = end + 2;
		else if (end[1] != '\0')
			return -1;
	} else {
		/* More than one colon: an IPv6 address without a port. */
		end = strchr(text, ':');
		if (end == NULL || strchr(end + 1, ':') != NULL)
			end = text + strlen(text);
		else
			*port = end + 1;
	}
	len = (size_t)(end - start);
	if (len >= size)
		return -1;
	memcpy(host, start, len);
	host[len] = '\0';
	return 0;
}

static bool
set_loopback(struct listen_address *address, const char *host, in_port_t port)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = port };

	if (inet_pton(AF_INET, host, &four.sin_addr) == 1) {
		memcpy(&address->socket, &four, sizeof(four));
		address->len = sizeof(four);
		return ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1) {
		memcpy(&address->socket, &six, sizeof(six));
		address->len = sizeof(six);
		return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
	}
	return false;
}

int
listen_read(
    struct listen_address *address, const char *text, struct fault *fault)
{
	char host[64], shown[128];
	const char *digits;
	int64_t port;

	if (split(text, host, sizeof(host), &digits) == 0 &&
	    number_read_whole(digits, 0, UINT16_MAX, &port) == 0 &&
	    set_loopback(address, host, htons((uint16_t)port)))
		return 0;
	fault_set(fault, FAULT_USAGE, "%s is no loopback address",
	    log_text(shown, sizeof(shown), text));
	fault_hint(
	    fault, "127.0.0.1:PORT or [::1]:PORT; port 0 is any free one");
	return -1;
}

/* ---- the socket ---- */

static unsigned int
port_of(int fd)
{
	struct sockaddr_storage bound;
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &len))
		return 0;
	memcpy(&four, &bound, sizeof(four));
	memcpy(&six, &bound, sizeof(six));
	return ntohs(
	    bound.ss_family == AF_INET ? four.sin_port : six.sin6_port);
}

static int
bind_fault(int error, struct fault *fault)
{
	if (error == EACCES || error == EPERM)
		fault_errno(fault, error, "cannot listen there");
	else
		fault_set(fault, FAULT_UNREACHABLE, "cannot listen there");
	fault_why(fault, "%s", strerror(error));
	fault_hint(fault, "--listen 127.0.0.1:0 takes any free port");
	return -1;
}

int
listen_open(const struct listen_address *address, unsigned int *port,
    struct fault *fault)
{
	const struct sockaddr *bound = (const struct sockaddr *)&address
					   ->socket;
	int fd, error, on = 1;

	fd = socket(address->socket.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return bind_fault(errno, fault);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, bound, address->len) || listen(fd, BACKLOG) ||
	    (*port = port_of(fd)) == 0) {
		error = errno;
		close(fd);
		return bind_fault(error, fault);
	}
	return fd;
}

enum listen_accepted
listen_accept(int listener, int *fd, struct listen_address *peer)
{
	int on = 1;

	do {
		peer->len = sizeof(peer->socket);
		*fd = accept4(listener, (struct sockaddr *)&peer->socket,
		    &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (*fd == -1 && (errno == EINTR || errno == ECONNABORTED));
	if (*fd == -1)
		return errno == EAGAIN ? LISTEN_NONE : LISTEN_EXHAUSTED;
	/* A slow answer is to leave byte by byte. */
	setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return LISTEN_CONNECTION;
}

void
listen_reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* ---- the port file ---- */

static int
write_file(const char *path, unsigned int port)
{
	FILE *file = fopen(path, "we");
	bool bad;

	if (file == NULL)
		return -1;
	bad = fprintf(file, "%u\n", port) < 0;
	bad |= fclose(file) != 0;
	return bad ? -1 : 0;
}

int
listen_write_port(const char *path, unsigned int port, struct fault *fault)
{
	char *temporary = NULL;
	size_t size = strlen(path) + 32;
	int error;

	if ((temporary = malloc(size)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	snprintf(temporary, size, "%s.%ld", path, (long)getpid());
	if (write_file(temporary, port) || rename(temporary, path)) {
		error = errno;
		unlink(temporary);
		free(temporary);
		fault_set(
		    fault, FAULT_CANNOT_CREATE, "cannot write the port file");
		fault_why(fault, "%s", strerror(error));
		fault_hint(
		    fault, "name a file in a directory that you may write");
		return -1;
	}
	free(temporary);
	return 0;
}
