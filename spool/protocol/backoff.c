#include "backoff.h"

/* ${base_ms} doubled ${times} times, never above ${max_ms}, never below 0. */
static int64_t
doubled(int64_t base_ms, int64_t max_ms, unsigned times)
{
	int64_t wait_ms = base_ms;

	if (base_ms <= 0 || max_ms <= 0)
		return 0;
	/* It ends after 62 rounds at most, since a wait of 1 ms is the least. */
	for (; times > 0 && wait_ms < max_ms; times--)
		wait_ms = wait_ms > max_ms / 2 ? max_ms : 2 * wait_ms;
	return wait_ms < max_ms ? wait_ms : max_ms;
}

/* A value from 0 to ${most}; the bias of the remainder is below 2^-20 for
 * every wait shorter than centuries. */
static int64_t
spread(int64_t most, uint64_t random)
{
	return (int64_t)(random % ((uint64_t)most + 1));
}

int64_t
backoff_ms(int64_t base_ms, int64_t max_ms, unsigned failures, uint64_t random)
{
	unsigned times = failures > 0 ? failures - 1 : 0;

	return spread(doubled(base_ms, max_ms, times), random);
}

int64_t
backoff_probe_ms(
    int64_t least_ms, int64_t most_ms, unsigned probes, uint64_t random)
{
	unsigned times = probes > 0 ? probes - 1 : 0;
	int64_t wait_ms = doubled(least_ms, most_ms, times);
	int64_t high_ms = most_ms, low_ms;

	if (wait_ms < most_ms - wait_ms / 2)
		high_ms = wait_ms + wait_ms / 2;
	if (high_ms <= 0 || wait_ms == 0)
		return 0;
	low_ms = high_ms - high_ms / 3;
	if (low_ms < least_ms)
		low_ms = least_ms < high_ms ? least_ms : high_ms;
	return low_ms + spread(high_ms - low_ms, random);
}
