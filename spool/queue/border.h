#ifndef QUEUE_BORDER_H
#define QUEUE_BORDER_H

#include <stdbool.h>
#include <stdint.h>

struct db;

/*
 * Where in a lane the late rows end.  Ids follow the time of acceptance, but
 * for a clock that was set back: near such rows the border is one of several,
 * and never a scan.  Replayed rows are not late, however old: who asked for
 * the replay knows (forward/gather.c sees them so, too).
 */

struct border_row {
	int64_t id, accepted_at;
	bool replayed;
};

/** The lane's first row with an id of at least ${from}: 1, 0 (none), -1. */
int border_row(
    struct db *db, int64_t lane_id, int64_t from, struct border_row *row);
/** The lane's lowest and highest id, from 0 to below INT64_MAX; -1: it has no
 * rows.  0 or -1. */
int border_ends(struct db *db, int64_t lane_id, int64_t *first, int64_t *last);

/** Whether a row accepted before ${late_before} is late. */
bool border_is_late(const struct border_row *row, int64_t late_before);

/**
 * border_find(db, lane_id, late_before, low, high, border):
 * The id from ${low} on, ${high} if there is none below that, where the rows
 * begin that are not late: with as many looks as it takes to halve the span.
 * 0 or -1.
 */
int border_find(struct db *db, int64_t lane_id, int64_t late_before,
    int64_t low, int64_t high, int64_t *border);

#endif
