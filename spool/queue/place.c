#define _GNU_SOURCE /* O_PATH, AT_EMPTY_PATH */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fault.h"

/* File systems with the shared memory and the locks that SQLite's WAL needs
 * (H17); tmpfs and overlay lose their content with the machine or container,
 * which doctor tells. */
static const unsigned long LOCAL_FILESYSTEMS[] = {
	0xef53,     /* ext2, ext3, ext4 */
	0x58465342, /* xfs */
	0x9123683e, /* btrfs */
	0xf2f52010, /* f2fs */
	0x01021994, /* tmpfs */
	0x794c7630  /* overlay */
};

static int
derive(char out[PLACE_PATH], const char *path, const char *suffix)
{
	int len = snprintf(out, PLACE_PATH, "%s%s", path, suffix);

	return len > 0 && len < PLACE_PATH ? 0 : -1;
}

static void
derive_dir(char dir[PLACE_PATH], const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		strcpy(dir, ".");
	else if (slash == path)
		strcpy(dir, "/");
	else
		snprintf(dir, PLACE_PATH, "%.*s", (int)(slash - path), path);
}

int
place_of(struct place *place, const char *path, struct fault *fault)
{
	size_t len = strlen(path);

	if (len == 0)
		return fault_set(
		    fault, FAULT_USAGE, "the path of the queue file is empty");
	if (path[len - 1] == '/')
		return fault_set(fault, FAULT_USAGE,
		    "the path of the queue names a directory, not a file");
	if (derive(place->file, path, "") || derive(place->wal, path, "-wal") ||
	    derive(place->shm, path, "-shm") ||
	    derive(place->gate, path, ".gate") ||
	    derive(place->lock, path, ".lock") ||
	    derive(place->bell, path, ".bell") ||
	    derive(place->ballast, path, ".ballast"))
		return fault_set(fault, FAULT_USAGE,
		    "the path of the queue file is too long");
	derive_dir(place->dir, path);
	return 0;
}

static int
missing(const struct place *place, struct fault *fault)
{
	fault_set(
	    fault, FAULT_QUEUE_MISSING, "there is no queue at %s", place->file);
	fault_hint(fault, "monspool init %s", place->file);
	return -1;
}

static int
denied(const struct place *place, const struct stat *st, struct fault *fault)
{
	struct group *group = getgrgid(st->st_gid);

	fault_set(fault, FAULT_NO_PERMISSION,
	    "no permission to use the queue %s", place->file);
	if (group != NULL && group->gr_gid != 0)
		fault_hint(fault, "join the group %s, then log in again",
		    group->gr_name);
	return -1;
}

/* Say why the queue file cannot even be looked at. */
static int
unseen(const struct place *place, int error, struct fault *fault)
{
	struct stat dir;

	if (error == ENOENT || error == ENOTDIR)
		return missing(place, fault);
	if (error == EACCES && stat(place->dir, &dir) == 0)
		return denied(place, &dir, fault);
	return fault_errno(
	    fault, error, "cannot look at the queue %s", place->file);
}

/* A name in the queue's directory could be planted by any of its group: only
 * a regular file with no second name is trusted. */
static int
check_plain(const char *path, const struct stat *st, struct fault *fault)
{
	if (S_ISLNK(st->st_mode))
		return fault_set(
		    fault, FAULT_QUEUE_FOREIGN, "%s is a symbolic link", path);
	if (!S_ISREG(st->st_mode))
		return fault_set(fault, FAULT_QUEUE_FOREIGN,
		    "%s is not a regular file", path);
	if (st->st_nlink > 1)
		return fault_set(fault, FAULT_QUEUE_FOREIGN,
		    "%s has another name (a hard link)", path);
	return 0;
}

static int
check_beside(const char *path, struct fault *fault)
{
	struct stat st;

	if (lstat(path, &st))
		return 0; /* SQLite makes it, or says why it cannot */
	return check_plain(path, &st, fault);
}

int
place_check_dir(const char *dir, unsigned file_owner, struct fault *fault)
{
	struct stat st;

	if (stat(dir, &st))
		return fault_errno(
		    fault, errno, "cannot look at the directory %s", dir);
	if (st.st_mode & S_IWOTH) {
		fault_set(fault, FAULT_NO_PERMISSION,
		    "everybody may write to the directory %s", dir);
		fault_why(fault, "anybody could replace the queue");
		fault_hint(fault, "chmod o-w %s", dir);
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != file_owner &&
	    st.st_uid != geteuid()) {
		fault_set(fault, FAULT_NO_PERMISSION,
		    "the directory %s belongs to somebody else", dir);
		fault_why(fault,
		    "its owner is neither root, nor the queue's, "
		    "nor you");
		return -1;
	}
	return 0;
}

