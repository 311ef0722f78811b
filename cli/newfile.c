#define _GNU_SOURCE /* O_TMPFILE */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"

static int
cannot_create(const char *path, int error, struct fault *fault)
{
	fault_errno(fault, error, "cannot create %.150s", path);
	if (error == EEXIST)
		fault_why(fault, "it exists already");
	fault_hint(fault, "name another file");
	if (error != ENOSPC && error != EDQUOT && error != EACCES &&
	    error != EPERM)
		fault->kind = FAULT_CANNOT_CREATE;
	return -1;
}

/* The umask can only have taken rights away, and they are needed. */
static int
give_rights(int fd, const char *path, struct fault *fault)
{
	if (fchmod(fd, 0600) == 0)
		return 0;
	return cannot_create(path, errno, fault);
}

int
newfile_create(const char *path, struct fault *fault)
{
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return cannot_create(path, errno, fault);
	if (give_rights(fd, path, fault) == 0)
		return fd;
	close(fd);
	unlink(path);
	return -1;
}

static int
open_directory(const char *path, int flags)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(copy, path);
	return open(dirname(copy), flags | O_CLOEXEC, 0600);
}

/* Where the kernel shows ${fd}, by which it can be linked. */
static void
name_of(int fd, char *name, size_t size)
{
	snprintf(name, size, "/proc/self/fd/%d", fd);
}

/* A file without a name, or -1 where there is none to be had. */
static int
create_nameless(const char *path)
{
	char name[64];
	int fd = open_directory(path, O_TMPFILE | O_WRONLY);

	if (fd == -1)
		return -1;
	name_of(fd, name, sizeof(name));
	if (access(name, F_OK) == 0)
		return fd;
	close(fd);
	return -1;
}

int
newfile_create_hidden(const char *path, bool *hidden, struct fault *fault)
{
	struct stat st;
	int fd;

	*hidden = false;
	if (lstat(path, &st) == 0)
		return cannot_create(path, EEXIST, fault);
	if ((fd = create_nameless(path)) == -1)
		return newfile_create(path, fault);
	*hidden = true;
	if (give_rights(fd, path, fault) == 0)
		return fd;
	close(fd);
	return -1;
}

int
newfile_publish(int fd, const char *path, struct fault *fault)
{
	char name[64];

	name_of(fd, name, sizeof(name));
	if (linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return cannot_create(path, errno, fault);
}

int
newfile_sync_name(const char *path)
{
	int fd = open_directory(path, O_RDONLY | O_DIRECTORY), failed;

	if (fd == -1)
		return -1;
	failed = fsync(fd);
	close(fd);
	return failed;
}
