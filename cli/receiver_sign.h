#ifndef RECEIVER_SIGN_H
#define RECEIVER_SIGN_H

#include <stddef.h>

#include "receiver_request.h"

struct fault;

#define SIGN_KEY_SIZE 256

/** What signatures are checked against.  Without an id none is checked. */
struct credentials {
	const char *secret_id; /* NULL: any, unchecked */
	const char *sign_host, *sign_path;
	char key[SIGN_KEY_SIZE];
	size_t key_len;
};

/**
 * sign_read_key(credentials, path, fault):
 * Read the secret key from the file ${path}, less one line end.  A file that
 * others may read is refused (FAULT_UNSAFE_KEY_FILE), an empty key or one with
 * white space in it too (FAULT_BAD_CONFIG).  Return 0, or -1.
 */
int sign_read_key(
    struct credentials *credentials, const char *path, struct fault *fault);

/** Wipe the key. */
void sign_forget_key(struct credentials *credentials);

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
