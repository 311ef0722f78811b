#include "enqueue_key.h"

#include "db.h"

static const char FIND_KEY[] = "SELECT id FROM enqueue_key"
			       " WHERE key = :key AND expires_at > :now";

/* OR REPLACE: an expired one may still be there. */
static const char ADD_KEY[] =
    "INSERT OR REPLACE INTO enqueue_key (key, id, expires_at)"
    " VALUES (:key, :id, :expires_at)";

static const char FORGET_EXPIRED_KEYS[] =
    "DELETE FROM enqueue_key WHERE key IN (SELECT key FROM enqueue_key"
    "  WHERE expires_at <= :now ORDER BY expires_at LIMIT 100)";

int
enqueue_key_find(struct db *db, const char *key, int64_t now_ms, int64_t *id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, FIND_KEY)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":key", key);
	db_bind_int(db, stmt, ":now", now_ms);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	*id = db_column_int(stmt, 0);
	db_reset(stmt);
	return 1;
}

int
enqueue_key_add(struct db *db, const char *key, int64_t id, int64_t expires_at)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, ADD_KEY)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":key", key);
	db_bind_int(db, stmt, ":id", id);
	db_bind_int(db, stmt, ":expires_at", expires_at);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
enqueue_key_forget(struct db *db, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET_EXPIRED_KEYS)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":now", now_ms);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}
