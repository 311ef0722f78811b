#ifndef FORWARD_ISOLATE_H
#define FORWARD_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>

struct batch;

/*
 * Group testing (design.md 6.2): a refused batch is halved until the guilty
 * units stand alone.  A unit is a series, whose rows share the verdict of a
 * shape code, or a row.
 */
enum isolate_by {
	ISOLATE_SERIES,
	ISOLATE_ROWS
};

struct isolation;

/** Start with ${batch}, which was refused as a whole and is taken; or NULL
 * (memory; the batch is freed).  The whole counts as the part last taken. */
struct isolation *isolation_new(struct batch *batch, enum isolate_by by);
void isolation_free(struct isolation *isolation);

/** Take the next part.  Return a batch of its own, or NULL: none is left, or
 * (${failed} set) no memory; then the part stays. */
struct batch *isolation_take(struct isolation *isolation, bool *failed);
/** Units in the part last taken. */
size_t isolation_units(const struct isolation *isolation);
/** The part last taken was refused: its halves come next, earlier rows first.
 * False if it is a single unit, or memory ran out: nothing is queued. */
bool isolation_split(struct isolation *isolation);
/** The part last taken was not judged: it comes again. */
void isolation_return(struct isolation *isolation);
/** Whether all parts were taken. */
bool isolation_empty(const struct isolation *isolation);

/** How many units ${batch} has. */
size_t isolate_count(const struct batch *batch, enum isolate_by by);

#endif
