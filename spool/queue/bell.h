#ifndef QUEUE_BELL_H
#define QUEUE_BELL_H

struct fault;

/*
 * The doorbell (contract.md H20): a FIFO beside the queue.  Both sides open
 * it O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC and check that it is a
 * FIFO, so that a missing or dying reader raises no signal.
 */

/** Make the FIFO with ${mode} if it is missing.  0 or -1. */
int bell_make(const char *path, unsigned mode, struct fault *fault);
/** Open it; -1 with ${fault} (NULL allowed) if that fails. */
int bell_open(const char *path, struct fault *fault);
/** Ring: one byte; every error is ignored. */
void bell_ring(int bell);
/** Open, ring and close; every error is ignored. */
void bell_ring_path(const char *path);
/** Take all rings that wait. */
void bell_drain(int bell);

#endif
