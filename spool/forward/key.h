#ifndef FORWARD_KEY_H
#define FORWARD_KEY_H

#include <stddef.h>

#include "base/config.h"

struct fault;

/** Who signs for one account.  The key is in locked memory and wiped on
 * every way out (contract.md S4). */
struct credential {
	char account[CONFIG_NAME];
	char secret_id[CONFIG_NAME];
	char region[CONFIG_NAME];
	unsigned char *key;
	size_t key_len;
	char source[CONFIG_PATH]; /* where the key came from, for people */
};
struct credentials;

/**
 * credentials_load(config, fault):
 * Find the key of each account of ${config} in the order of interface.md section 1,
 * Secrets.  NULL with ${fault}: secret id, key or region missing FAULT_BAD_CONFIG,
 * unsafe file FAULT_UNSAFE_KEY_FILE, empty key or inner white space FAULT_BAD_CONFIG.
 */
struct credentials *credentials_load(
    const struct config *config, struct fault *fault);
void credentials_free(struct credentials *credentials);
/** The one of ${account}, or NULL. */
const struct credential *credentials_of(
    const struct credentials *credentials, const char *account);

#endif
