#ifndef BENCH_PROGRAM_H
#define BENCH_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The real programs, as children of a test.  What they say is thrown away,
 * and those still there when the test ends are killed with it.
 */

/** Start the program at ${args}[0], in an environment without settings. */
pid_t program_start(char *const args[]);
/** Wait until it is over: its exit status, or -1 where a signal ended it. */
int program_end(pid_t pid);
/** SIGKILL it now, and wait; return as program_end(). */
int program_kill(pid_t pid);
/** SIGTERM it, and wait. */
int program_stop(pid_t pid);
/** Whether it still runs; it stays to be waited for. */
bool program_runs(pid_t pid);

/** Start monspool-receiver with ${args} besides, to be found at ${port}. */
pid_t program_receiver(const char *dir, char *const args[], int *port);

#endif
