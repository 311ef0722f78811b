#ifndef RECEIVER_LISTEN_H
#define RECEIVER_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct fault;

/** Where to listen: loopback, whatever the family. */
struct listen_address {
	struct sockaddr_storage socket;
	socklen_t len;
};

/**
 * listen_read(address, text, fault):
 * Read "127.0.0.1:0", "127.0.0.1", "[::1]:0" or "::1" (port 0); any other address than
 * a loopback one is FAULT_USAGE.  Return 0, or -1.
 */
int listen_read(
    struct listen_address *address, const char *text, struct fault *fault);

/**
 * listen_open(address, port, fault):
 * Bind and listen, and tell the ${port}.  Return the descriptor, or -1 with
 * ${fault}: FAULT_UNREACHABLE when the address is in use or not there.
 */
int listen_open(const struct listen_address *address, unsigned int *port,
    struct fault *fault);

enum listen_accepted {
	LISTEN_CONNECTION, /* one was made */
	LISTEN_NONE,       /* nobody waits */
	LISTEN_EXHAUSTED   /* no descriptor is left: try later */
};

/** Accept one connection, non-blocking, into ${fd} and ${peer}. */
enum listen_accepted listen_accept(
    int listener, int *fd, struct listen_address *peer);

/** Close ${fd} with an RST. */
void listen_reset(int fd);

/** Write ${port} and a newline into ${path}, all at once.  Return 0, or -1 with
 * ${fault} (FAULT_CANNOT_CREATE). */
int listen_write_port(const char *path, unsigned int port, struct fault *fault);

#endif
