#ifndef QUEUE_EDIT_H
#define QUEUE_EDIT_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct db;
struct reshape_change;

/** What is done to dead rows, and what came of it. */
struct edit {
	const struct reshape_change *changes;
	size_t change_count;
	const struct config *config; /* the queue's copy: checks as put does */
	int64_t operation_id;
	const char *edited_by;
	int64_t now_ms;
	int64_t edited, unchanged, invalid; /* out: added to */
};

/**
 * edit_rows(db, edit, ids, count):
 * In the caller's bracket, which should hold no more than OPERATION_ROWS:
 * reshape the dead rows ${ids}.  Each keeps its id and all else; the series it
 * had is written down.  Rows that would not pass put's checks stay as they
 * are.  0 or -1.
 */
int edit_rows(
    struct db *db, struct edit *edit, const int64_t *ids, size_t count);

/** What an edit replaced.  Texts live until the callback returns. */
struct edit_row {
	int64_t edited_at, operation_id;
	const char *edited_by;
	const char *ns, *region, *metric, *dimensions; /* as before */
};
typedef int edit_visit(void *cookie, const struct edit_row *row);
/** The edits of row ${row_id}, oldest first; ${visit} must not wait for
 * anybody.  How many, or -1. */
int64_t edit_list(
    struct db *db, int64_t row_id, edit_visit *visit, void *cookie);

/** The lane that the row ${row_id} had before the first edit at or after
 * ${since_at}.  1, 0 (it was not edited), -1. */
int edit_lane_before(
    struct db *db, int64_t row_id, int64_t since_at, int64_t *lane_id);

/* For origin.c, in the caller's bracket.  Each returns 0 or -1. */

/** The row goes, and its records with it. */
int edit_forget(struct db *db, int64_t row_id);
/** So do the replayed rows of the lane from ${first} to ${last}. */
int edit_forget_replayed(
    struct db *db, int64_t lane_id, int64_t first, int64_t last);
/** The row has another id now. */
int edit_follow(struct db *db, int64_t row_id, int64_t new_id);

#endif
