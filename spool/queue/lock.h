#ifndef QUEUE_LOCK_H
#define QUEUE_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;

/** The forwarder's lock (contract.md C10, H16): an OFD lock on a file that
 * holds the pid and the time it was taken. */
struct lock;

struct lock_holder {
	pid_t pid;
	int64_t since_ms;
};

/** Take the lock, or NULL: FAULT_FORWARDER_RUNNING names pid and since when. */
struct lock *lock_take(const char *path, struct fault *fault);
void lock_release(struct lock *lock);

/** Whether somebody holds it (read from the lock, not from the content), and
 * who. */
bool lock_held(const char *path, struct lock_holder *holder);

#endif
