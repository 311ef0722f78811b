#define _GNU_SOURCE /* OFD locks */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/span.h"
#include "place.h"

/* The lock is on the open file description: a close() of another descriptor
 * of the same file, which would drop a POSIX lock, leaves it. */
struct lock {
	int fd;
};

static struct flock
whole(void)
{
	struct flock range = { 0 };

	range.l_type = F_WRLCK;
	range.l_whence = SEEK_SET;
	return range;
}

/* What the file says of its holder; the holder may be about to write it. */
static void
read_holder(int fd, struct lock_holder *holder)
{
	char buf[64];
	int64_t pid, since;
	ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

	holder->pid = 0;
	holder->since_ms = 0;
	if (len <= 0)
		return;
	buf[len] = '\0';
	if (sscanf(buf, "%" SCNd64 " %" SCNd64, &pid, &since) == 2 && pid > 0) {
		holder->pid = (pid_t)pid;
		holder->since_ms = since;
	}
}

static int
write_holder(int fd)
{
	char buf[64];
	int len = snprintf(buf, sizeof(buf), "%ld %" PRId64 "\n",
	    (long)getpid(), clock_wall_ms());

	if (ftruncate(fd, 0) || pwrite(fd, buf, (size_t)len, 0) != len)
		return -1;
	return 0;
}

static void
say_who(int fd, struct fault *fault)
{
	struct lock_holder holder;
	char at[SPAN_TEXT_SIZE];

	read_holder(fd, &holder);
	if (holder.pid == 0) {
		fault_set(fault, FAULT_FORWARDER_RUNNING,
		    "another forwarder runs on this queue");
		return;
	}
	fault_set(fault, FAULT_FORWARDER_RUNNING,
	    "another forwarder runs on this queue: process %ld since %s",
	    (long)holder.pid, span_print_time(at, holder.since_ms));
}

struct lock *
lock_take(const char *path, struct fault *fault)
{
	struct flock range = whole();
	struct lock *lock;

	if ((lock = calloc(1, sizeof(*lock))) == NULL) {
		fault_errno(fault, ENOMEM, "cannot lock %s", path);
		return NULL;
	}
	if ((lock->fd = place_open(path, true, 0660, fault)) == -1)
		goto free;
	if (fcntl(lock->fd, F_OFD_SETLK, &range)) {
		if (errno == EAGAIN || errno == EACCES)
			say_who(lock->fd, fault);
		else
			fault_errno(fault, errno, "cannot lock %s", path);
		goto close;
	}
	/* A full disk must not keep the forwarder from draining it: without
	 * the pid the lock is as good, only less talkative. */
	(void)write_holder(lock->fd);
	return lock;

close:
	close(lock->fd);
free:
	free(lock);
	return NULL;
}

void
lock_release(struct lock *lock)
{
	if (lock == NULL)
		return;
	if (ftruncate(lock->fd, 0)) {
		/* a name without a lock is read by nobody */
	}
	close(lock->fd);
	free(lock);
}

bool
lock_held(const char *path, struct lock_holder *holder)
{
	struct flock range = whole();
	bool held;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
	if (held && holder != NULL)
		read_holder(fd, holder);
	close(fd);
	return held;
}
