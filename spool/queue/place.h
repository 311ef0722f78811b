#ifndef QUEUE_PLACE_H
#define QUEUE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

#define PLACE_PATH 512

/** The queue file and what lies beside it. */
struct place {
	char dir[PLACE_PATH];   /* "." where the path has none */
	char file[PLACE_PATH];  /* queue.db */
	char wal[PLACE_PATH], shm[PLACE_PATH];
	char gate[PLACE_PATH];  /* writers' turnstile and mark */
	char lock[PLACE_PATH];  /* the forwarder's */
	char bell[PLACE_PATH];  /* FIFO */
	char ballast[PLACE_PATH];
};

/** Derive all paths from that of the queue file.  Return 0, or -1 (too
 * long, empty, ends in '/'). */
int place_of(struct place *place, const char *path, struct fault *fault);

/**
 * place_check(place, fault):
 * Refuse a queue that is unsafe or absent (contract.md S1, S3): missing file
 * FAULT_QUEUE_MISSING with the init line as hint; symbolic link, not a regular file,
 * more than one hard link: FAULT_QUEUE_FOREIGN; directory world-writable without... any
 * world-writable directory, or owned by neither root nor the owner of the file nor the
 * caller: FAULT_NO_PERMISSION; an unreadable or unwritable file: FAULT_NO_PERMISSION
 * with the group to join as hint.
 */
int place_check(const struct place *place, struct fault *fault);

/** Whether ${dir} is on a file system a queue may live on (contract.md H17): 0, or
 * -1 with FAULT_CANNOT_CREATE. */
int place_check_filesystem(const char *dir, struct fault *fault);

/**
 * place_open(path, create, mode, fault):
 * Open a file of ours beside the queue: O_RDWR|O_NOFOLLOW|O_CLOEXEC, regular,
 * one link; with ${create} it is made (O_EXCL first, then fchmod to ${mode},
 * whatever the umask).  Return the descriptor, or -1.
 */
int place_open(
    const char *path, bool create, unsigned mode, struct fault *fault);

/** fsync the directory ${dir} and say so if that fails (H11): 0 or -1. */
int place_sync_dir(const char *dir, struct fault *fault);

/** Length of the file, 0 when it is missing. */
int64_t place_size(const char *path);
/** Bytes free to us on the file system of ${path}, or -1. */
int64_t place_free(const char *path);

#endif
