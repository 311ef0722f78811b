#ifndef QUEUE_BALLAST_H
#define QUEUE_BALLAST_H

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct place;

/*
 * A file that is given up when the disk is full, so that draining still works
 * (contract.md H7).  Mode 0600, written with incompressible bytes, not
 * sparse.  Only the forwarder releases it, and makes it again after the
 * drain.
 */

/** What a disk of ${disk} bytes (-1: unknown) can spare of ${reserve}: a quarter
 * of it at most.  Who makes
 * the file and who asks whether it is there go by this. */
int64_t ballast_size(int64_t disk, int64_t reserve);
/** Make or complete the file to ${bytes}; too large a one is cut.  Leaves
 * ${keep_free} bytes free on the file system.  0, or -1 (FAULT_DISK_FULL;
 * what there was of it stays). */
int ballast_make(
    const char *path, int64_t bytes, int64_t keep_free, struct fault *fault);
/** Give up ${bytes} of it or a little more, all of it where little would be left:
 * what is not needed at once another program might take.  Return the bytes set
 * free. */
int64_t ballast_release(const char *path, int64_t bytes);
/** Whether it is there in full. */
bool ballast_ready(const char *path, int64_t bytes);

#endif
