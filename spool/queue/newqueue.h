#ifndef QUEUE_NEWQUEUE_H
#define QUEUE_NEWQUEUE_H

#include "place.h"

struct config;
struct fault;

/** A queue to be made. */
struct newqueue {
	const struct place *place;
	unsigned mode;               /* of its files */
	long gid;                    /* -1: leave */
	const struct config *config; /* settings to copy in; NULL: defaults */
};

/**
 * newqueue_make(new, fault):
 * Make the queue file and an empty log, whole or not at all, whatever is
 * killed and whenever the power goes: it is made under another name, synced,
 * and then put in its place, which must be free.  To be called in the gate,
 * where others wait before they write, until the directory is synced.  0 or
 * -1; then nothing is left, unless the file has got its place and only what
 * came after failed.
 */
int newqueue_make(const struct newqueue *new, struct fault *fault);

/** Remove what an unfinished newqueue_make() left; in the gate. */
void newqueue_clean(const struct place *place);

#endif
