#ifndef BENCH_OLD_H
#define BENCH_OLD_H

#include <stdint.h>

struct spool;
struct sqlite3;

/**
 * old_make(spool, model, version):
 * Make in ${spool}'s place, where there is nothing yet, a queue as schema
 * ${version} made it, with all that the queue in ${model}'s place holds.
 * Return a connection to it, to be closed; the test ends if it cannot.
 */
struct sqlite3 *old_make(
    const struct spool *spool, const struct spool *model, int version);

#endif
