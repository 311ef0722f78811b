#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "border.h"
#include "cell.h"
#include "db.h"
#include "metric.h"

/* Lanes that are looked at together. */
#define LANES 64

static const char GAPS[] =
    "SELECT ifnull(sum(last_id - first_id + 1), 0) FROM gap";

static const char COUNT_FROM[] = "SELECT count(*) FROM metric"
				 " WHERE lane_id = :lane_id AND id >= :id";
static const char COUNT_BELOW[] = "SELECT count(*) FROM metric"
				  " WHERE lane_id = :lane_id AND id < :id";

static const char PUBLISH[] =
    "UPDATE forwarder SET started_at = :started_at,"
    "  last_success_at = :last_success_at, endpoint = :endpoint,"
    "  last_error = :last_error, failing_since = :failing_since,"
    "  tries = :tries WHERE id = 1";

static const char READ_FORWARDER[] =
    "SELECT started_at, last_success_at, failing_since, tries, endpoint,"
    "  last_error FROM forwarder WHERE id = 1";

static int
count(
    struct db *db, const char *sql, int64_t lane_id, int64_t id, int64_t *rows)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", id);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	*rows = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

/* Rows of the lane below ${border}, counted on its shorter side. */
static int
count_below(struct db *db, const struct lane_row *lane, int64_t first,
    int64_t last, int64_t border, int64_t *late)
{
	int64_t counted;

	if (border - first <= last - border)
		return count(db, COUNT_BELOW, lane->id, border, late);
	if (count(db, COUNT_FROM, lane->id, border, &counted))
		return -1;
	*late = lane->pending - counted;
	return 0;
}

static int
count_late(struct db *db, const struct lane_row *lane, int64_t late_before,
    int64_t *late)
{
	int64_t first, last, border;

	*late = 0;
	if (border_ends(db, lane->id, &first, &last))
		return -1;
	if (first == -1)
		return 0;
	if (border_find(db, lane->id, late_before, first, last + 1, &border))
		return -1;
	if (border > first)
		return count_below(db, lane, first, last, border, late);
	return 0;
}

static int
add_lane(struct db *db, const struct lane_row *lane, int64_t late_before,
    struct status *status)
{
	int64_t first, last, late = 0;

	if (lane->pending == 0)
		return 0;
	if (lane->state == LANE_HELD)
		status->held += lane->pending;
	first = metric_first_accepted(db, lane->id);
	last = metric_last_accepted(db, lane->id);
	if (first == -2 || last == -2)
		return -1;
	if (first != -1 &&
	    (status->oldest_accepted_at == -1 ||
		first < status->oldest_accepted_at))
		status->oldest_accepted_at = first;
	if (last > status->newest_accepted_at)
		status->newest_accepted_at = last;
	if (late_before != -1 && count_late(db, lane, late_before, &late))
		return -1;
	status->late += late;
	return 0;
}

static int
add_lanes(struct db *db, int64_t late_before, struct status *status)
{
	struct lane_row *lanes = calloc(LANES, sizeof(*lanes));
	struct fault fault = { 0 };
	int64_t after = 0;
	int count = 0, i;

	if (lanes == NULL) {
		fault_errno(&fault, ENOMEM, "cannot read the queue");
		return db_fail(db, &fault);
	}
	while ((count = lane_list(db, after, lanes, LANES)) > 0) {
		for (i = 0; i < count; i++)
			if (add_lane(db, &lanes[i], late_before, status))
				goto fail;
		after = lanes[count - 1].id;
	}
	free(lanes);
	return count;

fail:
	free(lanes);
	return -1;
}

static int
read_gaps(struct db *db, int64_t *ids)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, GAPS)) == NULL ||
	    db_step(db, stmt) != DB_ROW)
		return -1;
	*ids = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

static int
gather(struct db *db, int64_t late_before, int64_t mark, struct status *status)
{
	return ledger_read(db, &status->ledger) ||
		add_lanes(db, late_before, status) ||
		status_forwarder_read(db, &status->forwarder) ||
		read_gaps(db, &status->gap_ids) ||
		ledger_find_missing(
		    db, mark, &status->missing_first, &status->missing_last)
	    ? -1
	    : 0;
}

int
status_read(struct db *db, int64_t late_before, struct status *status)
{
	int64_t mark = ledger_mark(db);
	int failed;

	memset(status, 0, sizeof(*status));
	status->oldest_accepted_at = status->newest_accepted_at = -1;
	if (db_begin_read(db))
		return -1;
	failed = gather(db, late_before, mark, status);
	db_end_read(db);
	status->db_bytes = place_size(db_place(db)->file);
	status->wal_bytes = db_wal_bytes(db);
	status->disk_free = place_free(db_place(db)->dir);
	return failed;
}

/* Add the rows of all lanes that were accepted before ${before}. */
static int
count_before(struct db *db, int64_t before, int64_t *rows)
{
	struct lane_row *lane = malloc(sizeof(*lane));
	struct fault fault = { 0 };
	int64_t after = 0, older;
	int listed;

	if (lane == NULL) {
		fault_errno(&fault, ENOMEM, "cannot read the queue");
		return db_fail(db, &fault);
	}
	*rows = 0;
	while ((listed = lane_list(db, after, lane, 1)) == 1) {
		after = lane->id;
		if (count_late(db, lane, before, &older)) {
			listed = -1;
			break;
		}
		*rows += older;
	}
	free(lane);
	return listed;
}

int
status_ages(struct db *db, const int64_t *before, int64_t *rows, int count)
{
	int failed = 0, i;

	if (db_begin_read(db))
		return -1;
	for (i = 0; i < count && !failed; i++)
		failed = count_before(db, before[i], &rows[i]);
	db_end_read(db);
	return failed;
}

int
status_publish(struct db *db, const struct status_forwarder *forwarder)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, PUBLISH)) == NULL)
		return -1;
	db_bind_optional(db, stmt, ":started_at", forwarder->started_at, -1);
	db_bind_optional(
	    db, stmt, ":last_success_at", forwarder->last_success_at, -1);
	db_bind_text(db, stmt, ":endpoint", cell_or_null(forwarder->endpoint));
	db_bind_text(
	    db, stmt, ":last_error", cell_or_null(forwarder->last_error));
	db_bind_optional(
	    db, stmt, ":failing_since", forwarder->failing_since, -1);
	db_bind_int(db, stmt, ":tries", forwarder->tries);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
status_forwarder_read(struct db *db, struct status_forwarder *forwarder)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	memset(forwarder, 0, sizeof(*forwarder));
	forwarder->started_at = forwarder->last_success_at = -1;
	forwarder->failing_since = -1;
	if ((stmt = db_prepare(db, READ_FORWARDER)) == NULL)
		return -1;
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	forwarder->started_at = db_column_optional(stmt, 0, -1);
	forwarder->last_success_at = db_column_optional(stmt, 1, -1);
	forwarder->failing_since = db_column_optional(stmt, 2, -1);
	forwarder->tries = db_column_int(stmt, 3);
	cell_copy(forwarder->endpoint, sizeof(forwarder->endpoint), stmt, 4);
	cell_copy(
	    forwarder->last_error, sizeof(forwarder->last_error), stmt, 5);
	db_reset(stmt);
	return 0;
}
