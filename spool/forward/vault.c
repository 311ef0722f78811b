#define _DEFAULT_SOURCE /* MADV_DONTDUMP, MAP_ANONYMOUS */
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "base/fault.h"

int
vault_open(struct vault *vault, size_t size, struct fault *fault)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return fault_errno(fault, errno, "cannot get memory for a key");
	/* Both at best: a small RLIMIT_MEMLOCK must not stop the forwarder. */
	(void)mlock(bytes, size);
	(void)madvise(bytes, size, MADV_DONTDUMP);
	vault->bytes = bytes;
	vault->size = size;
	vault->len = 0;
	return 0;
}

void
vault_close(struct vault *vault)
{
	if (vault->bytes == NULL)
		return;
	OPENSSL_cleanse(vault->bytes, vault->size);
	munmap(vault->bytes, vault->size);
	vault->bytes = NULL;
}

/* Whether ${path} lies below $CREDENTIALS_DIRECTORY, where systemd shows the
 * rights of an access list as group bits. */
static bool
is_given(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len = dir == NULL ? 0 : strlen(dir);

	return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/' &&
	    strstr(path + len, "/../") == NULL;
}

static int
unsafe(struct fault *fault, const char *path, const char *why)
{
	fault_set(
	    fault, FAULT_UNSAFE_KEY_FILE, "key file %.180s is not safe", path);
	fault_why(fault, "%s", why);
	return -1;
}

static int
check_rights(const char *path, const struct stat *status, struct fault *fault)
{
	if (!S_ISREG(status->st_mode))
		return unsafe(fault, path, "it is not a regular file");
	if (is_given(path))
		return 0;
	if (status->st_uid != 0 && status->st_uid != geteuid()) {
		unsafe(fault, path, "it belongs to somebody else");
		fault_hint(fault, "chown %ld %.180s", (long)geteuid(), path);
		return -1;
	}
	if ((status->st_mode & 077) != 0) {
		unsafe(fault, path, "others than its owner have rights on it");
		fault_hint(fault, "chmod 0400 %.200s", path);
		return -1;
	}
	return 0;
}

/* Read all of ${fd}; more than fits is cut, which its user notices by a full
 * vault.  0 or -1 with errno. */
static int
read_all(int fd, struct vault *vault)
{
	ssize_t got;

	while (vault->len < vault->size) {
		got = read(
		    fd, vault->bytes + vault->len, vault->size - vault->len);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		vault->len += (size_t)got;
	}
	return 0;
}

static int
open_failed(const char *path, int error, struct fault *fault)
{
	if (error == ELOOP)
		return unsafe(fault, path, "it is a symbolic link");
	return fault_errno(fault, error, "cannot read key file %.180s", path);
}

int
vault_read(const char *path, struct vault *vault, struct fault *fault)
{
	struct stat status;
	int fd, result;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd == -1)
		return open_failed(path, errno, fault);
	if (fstat(fd, &status) == -1)
		result = open_failed(path, errno, fault);
	else if ((result = check_rights(path, &status, fault)) == 0 &&
	    (result = read_all(fd, vault)) == -1)
		open_failed(path, errno, fault);
	close(fd);
	return result == 0 ? 1 : -1;
}

bool
vault_blank(unsigned char c)
{
	return c <= ' ' || c == 0x7f;
}
