#define _GNU_SOURCE /* accept4(), memmem(), strncasecmp() */
#include "cutterinside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "bench.h"
#include "tls.h"

void
cutter_end(struct connection *connection)
{
	struct cutter *cutter = connection->cutter;
	struct connection **link = &cutter->connections;

	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	ev_io_stop(cutter->loop, &connection->io);
	close(connection->io.fd);
	tls_free(connection->tls);
	free(connection);
}

void
cutter_cut(struct connection *connection, enum cutter_how how)
{
	static const struct linger AT_ONCE = { .l_onoff = 1, .l_linger = 0 };

	if (how == CUTTER_RST) {
		setsockopt(connection->io.fd, SOL_SOCKET, SO_LINGER, &AT_ONCE,
		    sizeof(AT_ONCE));
		cutter_end(connection);
		return;
	}
	if (how == CUTTER_FIN)
		shutdown(connection->io.fd, SHUT_WR);
	connection->over = true;
}

size_t
cutter_request(const struct connection *connection)
{
	static const char FIELD[] = "content-length:";
	const char *end, *line, *from = connection->bytes;
	size_t body = 0;

	end = memmem(from, connection->got, "\r\n\r\n", 4);
	if (end == NULL)
		return 0;
	for (line = from; line < end; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, FIELD, sizeof(FIELD) - 1) == 0)
			body = strtoul(line + sizeof(FIELD) - 1, NULL, 10);
	return (size_t)(end - from) + 4 + body;
}

void
cutter_send(struct connection *connection, const char *bytes, size_t len)
{
	if (send(connection->io.fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		bench_die("the cutter cannot answer");
}

void
cutter_finish(struct connection *connection, bool whole)
{
	connection->cutter->count.whole += whole;
	cutter_cut(connection, whole ? CUTTER_FIN : connection->plan.how);
}

static void
answer(struct connection *connection)
{
	const struct cutter_plan *plan = &connection->plan;
	size_t all = strlen(plan->answer);
	size_t len = plan->in_answer && plan->at < all ? plan->at : all;

	cutter_send(connection, plan->answer, len);
	cutter_finish(connection, len + plan->spare >= all);
}

void
cutter_saw(struct connection *connection)
{
	if (!connection->seen)
		connection->cutter->count.seen++;
	connection->seen = true;
}

/* Read what may be read.  Return false when there was nothing. */
static bool
take(struct connection *connection, size_t limit)
{
	ssize_t got = recv(connection->io.fd,
	    connection->bytes + connection->got, limit - connection->got, 0);

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			cutter_end(connection);
		return false;
	}
	cutter_saw(connection);
	connection->got += (size_t)got;
	connection->bytes[connection->got] = '\0';
	return true;
}

static void
read_request(struct connection *connection)
{
	const struct cutter_plan *plan = &connection->plan;
	bool bound = !plan->in_answer && plan->at < REQUEST_MOST - 1;
	size_t len;

	if (!take(connection, bound ? plan->at : REQUEST_MOST - 1))
		return;
	len = cutter_request(connection);
	if (bound && connection->got == plan->at) {
		cutter_cut(connection, plan->how);
	} else if (len > 0 && connection->got >= len) {
		connection->cutter->count.beyond |= !plan->in_answer;
		answer(connection);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *connection = io->data;
	char rest[4096];
	ssize_t got;

	(void)loop;
	(void)events;
	if (!connection->over) {
		(connection->tls != NULL ? cutter_read_tls : read_request)(
		    connection);
		return;
	}
	got = recv(io->fd, rest, sizeof(rest), 0);
	if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR))
		cutter_end(connection);
}

static void
on_connect(struct ev_loop *loop, ev_io *io, int events)
{
	struct cutter *cutter = io->data;
	struct connection *connection;
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd == -1)
		return;
	if ((connection = malloc(sizeof(*connection))) == NULL)
		bench_die("out of memory");
	connection->cutter = cutter;
	connection->plan = cutter->plan;
	connection->got = connection->raw_in = connection->raw_out = 0;
	connection->seen = connection->over = connection->met = false;
	connection->tls = cutter->server == NULL ? NULL
						 : tls_new(cutter->server);
	connection->next = cutter->connections;
	cutter->connections = connection;
	ev_io_init(&connection->io, on_readable, fd, EV_READ);
	connection->io.data = connection;
	ev_io_start(loop, &connection->io);
}

struct cutter *
cutter_new(struct ev_loop *loop, int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr *to = (struct sockaddr *)&address;
	socklen_t len = sizeof(address);
	struct cutter *cutter = calloc(1, sizeof(*cutter));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (cutter == NULL || fd == -1 || bind(fd, to, len) ||
	    listen(fd, 128) || getsockname(fd, to, &len))
		bench_die("the cutter cannot listen");
	*port = ntohs(address.sin_port);
	cutter->loop = loop;
	ev_io_init(&cutter->listener, on_connect, fd, EV_READ);
	cutter->listener.data = cutter;
	ev_io_start(loop, &cutter->listener);
	return cutter;
}

void
cutter_free(struct cutter *cutter)
{
	if (cutter == NULL)
		return;
	while (cutter->connections != NULL)
		cutter_end(cutter->connections);
	ev_io_stop(cutter->loop, &cutter->listener);
	close(cutter->listener.fd);
	free(cutter);
}

void
cutter_tls(struct cutter *cutter, struct tls_server *server)
{
	cutter->server = server;
}

void
cutter_plan(struct cutter *cutter, const struct cutter_plan *plan)
{
	cutter->plan = *plan;
	cutter->count.beyond = false;
}

const struct cutter_count *
cutter_count(const struct cutter *cutter)
{
	return &cutter->count;
}
