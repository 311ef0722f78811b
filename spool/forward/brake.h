#ifndef FORWARD_BRAKE_H
#define FORWARD_BRAKE_H

#include <stdint.h>

#define BRAKE_SLICES 16

/** How many rows of a lane died lately, in slices of the configured span. */
struct brake {
	int64_t slice_at[BRAKE_SLICES]; /* steady, slice number; -1: empty */
	int64_t deaths[BRAKE_SLICES];
};

void brake_clear(struct brake *brake);
void brake_count(
    struct brake *brake, int64_t span_ms, int64_t steady_ms, int64_t deaths);
/** How many more may die now when ${most} may in ${span_ms}; ${most} 0: any
 * number (INT64_MAX). */
int64_t brake_left(const struct brake *brake, int64_t most, int64_t span_ms,
    int64_t steady_ms);

#endif
