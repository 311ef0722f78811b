#include "series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "db.h"
#include "door.h"

/* By the index on hash; the texts then decide. */
static const char FIND[] =
    "SELECT id FROM series WHERE hash = :hash AND lane_id = :lane_id"
    " AND wire = :wire";

static const char MAKE[] =
    "INSERT INTO series (lane_id, hash, metric, dimensions, wire)"
    " VALUES (:lane_id, :hash, :metric, :dimensions, :wire) RETURNING id";

static const char LOAD[] = "SELECT id, lane_id, hash, metric, dimensions, wire"
			   " FROM series WHERE id = :id";

static const char LAST_OF_PAGE[] =
    "SELECT max(id) FROM (SELECT id FROM series WHERE id > :cursor"
    "  ORDER BY id LIMIT :most)";

/* metric has no index on series, so only lanes with few rows are looked
 * through; the others are left for a quieter time. */
static const char COLLECT[] =
    "DELETE FROM series WHERE id > :cursor AND id <= :last"
    " AND EXISTS (SELECT 1 FROM lane"
    "  WHERE lane.id = series.lane_id AND lane.pending <= 1000)"
    " AND NOT EXISTS (SELECT 1 FROM metric"
    "  WHERE metric.lane_id = series.lane_id"
    "  AND metric.series_id = series.id)"
    " AND NOT EXISTS (SELECT 1 FROM dead_letter"
    "  WHERE dead_letter.series_id = series.id)"
    " AND NOT EXISTS (SELECT 1 FROM suspect"
    "  WHERE suspect.series_id = series.id)"
    " AND id NOT IN (SELECT series_id FROM edit)";

int64_t
series_hash(int64_t lane_id, const char *wire, size_t wire_len)
{
	int64_t hash = (int64_t)text_hash(wire, wire_len, (uint64_t)lane_id);

	return hash == DOOR_HASH ? 1 : hash;
}

static int
find(struct db *db, int64_t lane_id, int64_t hash, const char *wire,
    size_t wire_len, int64_t *id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, FIND)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":hash", hash);
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_text_static(db, stmt, ":wire", wire, wire_len);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*id = db_column_int(stmt, 0);
	db_reset(stmt);
	return 1;
}

int
series_intern(struct db *db, int64_t lane_id, const char *metric,
    const char *dimensions, const char *wire, size_t wire_len, int64_t *id)
{
	int64_t hash = series_hash(lane_id, wire, wire_len);
	struct sqlite3_stmt *stmt;
	int found;

	if ((found = find(db, lane_id, hash, wire, wire_len, id)) != 0)
		return found == 1 ? 0 : -1;
	if ((stmt = db_prepare(db, MAKE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":hash", hash);
	db_bind_text_static(db, stmt, ":metric", metric, strlen(metric));
	db_bind_text_static(
	    db, stmt, ":dimensions", dimensions, strlen(dimensions));
	db_bind_text_static(db, stmt, ":wire", wire, wire_len);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	*id = db_column_int(stmt, 0);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Copy the texts of the row ${stmt} stands on into ${row}. */
static int
keep(struct series_row *row, struct sqlite3_stmt *stmt)
{
	size_t metric = db_column_len(stmt, 3) + 1;
	size_t dimensions = db_column_len(stmt, 4) + 1;
	size_t wire = db_column_len(stmt, 5) + 1;

	if ((row->texts = malloc(metric + dimensions + wire)) == NULL)
		return -1;
	memcpy(row->texts, db_column_text(stmt, 3), metric);
	memcpy(row->texts + metric, db_column_text(stmt, 4), dimensions);
	memcpy(row->texts + metric + dimensions, db_column_text(stmt, 5), wire);
	row->id = db_column_int(stmt, 0);
	row->lane_id = db_column_int(stmt, 1);
	row->metric = row->texts;
	row->dimensions = row->texts + metric;
	row->wire = row->texts + metric + dimensions;
	row->wire_len = wire - 1;
	return 0;
}

static int
fail_memory(struct db *db, int64_t id)
{
	struct fault fault = { 0 };

	fault_errno(&fault, ENOMEM, "cannot read series %lld", (long long)id);
	return db_fail(db, &fault);
}

static int
fail_damaged(struct db *db, int64_t id)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_CORRUPT,
	    "the text of series %lld is not what was stored", (long long)id);
	fault_hint(&fault, "run: monspool audit --deep");
	return db_fail(db, &fault);
}

/* As series_load(), with the ${hash} that is stored. */
static int
read_row(struct db *db, int64_t id, struct series_row *row, int64_t *hash)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	int failed;

	row->texts = NULL;
	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*hash = db_column_int(stmt, 2);
	failed = keep(row, stmt);
	db_reset(stmt);
	return failed ? fail_memory(db, id) : 1;
}

static enum door_verdict
judge(struct db *db, const struct series_row *row, int64_t hash)
{
	if (hash == DOOR_HASH)
		return door_judge(db, row);
	return hash == series_hash(row->lane_id, row->wire, row->wire_len)
	    ? DOOR_SOUND
	    : DOOR_DAMAGED;
}

int
series_load(struct db *db, int64_t id, struct series_row *row)
{
	enum door_verdict verdict;
	int64_t hash;
	int found;

	if ((found = read_row(db, id, row, &hash)) != 1)
		return found;
	verdict = judge(db, row, hash);
	if (verdict == DOOR_SOUND || verdict == DOOR_UNFIT)
		return 1;
	series_row_free(row);
	return verdict == DOOR_DAMAGED ? fail_damaged(db, id) : -1;
}

enum door_verdict
series_judge(struct db *db, int64_t id)
{
	struct series_row row;
	enum door_verdict verdict;
	int64_t hash;
	int found;

	if ((found = read_row(db, id, &row, &hash)) != 1)
		return found == 0 ? DOOR_DAMAGED : DOOR_FAILED;
	verdict = judge(db, &row, hash);
	series_row_free(&row);
	return verdict;
}

void
series_row_free(struct series_row *row)
{
	free(row->texts);
	row->texts = NULL;
}

/* The id at which a page of ${most} after ${cursor} ends; 0 when it is empty. */
static int
last_of_page(struct db *db, int64_t cursor, int most, int64_t *last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, LAST_OF_PAGE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":cursor", cursor);
	db_bind_int(db, stmt, ":most", most);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	*last = db_column_optional(stmt, 0, 0);
	db_reset(stmt);
	return 0;
}

static int64_t
collect(struct db *db, int64_t cursor, int64_t last)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, COLLECT)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":cursor", cursor);
	db_bind_int(db, stmt, ":last", last);
	return db_step(db, stmt) == DB_DONE ? db_changes(db) : -1;
}

int64_t
series_collect(struct db *db, int64_t *cursor, int most)
{
	int64_t last, removed;

	if (last_of_page(db, *cursor, most, &last))
		return -1;
	if (last == 0) {
		*cursor = 0;
		return 0;
	}
	/* One bracket, entered late: a look at nothing costs no commit. */
	if (db_begin(db))
		return -1;
	if ((removed = collect(db, *cursor, last)) == -1) {
		db_rollback(db);
		return -1;
	}
	if (db_commit(db))
		return -1;
	*cursor = last;
	return removed;
}
