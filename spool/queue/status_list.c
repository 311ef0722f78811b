#include "status.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/text.h"
#include "db.h"
#include "listing.h"

/* Ids that are taken of a lane at a time. */
#define PAGE 256

static const char CHOOSE_LANES[] =
    "SELECT id FROM lane WHERE pending > 0"
    " AND (:state IS NULL OR state = :state)"
    " AND monspool_glob(:namespace, namespace)"
    " AND monspool_glob(:region, region)"
    " AND monspool_glob(:account, account) ORDER BY id";

/* A row whose series is lost is still shown. */
static const char CHOOSE_ROWS[] =
    "SELECT metric.id FROM metric"
    " LEFT JOIN series ON series.id = metric.series_id"
    " LEFT JOIN lane ON lane.id = metric.lane_id"
    " WHERE metric.lane_id = :lane_id AND metric.id > :after"
    " AND (:accepted_before IS NULL"
    "  OR metric.accepted_at < :accepted_before)"
    " AND (:accepted_after IS NULL OR metric.accepted_at > :accepted_after)"
    " AND" LISTING_MATCHES " ORDER BY metric.id LIMIT :limit";

static const char FIND_LANE[] =
    "SELECT lane.id FROM lane WHERE EXISTS (SELECT 1 FROM metric"
    "  WHERE metric.lane_id = lane.id AND metric.id = :id)";

static const char LOAD[] =
    "SELECT lane.namespace, lane.region, lane.account, series.metric,"
    "  series.dimensions, metric.value,"
    "  lane.state, metric.id, metric.lane_id, metric.attempts,"
    "  metric.accepted_at, metric.observed_at, metric.expires_at,"
    "  origin.origin_id"
    " FROM metric LEFT JOIN lane ON lane.id = metric.lane_id"
    " LEFT JOIN series ON series.id = metric.series_id"
    " LEFT JOIN origin ON origin.id = metric.id"
    " WHERE metric.lane_id = :lane_id AND metric.id = :id";
#define LOAD_TEXTS 7

/* Where the list stands in a lane: ids that match and are not shown yet. */
struct position {
	int64_t lane_id, last_id; /* of the ids taken so far */
	struct listing_ids ids;
	size_t next;
	bool ended;
};

struct merge {
	struct db *db;
	const struct pending_filter *filter;
	struct position *positions;
	size_t count;
};

static struct listing_globs
globs_of(const struct pending_filter *filter)
{
	return (struct listing_globs){ .ns = filter->ns_glob,
		.region = filter->region_glob,
		.account = filter->account_glob,
		.metric = filter->metric_glob,
		.dimension_key = filter->dimension_key,
		.dimension_value = filter->dimension_value };
}

