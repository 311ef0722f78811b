#ifndef QUEUE_METRIC_H
#define QUEUE_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/** A queued row; -1 for NULL times.  Texts live until the callback returns. */
struct metric_row {
	int64_t lane_id, id, series_id;
	const char *value;
	size_t value_len;
	int64_t accepted_at, attempts, observed_at, expires_at;
	const char *wire; /* its series' text up to the value */
	size_t wire_len;
	bool replayed; /* it was dead before */
	bool alone;    /* and goes in a request of its own, as a canary */
	bool unfit;    /* wire is NULL: put would not have taken it */
};

/** What metric_insert() stores. */
struct metric_new {
	int64_t lane_id, id, series_id;
	const char *value;
	size_t value_len;
	int64_t accepted_at, observed_at, expires_at; /* -1: not told */
};

/** Insert ${count} rows in the caller's bracket, several a statement.  0 or
 * -1.  Counters are the writer's. */
int metric_insert(struct db *db, const struct metric_new *rows, size_t count);

/** Called for each row; 0 goes on, anything else ends the page.  It must not
 * touch the queue: the page's statement is open meanwhile. */
typedef int metric_visit(void *cookie, const struct metric_row *row);

/**
 * metric_page(db, lane_id, after_id, limit, visit, cookie):
 * Visit up to ${limit} rows of the lane with id > ${after_id} in id order.
 * A row that fails its checks (H10: value text not a JSON number, id or times
 * out of range, no series, or one whose text is not what was stored) is
 * visited with wire NULL, and so is one of another program's making that is
 * unfit to be sent.  The statement is reset before returning.
 * Return the number of rows visited, or -1, after visits or none: also where
 * rows are found out of their order, since nothing can be done to them by
 * their ids (FAULT_CORRUPT).
 */
int metric_page(struct db *db, int64_t lane_id, int64_t after_id, int limit,
    metric_visit *visit, void *cookie);

/** Remove one row, and its origin if it was replayed: an absent one is no
 * failure.  Return rows removed, or -1. */
int64_t metric_remove(struct db *db, int64_t lane_id, int64_t id);
/** The same for a row that lives on elsewhere: its origin stays. */
int64_t metric_take(struct db *db, int64_t lane_id, int64_t id);
/** Remove all rows of the lane from ${first} to ${last}, and their origins.
 * Rows removed, or -1. */
int64_t metric_remove_range(
    struct db *db, int64_t lane_id, int64_t first, int64_t last);
/** The lane's first ids, at most ${count}, below ${below}, ascending, into
 * ${ids}.  How many, or -1. */
int metric_first_ids(
    struct db *db, int64_t lane_id, int64_t below, int64_t *ids, int count);
/** Queue the dead row ${dead_id} again as ${id}, with its times and attempts;
 * the dead one stays, and counters are the caller's.  Rows inserted (0: there
 * is no such row, or its series is lost), or -1. */
int64_t metric_revive(struct db *db, int64_t dead_id, int64_t id);
/** Add one to the attempts of one row, or of a range. 0 or -1. */
int metric_attempted(struct db *db, int64_t lane_id, int64_t id);
int metric_attempted_range(
    struct db *db, int64_t lane_id, int64_t first, int64_t last);
/** accepted_at of the lane's first row (lowest id) and last row; -1 if it has
 * none, -2 failed. */
int64_t metric_first_accepted(struct db *db, int64_t lane_id);
int64_t metric_last_accepted(struct db *db, int64_t lane_id);

#endif
