#ifndef PROTOCOL_SIGNER_H
#define PROTOCOL_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/** Room for a base64 HMAC-SHA1, NUL included. */
#define SIGNER_SIZE 29

/** What is signed (API section 5): five parameters, and no others. */
struct signer_input {
	bool get;
	const char *sign_host; /* without the port, API section 5.2 */
	const char *sign_path;
	const char *secret_id;
	const char *region;
	int64_t timestamp; /* Unix seconds */
	uint32_t nonce;    /* 1 to 2147483647 */
};

/** Add the text to sign to ${text} (protocol.md section 3, steps 1 to 4). */
void signer_text(struct text *text, const struct signer_input *input);

/**
 * signer_sign(input, key, key_len, signature):
 * Write the signature as base64, not percent-encoded.  Return 0, or -1 when
 * memory or OpenSSL failed.
 */
int signer_sign(const struct signer_input *input, const void *key,
    size_t key_len, char signature[SIGNER_SIZE]);

/** HMAC-SHA1 or, with ${sha256}, HMAC-SHA256 of any text in base64; what
 * signer_sign() is made of, for the known answers of the general method.
 * ${out} has room for 45 bytes.  Return 0, or -1. */
int signer_mac(const char *string, size_t len, const void *key, size_t key_len,
    bool sha256, char *out);

#endif
