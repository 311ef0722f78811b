#ifndef QUEUE_STATUS_H
#define QUEUE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"
#include "ledger.h"

struct db;

/** What the forwarder last said of itself (table forwarder); -1 and "" for NULL. */
struct status_forwarder {
	int64_t started_at, last_success_at, failing_since, tries;
	char endpoint[LANE_TEXT], last_error[LANE_TEXT];
};

struct status {
	struct ledger_row ledger;
	int64_t held; /* pending rows of held lanes */
	int64_t late; /* pending rows accepted before ${late_before} */
	int64_t oldest_accepted_at, newest_accepted_at; /* -1: nothing pends */
	int64_t db_bytes, wal_bytes, disk_free;
	struct status_forwarder forwarder;
	int64_t gap_ids; /* known to be missing */
	int64_t missing_first,
	    missing_last; /* and not yet in a record; 0: none */
};

/** Gather in one snapshot.  ${late_before} is a time, -1: late is 0.  Within a
 * lane late rows are sought by id, which follows the time of acceptance but
 * near replayed rows and steps of the clock.  0 or -1. */
int status_read(struct db *db, int64_t late_before, struct status *status);

/** How many pending rows were accepted before each of the ${count} times in
 * ${before}, into ${rows}; as exact as late rows are.  0 or -1. */
int status_ages(struct db *db, const int64_t *before, int64_t *rows, int count);

/** Store what the forwarder says of itself, in a bracket.  0 or -1. */
int status_publish(struct db *db, const struct status_forwarder *forwarder);
int status_forwarder_read(struct db *db, struct status_forwarder *forwarder);

/** A pending row, as list and show print it.  Texts live until the callback returns. */
struct pending_row {
	int64_t id, lane_id;
	const char *ns, *region, *account, *metric, *dimensions, *value;
	enum lane_state state;
	int64_t attempts, accepted_at, observed_at, expires_at,
	    origin_id; /* -1: none */
};
struct pending_filter {
	const char *ns_glob, *region_glob, *account_glob,
	    *metric_glob; /* NULL: any */
	const char *dimension_key, *dimension_value;
	int64_t accepted_before, accepted_after; /* -1: any */
	int state;                               /* enum lane_state, -1: any */
};
typedef int pending_visit(void *cookie, const struct pending_row *row);

/** Visit pending rows in id order over all lanes, at most ${limit} (-1: all),
 * paged so that no read transaction is open while ${visit} runs.  What
 * ${visit} returns other than 0 ends the list.  Number visited, or -1. */
int64_t status_list(struct db *db, const struct pending_filter *filter,
    int64_t limit, pending_visit *visit, void *cookie);
/** One pending row by id: 1, 0, -1. */
int status_show(struct db *db, int64_t id, pending_visit *visit, void *cookie);

#endif
