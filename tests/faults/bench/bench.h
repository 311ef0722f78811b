#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What every fault test needs: chance that can be repeated, a place to work
 * in, and a way to stop.
 */

/** Begin: a test that hangs is ended after five minutes, or 90 of torture.
 * Return the seed: ${argv}[1], or MONSPOOL_SEED, or one of this moment.  The
 * test prints it, so that a failure can be repeated. */
uint64_t bench_start(int argc, char **argv);
/** Whether the large counts are asked for (MONSPOOL_TORTURE=1). */
bool bench_torture(void);
/** ${small}, or with MONSPOOL_TORTURE=1 ${large}; under a sanitizer, which is
 * some twenty times slower, a twentieth of it. */
int64_t bench_count(int64_t small, int64_t large);

/** The next 64 bits after ${state}. */
uint64_t bench_random(uint64_t *state);
/** One of 0 .. ${bound} - 1. */
int bench_below(uint64_t *state, int bound);

#define BENCH_DIR 64
/** A new directory, in memory where there is /dev/shm. */
void bench_dir(char dir[BENCH_DIR]);
/** Remove it with the files in it. */
void bench_remove_dir(const char *dir);

/** CPU seconds this process has used. */
double bench_cpu(void);

/** Say why the test cannot go on, and exit 1. */
void bench_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
