#include "deadletter.h"

#include <stddef.h>

#include "base/text.h"
#include "db.h"
#include "listing.h"

/* Each parameter narrows unless it is NULL. */
#define CHOOSE \
	"SELECT dead_letter.id FROM dead_letter" \
	" LEFT JOIN series ON series.id = dead_letter.series_id" \
	" LEFT JOIN lane ON lane.id = series.lane_id" \
	" LEFT JOIN origin ON origin.id = dead_letter.id" \
	" WHERE dead_letter.id BETWEEN :first_id AND :last_id" \
	" AND (:codes IS NULL OR EXISTS (SELECT 1" \
	"  FROM json_each(:codes) AS chosen" \
	"  WHERE chosen.value IS dead_letter.code))" \
	" AND (:causes IS NULL OR EXISTS (SELECT 1" \
	"  FROM json_each(:causes) AS chosen" \
	"  WHERE chosen.value = dead_letter.cause))" \
	" AND (:since IS NULL OR dead_letter.died_at >= :since)" \
	" AND (:until IS NULL OR dead_letter.died_at <= :until)" \
	" AND (:accepted_before IS NULL" \
	"  OR dead_letter.accepted_at < :accepted_before)" \
	" AND (:accepted_after IS NULL" \
	"  OR dead_letter.accepted_at > :accepted_after)" \
	" AND (:replays IS NULL OR ifnull(origin.replays, 0) >= :replays)" \
	" AND (:operation IS NULL OR EXISTS (SELECT 1 FROM operation_group" \
	"   WHERE operation_group.id = origin.group_id" \
	"   AND operation_group.operation_id = :operation)" \
	"  OR EXISTS (SELECT 1 FROM edit WHERE edit.row_id = dead_letter.id" \
	"   AND edit.operation_id = :operation))" \
	" AND" LISTING_MATCHES

static const char CHOOSE_BY_ID[] = CHOOSE
    " ORDER BY dead_letter.id LIMIT :limit";
static const char CHOOSE_BY_AGE[] = CHOOSE
    " ORDER BY dead_letter.died_at, dead_letter.id LIMIT :limit";
static const char CHOOSE_BY_CODE[] = CHOOSE
    " ORDER BY dead_letter.code, dead_letter.id LIMIT :limit";

static const char *const CHOICES[] = {
	[DEADLETTER_BY_ID] = CHOOSE_BY_ID,
	[DEADLETTER_BY_AGE] = CHOOSE_BY_AGE,
	[DEADLETTER_BY_CODE] = CHOOSE_BY_CODE,
};

/* Texts first; LOAD_ names their columns, and those of the numbers. */
static const char LOAD[] =
    "SELECT lane.namespace, lane.region, lane.account, series.metric,"
    "  series.dimensions, dead_letter.value, dead_letter.cause,"
    "  dead_letter.scope, dead_letter.message, dead_letter.contrast,"
    "  dead_letter.evidence,"
    "  dead_letter.id, dead_letter.series_id, dead_letter.code,"
    "  dead_letter.attempts, dead_letter.accepted_at,"
    "  dead_letter.observed_at, dead_letter.expires_at, dead_letter.died_at,"
    "  origin.replays, origin.origin_id, dead_letter.http_status,"
    "  dead_letter.attempt_id, dead_letter.alone, series.lane_id"
    " FROM dead_letter"
    " LEFT JOIN series ON series.id = dead_letter.series_id"
    " LEFT JOIN lane ON lane.id = series.lane_id"
    " LEFT JOIN origin ON origin.id = dead_letter.id"
    " WHERE dead_letter.id = :id";

enum load_column {
	LOAD_NAMESPACE,
	LOAD_REGION,
	LOAD_ACCOUNT,
	LOAD_METRIC,
	LOAD_DIMENSIONS,
	LOAD_VALUE,
	LOAD_CAUSE,
	LOAD_SCOPE,
	LOAD_MESSAGE,
	LOAD_CONTRAST,
	LOAD_EVIDENCE,
	LOAD_TEXTS,
	LOAD_ID = LOAD_TEXTS,
	LOAD_SERIES_ID,
	LOAD_CODE,
	LOAD_ATTEMPTS,
	LOAD_ACCEPTED_AT,
	LOAD_OBSERVED_AT,
	LOAD_EXPIRES_AT,
	LOAD_DIED_AT,
	LOAD_REPLAYS,
	LOAD_ORIGIN_ID,
	LOAD_HTTP_STATUS,
	LOAD_ATTEMPT_ID,
	LOAD_ALONE,
	LOAD_LANE_ID
};

