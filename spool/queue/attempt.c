#include "attempt.h"

#include <stdlib.h>

#include "base/text.h"
#include "db.h"
#include "listing.h"

static const char RECORD[] =
    "INSERT INTO attempt (lane_id, first_id, last_id, ids, rows, bytes,"
    "  started_at, took_ms, http_status, code, message, outcome, counted)"
    " VALUES (:lane_id, :first_id, :last_id, :ids, :rows, :bytes,"
    "  :started_at, :took_ms, :http_status, :code, :message, :outcome,"
    "  :counted)"
    " RETURNING id";

static const char DROP[] = "DELETE FROM attempt WHERE id <= :id - :kept";

static const char AROUND[] =
    "SELECT id FROM attempt WHERE lane_id = :lane_id AND last_id >= :id"
    " AND first_id <= :id ORDER BY id";

static const char LOAD[] =
    "SELECT message, outcome, ids, id, lane_id, first_id, last_id, rows,"
    "  bytes, started_at, took_ms, http_status, code, counted"
    " FROM attempt WHERE id = :id";
#define LOAD_TEXTS 3

static int
insert(struct db *db, struct attempt_row *row)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, RECORD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", row->lane_id);
	db_bind_int(db, stmt, ":first_id", row->first_id);
	db_bind_int(db, stmt, ":last_id", row->last_id);
	db_bind_text(db, stmt, ":ids", row->ids);
	db_bind_int(db, stmt, ":rows", row->rows);
	db_bind_int(db, stmt, ":bytes", row->bytes);
	db_bind_int(db, stmt, ":started_at", row->started_at);
	db_bind_int(db, stmt, ":took_ms", row->took_ms);
	db_bind_optional(db, stmt, ":http_status", row->http_status, 0);
	db_bind_optional(db, stmt, ":code", row->code, -1);
	db_bind_text(
	    db, stmt, ":message", row->message == NULL ? "" : row->message);
	db_bind_text(
	    db, stmt, ":outcome", row->outcome == NULL ? "" : row->outcome);
	db_bind_int(db, stmt, ":counted", row->counted);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	row->id = db_column_int(stmt, 0);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
attempt_record(struct db *db, struct attempt_row *row, int64_t kept)
{
	struct sqlite3_stmt *stmt;

	if (insert(db, row) || (stmt = db_prepare(db, DROP)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", row->id);
	db_bind_int(db, stmt, ":kept", kept < 1 ? 1 : kept);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static void
read_row(struct sqlite3_stmt *stmt, const char **texts, struct attempt_row *row)
{
	row->message = texts[0];
	row->outcome = texts[1];
	row->ids = texts[2];
	row->id = db_column_int(stmt, 3);
	row->lane_id = db_column_int(stmt, 4);
	row->first_id = db_column_int(stmt, 5);
	row->last_id = db_column_int(stmt, 6);
	row->rows = db_column_int(stmt, 7);
	row->bytes = db_column_int(stmt, 8);
	row->started_at = db_column_int(stmt, 9);
	row->took_ms = db_column_int(stmt, 10);
	row->http_status = (int)db_column_optional(stmt, 11, 0);
	row->code = (int)db_column_optional(stmt, 12, -1);
	row->counted = db_column_int(stmt, 13) != 0;
}

/* 1 with the row, its texts in ${store}; 0 when the ring has dropped it. */
static int
load(struct db *db, int64_t id, struct text *store, struct attempt_row *row)
{
	const char *texts[LOAD_TEXTS];
	struct sqlite3_stmt *stmt;
	int loaded;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	if ((loaded = listing_load(db, stmt, store, texts, LOAD_TEXTS)) != 1)
		return loaded;
	read_row(stmt, texts, row);
	db_reset(stmt);
	return 1;
}

static int
visit_all(struct db *db, const struct listing_ids *ids, int64_t row_id,
    attempt_visit *visit, void *cookie)
{
	struct text store = { 0 };
	struct attempt_row row;
	int visited = 0, loaded = 0;
	size_t i;

	for (i = 0; i < ids->count; i++) {
		if ((loaded = load(db, ids->ids[i], &store, &row)) == -1)
			break;
		if (loaded == 0 ||
		    (row.ids != NULL && !attempt_ids_hold(row.ids, row_id)))
			continue;
		visited++;
		if (visit(cookie, &row) != 0)
			break;
	}
	text_free(&store);
	return loaded == -1 ? -1 : visited;
}

int
attempt_list(struct db *db, int64_t lane_id, int64_t id, attempt_visit *visit,
    void *cookie)
{
	struct listing_ids ids = { 0 };
	struct sqlite3_stmt *stmt;
	int visited = -1;

	if ((stmt = db_prepare(db, AROUND)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":lane_id", lane_id);
	db_bind_int(db, stmt, ":id", id);
	if (listing_add_ids(db, stmt, &ids) == 0)
		visited = visit_all(db, &ids, id, visit, cookie);
	listing_free_ids(&ids);
	return visited;
}

char *
attempt_ids(const int64_t *ids, size_t count)
{
	struct text text = { 0 };
	size_t first, last;

	for (first = 0; first < count; first = last + 1) {
		for (last = first; last + 1 < count; last++)
			if (ids[last + 1] != ids[last] + 1)
				break;
		if (first > 0)
			text_addc(&text, ',');
		text_addf(&text, "%lld", (long long)ids[first]);
		if (last > first)
			text_addf(&text, "-%lld", (long long)ids[last]);
	}
	if (text.failed)
		text_free(&text);
	return count == 0 ? calloc(1, 1) : text.data;
}

bool
attempt_ids_hold(const char *ids, int64_t id)
{
	long long first, last;
	char *end;

	while (*ids != '\0') {
		first = last = strtoll(ids, &end, 10);
		if (*end == '-')
			last = strtoll(end + 1, &end, 10);
		if (end == ids || (*end != ',' && *end != '\0'))
			return false; /* not a text of ours */
		if (id >= first && id <= last)
			return true;
		ids = *end == ',' ? end + 1 : end;
	}
	return false;
}
