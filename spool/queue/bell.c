#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "place.h"

#define DRAIN_READS 16 /* of 4 KiB: all that a FIFO holds */

static int
not_a_bell(const char *path, struct fault *fault)
{
	return fault_set(fault, FAULT_QUEUE_FOREIGN, "%s is not a FIFO", path);
}

int
bell_open(const char *path, struct fault *fault)
{
	struct stat st;
	int bell;

	bell = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (bell == -1 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
		return not_a_bell(path, fault);
	if (bell == -1)
		return fault_errno(fault, errno, "cannot open %s", path);
	if (fstat(bell, &st) || !S_ISFIFO(st.st_mode) || st.st_nlink > 1) {
		close(bell);
		return not_a_bell(path, fault);
	}
	return bell;
}

int
bell_make(const char *path, unsigned mode, struct fault *fault)
{
	int bell;

	if (mkfifo(path, 0600) == 0) /* which obeys the umask */
		return place_correct(path, mode, -1, fault);
	if (errno != EEXIST)
		return fault_errno(fault, errno, "cannot create %s", path);
	if ((bell = bell_open(path, fault)) == -1)
		return -1;
	close(bell);
	return 0;
}

void
bell_ring(int bell)
{
	int error = errno;

	/* A full FIFO rings already; whatever else fails, the slow poll sees */
	if (bell >= 0 && write(bell, "", 1) == -1)
		errno = error;
}

void
bell_ring_path(const char *path)
{
	int error = errno, bell = bell_open(path, NULL);

	if (bell >= 0) {
		bell_ring(bell);
		close(bell);
	}
	errno = error;
}

void
bell_drain(int bell)
{
	char rings[4096];
	int i;

	/* Bounded: somebody may ring faster than we read (S13) */
	for (i = 0; i < DRAIN_READS; i++)
		if (read(bell, rings, sizeof(rings)) < (ssize_t)sizeof(rings))
			return;
}
