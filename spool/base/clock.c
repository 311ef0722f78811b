#define _GNU_SOURCE /* CLOCK_BOOTTIME */
#include "clock.h"

#include <time.h>

static int64_t
read_ms(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return -1;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t
clock_steady_ms(void)
{
	int64_t now_ms = -1;

#ifdef CLOCK_BOOTTIME
	now_ms = read_ms(CLOCK_BOOTTIME);
#endif
	return now_ms >= 0 ? now_ms : read_ms(CLOCK_MONOTONIC);
}
