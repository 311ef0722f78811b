#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/** Wall time, Unix milliseconds (CLOCK_REALTIME).  May jump. */
int64_t clock_wall_ms(void);

/** Time that only moves forward, milliseconds (CLOCK_BOOTTIME, or
 * CLOCK_MONOTONIC where that is missing).  For durations. */
int64_t clock_steady_ms(void);

#endif
