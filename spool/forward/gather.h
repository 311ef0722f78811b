#ifndef FORWARD_GATHER_H
#define FORWARD_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"

struct envelope;
struct settlement;

/* What a page comes to: rows for one request, and rows that go without. */
struct gather {
	struct lane *lane;
	struct batch *batch;
	struct settlement *met;
	enum errand errand;
	int64_t wall_ms;
	int64_t deaths_left; /* how many rows may die without a request */
	bool fresh;          /* the page begins at the lane's fresh end */
	bool braked;         /* one more would have */
	bool sweep;          /* late rows are to be swept first */
	bool late;           /* the batch begins with a late row */
	bool failed;
};

/** Read the head of the lane into ${gather}, whose lane, errand and wall_ms
 * are set.  0, or -1 when the queue or memory failed; the batch and what was
 * met are the caller's either way. */
int gather_rows(struct gather *gather);
/** Rows of ${lane} could not be read: note whether that is damage, which stays. */
void gather_note_trouble(struct lane *lane);

/** Who sends what to where, for ${lane}; lives as long as settings and keys. */
void gather_envelope(const struct lane *lane, struct envelope *envelope);

#endif
