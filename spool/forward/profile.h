#ifndef FORWARD_PROFILE_H
#define FORWARD_PROFILE_H

#include <stddef.h>

struct vault;

/** Section [default] of the credentials file that Tencent Cloud's own tools
 * share: pieces of the vault it lies in.  "key" is NULL where there is none. */
struct profile {
	const char *id, *key;
	size_t id_len, key_len;
};

/** Find the pair in ${file}, an INI file.  No reader that buffers for itself is
 * used: it would leave the key in memory that nobody wipes. */
void profile_read(const struct vault *file, struct profile *profile);

#endif
