#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
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

int
newfile_create(const char *path, struct fault *fault)
{
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return cannot_create(path, errno, fault);
	/* The umask can only have taken rights away, and they are needed. */
	if (fchmod(fd, 0600) == 0)
		return fd;
	cannot_create(path, errno, fault);
	close(fd);
	unlink(path);
	return -1;
}

int
newfile_sync_name(const char *path)
{
	char copy[PATH_MAX];
	int fd, failed;

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	failed = fsync(fd);
	close(fd);
	return failed;
}
