#ifndef RECEIVER_MISHAP_H
#define RECEIVER_MISHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "receiver_request.h"

struct fault;

/*
 * A mishap is a fault on demand, what --fault asks for.  (A struct fault is
 * an error of our own that is told to a person.)
 */
enum mishap_kind {
	MISHAP_CODE,     /* least: the code */
	MISHAP_HTTP,     /* least: the status */
	MISHAP_REFUSE,   /* at the connection */
	MISHAP_OUTAGE,   /* at the connection; least ms out of every most */
	MISHAP_RESET,    /* read, then RST */
	MISHAP_HANG,     /* no answer ever */
	MISHAP_DELAY,    /* least to most ms */
	MISHAP_SLOW,     /* least bytes a second */
	MISHAP_TRUNCATE, /* half the body */
	MISHAP_GARBAGE,  /* bytes that are not JSON */
	MISHAP_CLOSE,    /* read, then closed */
	MISHAP_KINDS
};

struct mishap {
	char label[64]; /* kind and argument as written */
	enum mishap_kind kind;
	int64_t least, most;
	int64_t retry_after; /* seconds, -1: none */
	bool accept;         /* rows that pass the checks are accepted */

	double p;
	int64_t every, after, count, min_rows; /* count 0: no end */
	char namespace[64], metric[64];        /* globs; "": any */

	bool off, scripted;
	int64_t seen, fired;     /* what met the filters; what it happened to */
	int64_t window_began_ms; /* of an outage; -1: not yet */
	uint64_t random;         /* state of this mishap's own generator */
};

/** None is freed before all are: a request keeps what happens to it. */
struct mishaps {
	struct mishap **list;
	size_t count;
	uint64_t seed;
};

/**
 * mishaps_add(mishaps, spec, fault):
 * Add what the SPEC of interface.md section 4 asks for.  Return 0, or -1 with
 * ${fault} (FAULT_USAGE).
 */
int mishaps_add(struct mishaps *mishaps, const char *spec, struct fault *fault);

/** Seed all generators and begin all outages, at the steady time ${now_ms}. */
void mishaps_start(struct mishaps *mishaps, uint64_t seed, int64_t now_ms);
/** Add another one while they are on, as a script does.  0, or -1 with
 * ${fault}. */
int mishaps_add_now(struct mishaps *mishaps, const char *spec, int64_t now_ms,
    struct fault *fault);
/** Switch all off. */
void mishaps_clear(struct mishaps *mishaps);
/** As it was at the start: those of scripts are off, the others on again. */
void mishaps_restart(struct mishaps *mishaps, int64_t now_ms);
void mishaps_free(struct mishaps *mishaps);

/** The first mishap that refuses the connection made at ${now_ms}, or NULL.
 * Every mishap of that kind takes notice of it. */
struct mishap *mishaps_connection(struct mishaps *mishaps, int64_t now_ms);

/** The first mishap that happens to ${request}, or NULL.  Every mishap whose
 * filters it meets counts it, whether or not an earlier one happens. */
struct mishap *mishaps_request(
    struct mishaps *mishaps, const struct request *request);

/** Draw the wait of a delay, and bytes that are not JSON. */
int64_t mishap_delay_ms(struct mishap *mishap);
void mishap_garbage(struct mishap *mishap, char *bytes, size_t len);

/** The forms of a SPEC's KIND, for help, ended by NULL. */
extern const char *const MISHAP_FORMS[];

#endif
