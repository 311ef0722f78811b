#include "brake.h"

/* The number of the slice that ${steady_ms} falls into. */
static int64_t
slice_of(int64_t span_ms, int64_t steady_ms)
{
	int64_t slice_ms = span_ms / BRAKE_SLICES;

	return steady_ms / (slice_ms > 0 ? slice_ms : 1);
}

void
brake_clear(struct brake *brake)
{
	int i;

	for (i = 0; i < BRAKE_SLICES; i++) {
		brake->slice_at[i] = -1;
		brake->deaths[i] = 0;
	}
}

void
brake_count(
    struct brake *brake, int64_t span_ms, int64_t steady_ms, int64_t deaths)
{
	int64_t slice = slice_of(span_ms, steady_ms);
	int64_t at = slice % BRAKE_SLICES;

	if (brake->slice_at[at] != slice) {
		brake->slice_at[at] = slice;
		brake->deaths[at] = 0;
	}
	brake->deaths[at] += deaths;
}

int64_t
brake_left(
    const struct brake *brake, int64_t most, int64_t span_ms, int64_t steady_ms)
{
	int64_t slice = slice_of(span_ms, steady_ms), died = 0;
	int i;

	if (most <= 0)
		return INT64_MAX;
	for (i = 0; i < BRAKE_SLICES; i++)
		if (brake->slice_at[i] >= 0 &&
		    slice - brake->slice_at[i] < BRAKE_SLICES)
			died += brake->deaths[i];
	return died < most ? most - died : 0;
}
