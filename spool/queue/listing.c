#include "listing.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/text.h"
#include "db.h"

static const char KNOWN[] = "SELECT monspool_glob(NULL, '')";

static int
no_memory(struct db *db)
{
	struct fault fault = { 0 };

	fault_errno(&fault, ENOMEM, "cannot read the queue");
	return db_fail(db, &fault);
}

static const char *
argument(sqlite3_value *value)
{
	const unsigned char *text = sqlite3_value_text(value);

	return text == NULL ? "" : (const char *)text;
}

static void
glob(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	bool matches = true;

	(void)count;
	if (sqlite3_value_type(arguments[0]) != SQLITE_NULL)
		matches = text_glob(
		    argument(arguments[0]), argument(arguments[1]));
	sqlite3_result_int(context, matches);
}

/* Once a connection: to define it anew would expire its statements. */
static int
define_glob(struct db *db)
{
	sqlite3 *handle = db_handle(db);
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(handle, KNOWN, -1, &stmt, NULL);

	sqlite3_finalize(stmt);
	if (code == SQLITE_OK)
		return 0;
	code = sqlite3_create_function_v2(handle, "monspool_glob", 2,
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, glob,
	    NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "read");
	return 0;
}

struct sqlite3_stmt *
listing_prepare(struct db *db, const char *sql)
{
	return define_glob(db) ? NULL : db_prepare(db, sql);
}

void
listing_bind(
    struct db *db, struct sqlite3_stmt *stmt, const struct listing_globs *globs)
{
	db_bind_text(db, stmt, ":namespace", globs->ns);
	db_bind_text(db, stmt, ":region", globs->region);
	db_bind_text(db, stmt, ":account", globs->account);
	db_bind_text(db, stmt, ":metric", globs->metric);
	db_bind_text(db, stmt, ":dimension_key", globs->dimension_key);
	db_bind_text(db, stmt, ":dimension_value", globs->dimension_value);
}

static int
add_id(struct listing_ids *ids, int64_t id)
{
	size_t size = ids->size == 0 ? 64 : 2 * ids->size;
	int64_t *grown;

	if (ids->count == ids->size) {
		grown = realloc(ids->ids, size * sizeof(*grown));
		if (grown == NULL)
			return -1;
		ids->ids = grown;
		ids->size = size;
	}
	ids->ids[ids->count++] = id;
	return 0;
}

int
listing_add_ids(
    struct db *db, struct sqlite3_stmt *stmt, struct listing_ids *ids)
{
	enum db_stepped stepped;

	while ((stepped = db_step(db, stmt)) == DB_ROW) {
		if (add_id(ids, db_column_int(stmt, 0))) {
			db_reset(stmt);
			return no_memory(db);
		}
	}
	return stepped == DB_DONE ? 0 : -1;
}

void
listing_free_ids(struct listing_ids *ids)
{
	free(ids->ids);
}

int
listing_copy(struct db *db, struct sqlite3_stmt *stmt, struct text *store,
    const char **texts, int columns)
{
	size_t room = 0;
	int i;

	for (i = 0; i < columns; i++)
		room += db_column_len(stmt, i) + 1;
	text_clear(store);
	if (text_reserve(store, room)) /* so that no text moves below */
		return no_memory(db);
	for (i = 0; i < columns; i++) {
		texts[i] = NULL;
		if (db_column_is_null(stmt, i))
			continue;
		texts[i] = store->data + store->len;
		text_add(
		    store, db_column_text(stmt, i), db_column_len(stmt, i) + 1);
	}
	return 0;
}

int
listing_load(struct db *db, struct sqlite3_stmt *stmt, struct text *store,
    const char **texts, int columns)
{
	enum db_stepped stepped = db_step(db, stmt);

	if (stepped != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	if (listing_copy(db, stmt, store, texts, columns) == 0)
		return 1;
	db_reset(stmt);
	return -1;
}
