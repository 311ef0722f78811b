#include "pace.h"

#define LOWER_TO 0.7 /* of what was learned */
#define NEAR_CEILING 0.9
#define RAISE 0.2 /* of the rate, a window, while below the ceiling */
#define RAISE_SLOWLY 0.02
#define LEAST 0.1      /* units a window */
#define RAMP_FIRST 8.0 /* units a second */
#define RAMP_DONE 1000.0
#define FORGET 10000.0 /* learned beyond this under no set rate: no limit */

void
pace_start(struct pace *pace, double set, double burst, int64_t window_ms,
    int64_t steady_ms)
{
	*pace = (struct pace){ .set = set,
		.burst = burst < 1 ? 1 : burst,
		.least = LEAST * 1e3 / (double)window_ms,
		.filled_ms = steady_ms,
		.lowered_ms = -1,
		.window_ms = window_ms,
		.window_at = steady_ms };
	pace->tokens = pace->burst;
}

static double
lesser(double rate, double limit)
{
	if (limit <= 0)
		return rate;
	return rate <= 0 || limit < rate ? limit : rate;
}

double
pace_rate(const struct pace *pace)
{
	return lesser(lesser(pace->set, pace->learned), pace->ramp);
}

/* A learned rate allows no more at once than it does in a window. */
static double
most_tokens(const struct pace *pace)
{
	double most = pace->burst, share;

	if (pace->learned > 0 || pace->ramp > 0) {
		share = pace_rate(pace) * (double)pace->window_ms / 1e3 / 4;
		most = share < 1 ? 1 : share < most ? share : most;
	}
	return most;
}

static void
fill(struct pace *pace, int64_t steady_ms)
{
	double most = most_tokens(pace);

	pace->tokens += (double)(steady_ms - pace->filled_ms) / 1e3 *
	    pace_rate(pace);
	pace->filled_ms = steady_ms;
	if (pace->tokens > most)
		pace->tokens = most;
}

int64_t
pace_ready_at(struct pace *pace, int64_t steady_ms)
{
	double rate = pace_rate(pace), missing;

	if (rate <= 0)
		return steady_ms;
	fill(pace, steady_ms);
	/* A little less than one: what was waited for was rounded. */
	if ((missing = 1 - 1e-6 - pace->tokens) <= 0)
		return steady_ms;
	pace->limited = true;
	return steady_ms + 1 + (int64_t)(missing / rate * 1e3);
}

void
pace_spend(struct pace *pace, int64_t steady_ms, double units)
{
	if (pace_rate(pace) <= 0)
		return;
	fill(pace, steady_ms);
	pace->tokens -= units;
}

static void
observe(struct pace *pace, int64_t steady_ms)
{
	int64_t past_ms = steady_ms - pace->window_at;

	if (past_ms < pace->window_ms)
		return;
	pace->in_last = past_ms < 2 * pace->window_ms ? pace->in_window : 0;
	pace->in_window = 0;
	pace->window_at = steady_ms;
}

void
pace_accepted(struct pace *pace, int64_t steady_ms, double units)
{
	double raise;

	observe(pace, steady_ms);
	pace->in_window += units;
	if (pace->ramp > 0 && (pace->ramp *= 2) > RAMP_DONE)
		pace->ramp = 0;
	if (pace->learned <= 0 || !pace->limited)
		return;
	pace->limited = false;
	raise = RAISE;
	if (pace->ceiling > 0 && pace->learned > pace->ceiling * NEAR_CEILING)
		raise = RAISE_SLOWLY;
	pace->learned += raise * units * 1e3 / (double)pace->window_ms;
	if ((pace->set > 0 && pace->learned >= pace->set) ||
	    pace->learned > FORGET)
		pace->learned = 0;
}

/* Units a second that were accepted lately. */
static double
accepted_rate(const struct pace *pace)
{
	double most = pace->in_window > pace->in_last ? pace->in_window
						      : pace->in_last;

	return most * 1e3 / (double)pace->window_ms;
}

void
pace_throttled(struct pace *pace, int64_t steady_ms)
{
	double before, taken;

	observe(pace, steady_ms);
	fill(pace, steady_ms);
	if (pace->tokens > 0)
		pace->tokens = 0;
	/* Requests that were out together are refused together. */
	before = pace->learned;
	if (before > 0 && pace->lowered_ms >= 0 &&
	    (double)(steady_ms - pace->lowered_ms) < 2e3 / before &&
	    steady_ms - pace->lowered_ms < pace->window_ms)
		return;
	pace->lowered_ms = steady_ms;
	taken = accepted_rate(pace) * NEAR_CEILING;
	pace->learned = before > 0 ? before * LOWER_TO
				   : lesser(taken, pace->set);
	if (pace->learned < pace->least)
		pace->learned = pace->least;
	/* Where nothing was accepted nobody knows yet how much is too much. */
	pace->ceiling = before > 0 ? before
	    : taken >= pace->least ? pace->learned
				   : 0;
}

void
pace_ramp(struct pace *pace, int64_t steady_ms)
{
	pace->ramp = RAMP_FIRST;
	fill(pace, steady_ms);
}