static void
bind_filter(struct db *db, struct sqlite3_stmt *stmt,
    const struct deadletter_filter *filter)
{
	const struct listing_globs globs = { .ns = filter->ns_glob,
		.region = filter->region_glob,
		.account = filter->account_glob,
		.metric = filter->metric_glob,
		.dimension_key = filter->dimension_key,
		.dimension_value = filter->dimension_value };

	listing_bind(db, stmt, &globs);
	db_bind_text(db, stmt, ":codes", filter->codes);
	db_bind_text(db, stmt, ":causes", filter->causes);
	db_bind_optional(db, stmt, ":since", filter->since, -1);
	db_bind_optional(db, stmt, ":until", filter->until, -1);
	db_bind_optional(
	    db, stmt, ":accepted_before", filter->accepted_before, -1);
	db_bind_optional(
	    db, stmt, ":accepted_after", filter->accepted_after, -1);
	db_bind_optional(db, stmt, ":replays", filter->replays_least, -1);
	db_bind_int(db, stmt, ":first_id", filter->first_id);
	db_bind_int(db, stmt, ":last_id",
	    filter->last_id == 0 ? INT64_MAX : filter->last_id);
	db_bind_optional(db, stmt, ":operation", filter->operation, 0);
}

static int
choose(struct db *db, const struct deadletter_filter *filter,
    enum deadletter_order order, int64_t limit, struct listing_ids *ids)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = listing_prepare(db, CHOICES[order])) == NULL)
		return -1;
	bind_filter(db, stmt, filter);
	db_bind_int(db, stmt, ":limit", limit);
	return listing_add_ids(db, stmt, ids);
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void
read_texts(const char **texts, struct deadletter_row *row)
{
	row->ns = or_empty(texts[LOAD_NAMESPACE]);
	row->region = or_empty(texts[LOAD_REGION]);
	row->account = or_empty(texts[LOAD_ACCOUNT]);
	row->metric = or_empty(texts[LOAD_METRIC]);
	row->dimensions = or_empty(texts[LOAD_DIMENSIONS]);
	row->value = or_empty(texts[LOAD_VALUE]);
	row->cause = or_empty(texts[LOAD_CAUSE]);
	row->scope = or_empty(texts[LOAD_SCOPE]);
	row->message = or_empty(texts[LOAD_MESSAGE]);
	row->contrast = texts[LOAD_CONTRAST];
	row->evidence = or_empty(texts[LOAD_EVIDENCE]);
}

static void
read_numbers(struct sqlite3_stmt *stmt, struct deadletter_row *row)
{
	row->id = db_column_int(stmt, LOAD_ID);
	row->series_id = db_column_int(stmt, LOAD_SERIES_ID);
	row->code = db_column_optional(stmt, LOAD_CODE, -1);
	row->attempts = db_column_int(stmt, LOAD_ATTEMPTS);
	row->accepted_at = db_column_int(stmt, LOAD_ACCEPTED_AT);
	row->observed_at = db_column_optional(stmt, LOAD_OBSERVED_AT, -1);
	row->expires_at = db_column_optional(stmt, LOAD_EXPIRES_AT, -1);
	row->died_at = db_column_int(stmt, LOAD_DIED_AT);
	row->replays = db_column_optional(stmt, LOAD_REPLAYS, 0);
	row->origin_id = db_column_optional(stmt, LOAD_ORIGIN_ID, -1);
	row->http_status = db_column_optional(stmt, LOAD_HTTP_STATUS, 0);
	row->attempt_id = db_column_optional(stmt, LOAD_ATTEMPT_ID, -1);
	row->alone = db_column_int(stmt, LOAD_ALONE) != 0;
	row->lane_id = db_column_optional(stmt, LOAD_LANE_ID, -1);
}

/* 1 with the row, its texts in ${store}; 0 when it is dead no longer. */
static int
load(struct db *db, int64_t id, struct text *store, struct deadletter_row *row)
{
	const char *texts[LOAD_TEXTS];
	struct sqlite3_stmt *stmt;
	int loaded;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((loaded = listing_load(db, stmt, store, texts, LOAD_TEXTS)) != 1)
		return loaded;
	read_texts(texts, row);
	read_numbers(stmt, row);
	db_reset(stmt);
	return 1;
}

static int64_t
visit_all(struct db *db, const struct listing_ids *ids, deadletter_visit *visit,
    void *cookie)
{
	struct text store = { 0 };
	struct deadletter_row row;
	int64_t visited = 0;
	int loaded = 0;
	size_t i;

	for (i = 0; i < ids->count; i++) {
		if ((loaded = load(db, ids->ids[i], &store, &row)) == -1)
			break;
		if (loaded == 0)
			continue;
		visited++;
		if (visit(cookie, &row) != 0)
			break;
	}
	text_free(&store);
	return loaded == -1 ? -1 : visited;
}

int64_t
deadletter_list(struct db *db, const struct deadletter_filter *filter,
    enum deadletter_order order, int64_t limit, deadletter_visit *visit,
    void *cookie)
{
	struct listing_ids ids = { 0 };
	int64_t visited = -1;

	if (choose(db, filter, order, limit, &ids) == 0)
		visited = visit_all(db, &ids, visit, cookie);
	listing_free_ids(&ids);
	return visited;
}

int
deadletter_show(
    struct db *db, int64_t id, deadletter_visit *visit, void *cookie)
{
	struct text store = { 0 };
	struct deadletter_row row;
	int loaded = load(db, id, &store, &row);

	if (loaded == 1)
		visit(cookie, &row);
	text_free(&store);
	return loaded;
}
