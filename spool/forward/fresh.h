#ifndef FORWARD_FRESH_H
#define FORWARD_FRESH_H

#include <stdbool.h>
#include <stdint.h>

struct lane;

/*
 * late.fresh_share: while late rows drain, a share of the rows sent comes from
 * the lane's fresh end, which begins with the first row that is not late.
 * The drain from the head goes on up to there, and leaves out what the fresh
 * end has sent since the rewind.  late.rate slows the head alone: while it
 * waits for that, the fresh end goes as the account's pace lets it.
 */
struct fresh {
	int64_t share;   /* percent of the rows; 0: off */
	int64_t debt;    /* of the fresh end to the head: rows times 100 */
	int64_t run;     /* requests of the fresh end since one of the head */
	int64_t from_id; /* where its next request begins */
	int64_t first_id, last_id; /* sent since the rewind; 0: none */
	bool out;                  /* one of its requests is */
	bool none;                 /* no row was fresh when last looked */
};

/* Which end of a lane the next rows come from. */
enum fresh_end {
	FRESH_FAILED,  /* the queue cannot be read */
	FRESH_NEITHER, /* the head waits for late.rate, and no row is fresh */
	FRESH_HEAD,
	FRESH_END
};

/** Whether the fresh end may have rows to send, whatever late.rate says. */
bool fresh_may_go(const struct lane *lane);
/**
 * fresh_choose(lane):
 * Which end has its turn, by a few looks into the queue.  Without anything
 * fresh to send that is the head, whose pace is the caller's to mind.
 */
enum fresh_end fresh_choose(struct lane *lane);
/** A request of ${rows} rows of that end went. */
void fresh_count(struct lane *lane, bool fresh, int64_t rows);
/** The rows from ${first_id} to ${last_id} went, from the fresh end. */
void fresh_sent(struct lane *lane, int64_t first_id, int64_t last_id);
/** Nothing is out: the fresh end may begin elsewhere. */
void fresh_rewind(struct lane *lane);

#endif
