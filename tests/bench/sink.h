#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* The fastest receiver: takes a request, believes it, answers 0, closes. */

#define SINK_ROOM (4 << 20)

/** Listen on a free port of loopback, and write it into ${port_file}. */
static inline int
sink_listen(const char *port_file)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	char unfinished[4096];
	FILE *file;
	int sink;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sink = socket(AF_INET, SOCK_STREAM, 0);
	bench_need(bind(sink, (struct sockaddr *)&address, len) == 0, "bind");
	bench_need(listen(sink, 128) == 0, "listen");
	getsockname(sink, (struct sockaddr *)&address, &len);
	snprintf(unfinished, sizeof(unfinished), "%s.part", port_file);
	bench_need((file = fopen(unfinished, "w")) != NULL, port_file);
	fprintf(file, "%d\n", ntohs(address.sin_port));
	fclose(file);
	bench_need(rename(unfinished, port_file) == 0, port_file);
	return sink;
}

/* Where the request that ${text} begins ends, or 0 if that is not known. */
static inline size_t
sink_length(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n"), *field;

	if (end == NULL)
		return 0;
	field = strstr(text, "Content-Length:");
	if (field == NULL || field > end)
		return (size_t)(end - text) + 4;
	return (size_t)(end - text) + 4 +
	    strtoul(field + strlen("Content-Length:"), NULL, 10);
}

/** Read one request into ${text}, of SINK_ROOM bytes.  Its length, or 0. */
static inline size_t
sink_read(int client, char *text)
{
	size_t len = 0, whole = 0;
	ssize_t got;

	while (whole == 0 || len < whole) {
		got = read(client, text + len, SINK_ROOM - 1 - len);
		if (got <= 0)
			return 0;
		len += (size_t)got;
		text[len] = '\0';
		if (whole == 0)
			whole = sink_length(text);
	}
	return len;
}

static inline void
sink_answer(int client)
{
	static const char ANSWER[] =
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 25\r\n\r\n"
	    "{\"code\":0,\"message\":\"OK\"}";
	ssize_t sent = write(client, ANSWER, sizeof(ANSWER) - 1);

	bench_need(sent == sizeof(ANSWER) - 1, "answer");
	close(client);
}

#endif
