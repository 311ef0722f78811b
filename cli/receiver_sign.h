#ifndef RECEIVER_SIGN_H
#define RECEIVER_SIGN_H

#include <stddef.h>

#include "receiver_request.h"

struct fault;

#define SIGN_KEY_SIZE 256

/** A SecretId and its key. */
struct sign_key {
	char id[SIGN_KEY_SIZE];
	char key[SIGN_KEY_SIZE];
	size_t key_len;
};

/** What signatures are checked against.  Without a key none is checked. */
struct credentials {
	const char *sign_host, *sign_path;
	struct sign_key *keys;
	size_t count;
};

/**
 * sign_read_key(credentials, id, path, fault):
 * Add ${id} with the secret key from the file ${path}, less one line end.  A file that
 * others may read is refused (FAULT_UNSAFE_KEY_FILE), an empty key or one with
 * white space in it too (FAULT_BAD_CONFIG).  Return 0, or -1.
 */
int sign_read_key(struct credentials *credentials, const char *id,
    const char *path, struct fault *fault);

/** Add all that the file ${path} has: "ID KEY", one a line; empty lines and
 * those that begin with '#' are passed over.  Refused as above.  0 or -1. */
int sign_read_keys(
    struct credentials *credentials, const char *path, struct fault *fault);

/** Wipe the keys. */
void sign_forget_keys(struct credentials *credentials);

/**
 * sign_check(credentials, request):
 * Judge the signature of ${request}: HMAC-SHA1 over its form, the sign_host,
 * the sign_path and its five signed parameters as they came, compared in
 * constant time.  An unknown SecretId is forged.  A request that lacks a
 * parameter, or has one of the wrong type, is unchecked.
 */
enum request_signature sign_check(
    const struct credentials *credentials, const struct request *request);

#endif
