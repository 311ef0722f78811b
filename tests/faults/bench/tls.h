#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The server's side of TLS, without a socket: somebody else carries the bytes,
 * and may cut them.
 */

/** A certificate of 127.0.0.1 and its key, made anew; one version of TLS. */
struct tls_server;
/** The certificate goes into the file ${path}, for those who are to trust
 * it.  ${newest}: speak TLS 1.3 alone, else 1.2.  ${resumes}: who was here
 * before need not go through the whole handshake. */
struct tls_server *tls_server_new(const char *path, bool newest, bool resumes);
void tls_server_free(struct tls_server *server);

/** One connection. */
struct tls;
struct tls *tls_new(struct tls_server *server);
void tls_free(struct tls *tls);
/** These came from the client. */
void tls_came(struct tls *tls, const char *bytes, size_t len);
/** What they say goes to ${text}: its length. */
size_t tls_read(struct tls *tls, char *text, size_t room);
/** Whether the handshake is over; for the client it may be sooner. */
bool tls_is_open(const struct tls *tls);
/** Say ${text}, in a record of its own. */
void tls_say(struct tls *tls, const char *text, size_t len);
/** Say that no more will be said. */
void tls_end(struct tls *tls);
/** The bytes that are to be sent to the client. */
size_t tls_waiting(const struct tls *tls);
/** Take up to ${room} of them into ${bytes}: how many. */
size_t tls_take(struct tls *tls, char *bytes, size_t room);

#endif
