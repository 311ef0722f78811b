#ifndef FORWARD_PACE_H
#define FORWARD_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How fast units (requests, or rows) may go: a token bucket at the rate that
 * is set, or at a lower one that was learned from refusals (design.md 6.4).
 * A refusal lowers the rate to what was accepted lately, then by a third;
 * acceptance raises it again, quickly up to where the last refusal came, or
 * the next where that is not known, slowly beyond.  Tokens may be owed: who
 * spends more than there are waits the longer.
 */
struct pace {
	double set;     /* units a second; 0: unlimited */
	double burst;   /* tokens that can be saved up */
	double least;   /* units a second: nothing lower is learned */
	double learned; /* units a second; 0: nothing was learned */
	double ceiling; /* learned when the last refusal came; 0: unknown */
	double ramp;    /* units a second while starting again; 0: done */
	double tokens;
	int64_t filled_ms;  /* steady: when tokens was right */
	int64_t lowered_ms; /* steady: the latest lowering; -1: none */
	int64_t window_ms;  /* over which acceptance is observed */
	int64_t window_at;  /* steady: when the running one began */
	double in_window, in_last;
	bool
	    limited; /* something waited for tokens since the last acceptance */
};

/** A full bucket; ${window_ms}: 1 s for requests, 60 s for rows. */
void pace_start(struct pace *pace, double set, double burst, int64_t window_ms,
    int64_t steady_ms);
/** Units a second in force; 0: unlimited. */
double pace_rate(const struct pace *pace);
/** When the next may go, steady; a time that has come means now. */
int64_t pace_ready_at(struct pace *pace, int64_t steady_ms);
void pace_spend(struct pace *pace, int64_t steady_ms, double units);
void pace_accepted(struct pace *pace, int64_t steady_ms, double units);
/** Refused for its pace. */
void pace_throttled(struct pace *pace, int64_t steady_ms);
/** The way is open again after an outage: begin slowly, doubling. */
void pace_ramp(struct pace *pace, int64_t steady_ms);

#endif
