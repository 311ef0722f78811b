#define _XOPEN_SOURCE 700
#include "ballast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "place.h"

#define CHUNK 65536
#define PIECE ((int64_t)1024 * 1024) /* that it is given up by */
#define BLOCK 512                    /* the unit of st_blocks */

/* splitmix64: bytes no file system compresses away. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static void
fill(unsigned char *chunk, uint64_t *state)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < CHUNK; i += sizeof(word)) {
		word = next_random(state);
		memcpy(chunk + i, &word, sizeof(word));
	}
}

static uint64_t
seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec ^
	    (uint64_t)getpid() << 16;
}

/* Write at ${from} up to ${to}.  0 or errno. */
static int
append(int fd, int64_t from, int64_t to)
{
	unsigned char *chunk;
	uint64_t state = seed();
	size_t len;
	ssize_t put;
	int error = 0;

	if ((chunk = malloc(CHUNK)) == NULL)
		return ENOMEM;
	while (from < to && error == 0) {
		len = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		fill(chunk, &state);
		put = pwrite(fd, chunk, len, (off_t)from);
		if (put > 0)
			from += put;
		else if (put == -1 && errno != EINTR)
			error = errno;
	}
	free(chunk);
	return error;
}

/* What of the file is really there: a sparse one sets nothing free. */
static int64_t
solid_bytes(const struct stat *st)
{
	if ((int64_t)st->st_blocks * BLOCK < (int64_t)st->st_size)
		return 0;
	return st->st_size;
}

/* Bring the open file to its size.  0 or errno. */
static int
complete(int fd, const char *path, int64_t bytes, int64_t keep_free)
{
	struct stat st;
	int64_t have, vacant;
	int error;

	if (fstat(fd, &st))
		return errno;
	have = solid_bytes(&st);
	if (have > bytes)
		have = bytes;
	if (have != st.st_size && ftruncate(fd, (off_t)have))
		return errno;
	if (have == bytes)
		return 0;
	vacant = place_free(path);
	if (vacant >= 0 && vacant < bytes - have + keep_free)
		return ENOSPC;
	error = append(fd, have, bytes);
	if (error == 0 && fsync(fd)) /* delayed blocks may still not fit */
		error = errno;
	if (error != 0 && ftruncate(fd, (off_t)have)) {
		/* it takes what it took, and is no worse a ballast */
	}
	return error;
}

int64_t
ballast_size(int64_t disk, int64_t reserve)
{
	return disk > 0 && reserve > disk / 4 ? disk / 4 : reserve;
}

int
ballast_make(
    const char *path, int64_t bytes, int64_t keep_free, struct fault *fault)
{
	int fd, error;

	if ((fd = place_open(path, true, 0600, fault)) == -1)
		return -1;
	error = complete(fd, path, bytes, keep_free);
	close(fd);
	if (error == 0)
		return 0;
	if (place_size(path) == 0)
		unlink(path);
	return fault_errno(fault, error, "cannot make the reserve %s", path);
}

/* Cut it to ${keep} bytes.  0 or -1. */
static int
cut(const char *path, int64_t keep)
{
	int failed, fd = place_open(path, false, 0, NULL);

	if (fd == -1)
		return -1;
	failed = ftruncate(fd, (off_t)keep);
	close(fd);
	return failed;
}

int64_t
ballast_release(const char *path, int64_t bytes)
{
	struct stat st;
	int64_t size, keep;

	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	size = (int64_t)st.st_blocks * BLOCK;
	keep = ((int64_t)st.st_size - bytes) / PIECE * PIECE;
	if (keep > 0 && solid_bytes(&st) > 0 && cut(path, keep) == 0)
		return size - keep;
	return unlink(path) ? 0 : size;
}

bool
ballast_ready(const char *path, int64_t bytes)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    solid_bytes(&st) >= bytes;
}