int
place_check(const struct place *place, struct fault *fault)
{
	struct stat st;

	if (lstat(place->file, &st))
		return unseen(place, errno, fault);
	if (check_plain(place->file, &st, fault) ||
	    check_beside(place->wal, fault) ||
	    check_beside(place->shm, fault) ||
	    place_check_dir(place->dir, st.st_uid, fault))
		return -1;
	if (faccessat(AT_FDCWD, place->file, R_OK | W_OK, AT_EACCESS) == 0)
		return 0;
	if (errno != EACCES)
		return fault_errno(
		    fault, errno, "cannot write to the queue %s", place->file);
	return denied(place, &st, fault);
}

int
place_check_filesystem(const char *dir, struct fault *fault)
{
	struct statfs fs;
	size_t i;

	if (statfs(dir, &fs))
		return fault_errno(
		    fault, errno, "cannot look at the file system of %s", dir);
	for (i = 0;
	     i < sizeof(LOCAL_FILESYSTEMS) / sizeof(LOCAL_FILESYSTEMS[0]);
	     i++) {
		/* f_type is signed, and 32 of its bits are meant */
		if (((unsigned long)fs.f_type & 0xffffffffUL) ==
		    LOCAL_FILESYSTEMS[i])
			return 0;
	}
	fault_set(fault, FAULT_CANNOT_CREATE,
	    "%s is on a file system a queue cannot live on (type %lx)", dir,
	    (unsigned long)fs.f_type & 0xffffffffUL);
	fault_why(fault,
	    "network and unknown file systems lack shared memory "
	    "or sound locks");
	fault_hint(fault,
	    "use a local disk, or --any-filesystem if you are "
	    "sure");
	return -1;
}

static int
open_existing(const char *path, struct fault *fault)
{
	struct stat st;
	int fd, error;

	/* O_NONBLOCK: a planted FIFO must not stop us */
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 && (errno == ELOOP || errno == ENXIO || errno == EISDIR))
		return fault_set(fault, FAULT_QUEUE_FOREIGN,
		    "%s is not a regular file", path);
	if (fd == -1)
		return fault_errno(fault, errno, "cannot open %s", path);
	if (fstat(fd, &st)) {
		error = errno;
		close(fd);
		return fault_errno(fault, error, "cannot look at %s", path);
	}
	if (check_plain(path, &st, fault)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Make the file; -2 when it is there already. */
static int
open_new(const char *path, unsigned mode, struct fault *fault)
{
	int fd, error;

	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 && errno == EEXIST)
		return -2;
	if (fd == -1)
		return fault_errno(fault, errno, "cannot create %s", path);
	if (fchmod(fd, (mode_t)mode)) { /* open() obeys the umask */
		error = errno;
		unlink(path);
		close(fd);
		return fault_errno(
		    fault, error, "cannot set the mode of %s", path);
	}
	return fd;
}

int
place_open(const char *path, bool create, unsigned mode, struct fault *fault)
{
	int fd = create ? open_new(path, mode, fault) : -2;

	return fd == -2 ? open_existing(path, fault) : fd;
}

int
place_create(const char *path, unsigned mode, struct fault *fault)
{
	int fd = open_new(path, mode, fault);

	if (fd == -2)
		return fault_errno(fault, EEXIST, "cannot create %s", path);
	return fd;
}

int
place_correct(const char *path, unsigned mode, long gid, struct fault *fault)
{
	char proc[32];
	struct stat st;
	int fd, error = 0;

	/* O_PATH: the name is looked up once and, unlike close() of a full
	 * descriptor, drops none of this process' POSIX locks (H16). */
	if ((fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return fault_errno(fault, errno, "cannot open %s", path);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st)) {
		error = errno;
	} else if (S_ISLNK(st.st_mode) ||
	    (st.st_nlink > 1 && !S_ISDIR(st.st_mode))) {
		close(fd);
		return fault_set(fault, FAULT_QUEUE_FOREIGN,
		    "%s is a link to something else", path);
	} else if (gid >= 0 && st.st_gid != (gid_t)gid &&
	    fchownat(fd, "", (uid_t)-1, (gid_t)gid, AT_EMPTY_PATH)) {
		error = errno;
	} else if ((st.st_mode & 07777) != mode && chmod(proc, (mode_t)mode)) {
		error = errno;
	}
	close(fd);
	if (error != 0)
		return fault_errno(
		    fault, error, "cannot set the mode and group of %s", path);
	return 0;
}

int
place_sync_dir(const char *dir, struct fault *fault)
{
	int fd, error = 0;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return fault_errno(
		    fault, errno, "cannot open the directory %s", dir);
	if (fsync(fd))
		error = errno;
	close(fd);
	if (error != 0)
		return fault_errno(
		    fault, error, "cannot sync the directory %s", dir);
	return 0;
}

int64_t
place_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (int64_t)st.st_size;
}

int64_t
place_free(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return -1;
	return (int64_t)(fs.f_bavail * fs.f_frsize);
}

int64_t
place_disk(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) || fs.f_blocks == 0)
		return -1;
	return (int64_t)(fs.f_blocks * fs.f_frsize);
}
