#ifndef FORWARD_VAULT_H
#define FORWARD_VAULT_H

#include <stdbool.h>
#include <stddef.h>

struct fault;

/** Memory for secrets: locked, kept out of core files, wiped when given back
 * (contract.md S4). */
struct vault {
	unsigned char *bytes;
	size_t size, len;
};

/** Get ${size} bytes.  0, or -1 with ${fault}. */
int vault_open(struct vault *vault, size_t size, struct fault *fault);
/** Wipe and give back; nothing for a zeroed one. */
void vault_close(struct vault *vault);

/**
 * vault_read(path, vault, fault):
 * Read the key file ${path} behind what ${vault} holds; what does not fit is
 * left out.  A link, or a file on which others have rights, is
 * FAULT_UNSAFE_KEY_FILE; below $CREDENTIALS_DIRECTORY rights are systemd's
 * affair.  Return 1, 0 if there is no such file, or -1 with ${fault}.
 */
int vault_read(const char *path, struct vault *vault, struct fault *fault);

/** Whether ${c} is white space or a control character: none belongs into a
 * key. */
bool vault_blank(unsigned char c);

#endif
