#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdint.h>

/** How a command ended. */
struct child {
	int error;       /* errno where it could not be started, or 0 */
	int exit;        /* as a shell tells it: 128+signal, 126, 127 */
	int64_t took_ms; /* from its start to its end */
};

/**
 * child_run(argv, child):
 * Run ${argv}, found on the PATH, without a shell, and wait for its end.  It
 * inherits everything: descriptors, environment, the signals that are ignored.
 * Signals that somebody sends to this process meanwhile are passed on to it;
 * those of the terminal it gets itself.  They stay blocked here afterwards.
 */
void child_run(char *const argv[], struct child *child);

#endif
