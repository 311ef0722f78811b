#ifndef PROTOCOL_BACKOFF_H
#define PROTOCOL_BACKOFF_H

#include <stdint.h>

/**
 * backoff_ms(base_ms, max_ms, failures, random):
 * Full jitter: a wait from 0 to min(max_ms, base_ms * 2^(failures - 1)),
 * evenly spread over ${random} (64 random bits).  ${failures} counts from 1;
 * no value overflows.
 */
int64_t backoff_ms(
    int64_t base_ms, int64_t max_ms, unsigned failures, uint64_t random);

/**
 * backoff_probe_ms(least_ms, most_ms, probes, random):
 * The wait before probe number ${probes} (from 1) of a hold: ${least_ms},
 * doubling to ${most_ms}, and up to half of it more, so that many forwarders
 * do not probe together; never below ${least_ms}, never above ${most_ms}.
 */
int64_t backoff_probe_ms(
    int64_t least_ms, int64_t most_ms, unsigned probes, uint64_t random);

#endif
