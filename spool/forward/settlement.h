#ifndef FORWARD_SETTLEMENT_H
#define FORWARD_SETTLEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/disposition.h"
#include "queue/attempt.h"

struct batch;
struct core;
struct lane;

/* What becomes of the rows of a request's batch. */
enum fate {
	FATE_STAY, /* pending; one attempt more if the request left */
	FATE_DELIVERED,
	FATE_DIE
};

/* What becomes of a row that was met without a request. */
enum met {
	MET_KIN,     /* its series, or its lane, is doomed up to it */
	MET_EXPIRED, /* over its age limit */
	MET_LATE,    /* too late to be sent, by late.policy */
	MET_DROPPED, /* late, and its series has a newer row */
	MET_DAMAGED,
	MET_UNFIT /* another program put it, unchecked, through SQL */
};

struct met_row {
	int64_t id, series_id;
	enum met met;
};

#define SETTLE_TEXT 264

/*
 * One thing to write down: an answer and its consequences, or rows met on a
 * page that go without a request.  Made by verdict.c and lane.c, written by
 * settle_commit() with all others of the turn.
 */
struct settlement {
	struct settlement *next;
	struct lane *lane;
	struct batch *batch; /* owned; NULL when nothing was sent */
	bool contiguous;     /* the batch is all of the lane in between */
	enum fate fate;
	struct attempt_row attempt;
	char message[SETTLE_TEXT], outcome[64];
	bool ambiguous;
	/* FATE_DIE */
	const char *cause, *scope; /* constants */
	bool alone;
	bool deferred; /* not yet: it becomes a doubt (doubt.h) */
	bool recorded; /* it was one: the request is written down already */
	enum scope blame;
	char contrast[112], evidence[2 * SETTLE_TEXT];
	int64_t suspect_id; /* series that becomes a suspect, 0: none */
	int64_t clear_id;   /* series that is a suspect no more, 0: none */
	bool doom_lane;     /* the lane's rows so far die like this one */
	/* rows met */
	struct met_row *met;
	size_t met_count, met_room;
};

struct settlement *settlement_new(struct lane *lane);
void settlement_free(struct settlement *settlement);
/** Add a row met; 0, or -1 (memory). */
int settlement_meet(
    struct settlement *settlement, int64_t id, int64_t series_id, enum met met);

/** Write it down in the caller's bracket.  Return the rows that left the queue, or -1. */
int64_t settlement_write(struct core *core, struct settlement *settlement);

#endif
