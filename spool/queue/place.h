#ifndef QUEUE_PLACE_H
#define QUEUE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

#define PLACE_PATH 512

/** The queue file and what lies beside it. */
struct place {
	char dir[PLACE_PATH];  /* "." where the path has none */
	char file[PLACE_PATH]; /* queue.db */
	char wal[PLACE_PATH], shm[PLACE_PATH];
	char gate[PLACE_PATH]; /* writers' turnstile and mark */
	char lock[PLACE_PATH]; /* the forwarder's */
	char bell[PLACE_PATH]; /* FIFO */
	char ballast[PLACE_PATH];
};

/** Derive all paths from that of the queue file.  Return 0, or -1 (too
 * long, empty, ends in '/'). */
int place_of(struct place *place, const char *path, struct fault *fault);

/**
 * place_check(place, fault):
 * Refuse a queue that is unsafe or absent (contract.md S1, S3): a missing
 * file is FAULT_QUEUE_MISSING with the init line as hint; a symbolic link,
 * not a regular file, or more than one hard link (of database, WAL or its
 * index) FAULT_QUEUE_FOREIGN; a directory that fails place_check_dir(), and a
 * file we may not read and write, FAULT_NO_PERMISSION, the latter with the
 * group to join as hint.  Only looks: opening and closing the database here
 * would drop SQLite's locks (H16).
 */
int place_check(const struct place *place, struct fault *fault);

/** Whether nobody but root, ${file_owner} and the caller can replace what is
 * in ${dir}, save its group: it must not be world-writable (sticky or not) and
 * must belong to one of them.  0, or -1 with FAULT_NO_PERMISSION. */
int place_check_dir(const char *dir, unsigned file_owner, struct fault *fault);

/** Whether ${dir} is on a file system a queue may live on (contract.md H17):
 * 0, or -1 with FAULT_CANNOT_CREATE. */
int place_check_filesystem(const char *dir, struct fault *fault);

/**
 * place_open(path, create, mode, fault):
 * Open a file of ours beside the queue: O_RDWR|O_NOFOLLOW|O_CLOEXEC, regular,
 * one link; with ${create} it is made (O_EXCL first, then fchmod to ${mode},
 * whatever the umask).  Return the descriptor, or -1.
 */
int place_open(
    const char *path, bool create, unsigned mode, struct fault *fault);

/** As place_open(), but the file must not exist (errno EEXIST in ${fault}). */
int place_create(const char *path, unsigned mode, struct fault *fault);

/** Set the mode of ${path}, and its group unless ${gid} is -1, following no
 * link and opening no data; what is right already is left alone.  0 or -1. */
int place_correct(
    const char *path, unsigned mode, long gid, struct fault *fault);

/** fsync the directory ${dir} and say so if that fails (H11): 0 or -1. */
int place_sync_dir(const char *dir, struct fault *fault);

/** Length of the file, 0 when it is missing. */
int64_t place_size(const char *path);
/** Bytes free to us on the file system of ${path}, or -1. */
int64_t place_free(const char *path);
/** Bytes that it has in all, or -1. */
int64_t place_disk(const char *path);

#endif