static int
choose_lanes(struct merge *merge, struct listing_ids *ids)
{
	const struct pending_filter *filter = merge->filter;
	struct db *db = merge->db;
	struct sqlite3_stmt *stmt;

	if ((stmt = listing_prepare(db, CHOOSE_LANES)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":state",
	    filter->state == -1
		? NULL
		: lane_state_name((enum lane_state)filter->state));
	db_bind_text(db, stmt, ":namespace", filter->ns_glob);
	db_bind_text(db, stmt, ":region", filter->region_glob);
	db_bind_text(db, stmt, ":account", filter->account_glob);
	return listing_add_ids(db, stmt, ids);
}

/* Stand before the first row of each lane. */
static int
start(struct merge *merge)
{
	struct listing_ids lanes = { 0 };
	struct fault fault = { 0 };
	size_t i;
	int failed = choose_lanes(merge, &lanes);

	merge->positions = calloc(lanes.count + 1, sizeof(*merge->positions));
	if (merge->positions == NULL) {
		fault_errno(&fault, ENOMEM, "cannot read the queue");
		failed = db_fail(merge->db, &fault);
	} else {
		merge->count = lanes.count;
	}
	for (i = 0; i < merge->count; i++)
		merge->positions[i].lane_id = lanes.ids[i];
	listing_free_ids(&lanes);
	return failed;
}

static void
end(struct merge *merge)
{
	size_t i;

	for (i = 0; i < merge->count; i++)
		listing_free_ids(&merge->positions[i].ids);
	free(merge->positions);
}

/* Take the next page of ids of a lane. */
static int
refill(struct merge *merge, struct position *position)
{
	const struct pending_filter *filter = merge->filter;
	struct listing_globs globs = globs_of(filter);
	struct db *db = merge->db;
	struct sqlite3_stmt *stmt;

	position->ids.count = position->next = 0;
	if ((stmt = listing_prepare(db, CHOOSE_ROWS)) == NULL)
		return -1;
	listing_bind(db, stmt, &globs);
	db_bind_int(db, stmt, ":lane_id", position->lane_id);
	db_bind_int(db, stmt, ":after", position->last_id);
	db_bind_optional(
	    db, stmt, ":accepted_before", filter->accepted_before, -1);
	db_bind_optional(
	    db, stmt, ":accepted_after", filter->accepted_after, -1);
	db_bind_int(db, stmt, ":limit", PAGE);
	if (listing_add_ids(db, stmt, &position->ids))
		return -1;
	if (position->ids.count > 0)
		position->last_id = position->ids.ids[position->ids.count - 1];
	position->ended = position->ids.count < PAGE;
	return 0;
}

/* Whether the lane has a row to show: 1, 0, -1. */
static int
look(struct merge *merge, struct position *position)
{
	if (position->next == position->ids.count && !position->ended &&
	    refill(merge, position))
		return -1;
	return position->next < position->ids.count;
}

/* The lowest id of all lanes: 1, 0 when there is none, -1. */
static int
next(struct merge *merge, int64_t *lane_id, int64_t *id)
{
	struct position *lowest = NULL, *position;
	size_t i;
	int looked;

	for (i = 0; i < merge->count; i++) {
		position = &merge->positions[i];
		if ((looked = look(merge, position)) == -1)
			return -1;
		if (looked == 1 &&
		    (lowest == NULL ||
			position->ids.ids[position->next] <
			    lowest->ids.ids[lowest->next]))
			lowest = position;
	}
	if (lowest == NULL)
		return 0;
	*lane_id = lowest->lane_id;
	*id = lowest->ids.ids[lowest->next++];
	return 1;
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void
read_row(struct sqlite3_stmt *stmt, const char **texts, struct pending_row *row)
{
	row->ns = or_empty(texts[0]);
	row->region = or_empty(texts[1]);
	row->account = or_empty(texts[2]);
	row->metric = or_empty(texts[3]);
	row->dimensions = or_empty(texts[4]);
	row->value = or_empty(texts[5]);
	row->state = lane_state_named(or_empty(texts[6]));
	row->id = db_column_int(stmt, 7);
	row->lane_id = db_column_int(stmt, 8);
	row->attempts = db_column_int(stmt, 9);
	row->accepted_at = db_column_int(stmt, 10);
	row->observed_at = db_column_optional(stmt, 11, -1);
	row->expires_at = db_column_optional(stmt, 12, -1);
	row->origin_id = db_column_optional(stmt, 13, -1);
}

/* 1 with the row, its texts in ${store}; 0 when it has left; -1. */
static int
load(struct db *db, int64_t lane_id, int64_t id, struct text *store,
    struct pending_row *row)
{
	const char *texts[LOAD_TEXTS];
	struct sqlite3_stmt *stmt;
	int loaded;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", id);
	if ((loaded = listing_load(db, stmt, store, texts, LOAD_TEXTS)) != 1)
		return loaded;
	read_row(stmt, texts, row);
	db_reset(stmt);
	return 1;
}

static int64_t
visit_all(
    struct merge *merge, int64_t limit, pending_visit *visit, void *cookie)
{
	struct text store = { 0 };
	struct pending_row row;
	int64_t visited = 0, lane_id, id;
	int got = 0;

	while (limit == -1 || visited < limit) {
		if ((got = next(merge, &lane_id, &id)) != 1)
			break;
		got = load(merge->db, lane_id, id, &store, &row);
		if (got == -1)
			break;
		if (got == 0)
			continue;
		visited++;
		if (visit(cookie, &row) != 0)
			break;
	}
	text_free(&store);
	return got == -1 ? -1 : visited;
}

int64_t
status_list(struct db *db, const struct pending_filter *filter, int64_t limit,
    pending_visit *visit, void *cookie)
{
	struct merge merge = { .db = db, .filter = filter };
	int64_t visited = -1;

	if (start(&merge) == 0)
		visited = visit_all(&merge, limit, visit, cookie);
	end(&merge);
	return visited;
}

int
status_show(struct db *db, int64_t id, pending_visit *visit, void *cookie)
{
	struct text store = { 0 };
	struct pending_row row;
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	int64_t lane_id;
	int loaded;

	if ((stmt = db_prepare(db, FIND_LANE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	lane_id = db_column_int(stmt, 0);
	db_reset(stmt);
	if ((loaded = load(db, lane_id, id, &store, &row)) == 1)
		visit(cookie, &row);
	text_free(&store);
	return loaded;
}
