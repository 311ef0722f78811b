#include "enqueue_key.h"

#include <string.h>

#include "db.h"

static const char FIND_KEY[] = "SELECT id FROM enqueue_key"
			       " WHERE key = :key AND expires_at > :now";

/* OR REPLACE: an expired one may still be there. */
static const char ADD_KEY[] =
    "INSERT OR REPLACE INTO enqueue_key (key, id, expires_at)"
    " VALUES (:key, :id, :expires_at)";

static const char FORGET_EXPIRED_KEYS[] =
    "DELETE FROM enqueue_key WHERE key IN (SELECT key FROM enqueue_key"
    "  WHERE expires_at <= :now ORDER BY expires_at LIMIT :most)";

static const char HAS_EXPIRED[] =
    "SELECT EXISTS (SELECT 1 FROM enqueue_key WHERE expires_at <= :now)";

static const char REMOVE_KEY[] = "DELETE FROM enqueue_key WHERE key = :key";

static const char NEXT_KEY[] = "SELECT key FROM enqueue_key WHERE key > :key"
			       " ORDER BY key LIMIT 1";

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
enqueue_key_remove(struct db *db, const char *key)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, REMOVE_KEY)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":key", key);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
enqueue_key_next(struct db *db, const char *prefix, char key[ENQUEUE_KEY_SIZE])
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	const char *next;
	int found;

	if ((stmt = db_prepare(db, NEXT_KEY)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":key", key);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	next = db_column_text(stmt, 0);
	found = strncmp(next, prefix, strlen(prefix)) == 0 &&
	    strlen(next) < ENQUEUE_KEY_SIZE;
	if (found)
		memcpy(key, next, strlen(next) + 1);
	db_reset(stmt);
	return found;
}

int
enqueue_key_forget(struct db *db, int64_t now_ms, int64_t most)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FORGET_EXPIRED_KEYS)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":now", now_ms);
	db_bind_int(db, stmt, ":most", most);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

static int
has_expired(struct db *db, int64_t now_ms)
{
	struct sqlite3_stmt *stmt;
	int found;

	if ((stmt = db_prepare(db, HAS_EXPIRED)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":now", now_ms);
	if (db_step(db, stmt) != DB_ROW)
		return -1;
	found = db_column_int(stmt, 0) != 0;
	db_reset(stmt);
	return found;
}

int64_t
enqueue_key_collect(struct db *db, int64_t now_ms, int64_t most)
{
	int found = has_expired(db, now_ms);
	int64_t removed;

	if (found != 1)
		return found;
	/* An expired key is as good as none: any number may go at a time. */
	if (db_begin(db))
		return -1;
	if (enqueue_key_forget(db, now_ms, most)) {
		db_rollback(db);
		return -1;
	}
	removed = db_changes(db);
	return db_commit(db) ? -1 : removed;
}
