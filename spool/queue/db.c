#include "dbinside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "connection.h"
#include "gate.h"
#include "schema.h"

/* A file that is not ours is told by its first bytes, before SQLite is let
 * near it: it would recover a foreign WAL or roll back a foreign journal. */
static int
identify(struct db *db, struct connection_header *header)
{
	int code = connection_header(db->handle, header);

	if (code != SQLITE_OK)
		return db_fail_code(db, code, "read");
	if (header->empty)
		return fault_set(&db->fault, FAULT_QUEUE_FOREIGN,
		    "%s is empty: not a monspool queue", db->place.file);
	if (!header->database)
		return fault_set(&db->fault, FAULT_QUEUE_FOREIGN,
		    "%s is not a monspool queue, or its first page is damaged",
		    db->place.file);
	if (header->application_id != SCHEMA_APPLICATION_ID)
		return fault_set(&db->fault, FAULT_QUEUE_FOREIGN,
		    "%s is another program's database", db->place.file);
	return 0;
}

static int
prepare_new(struct db *db)
{
	int code = connection_format(db->handle);

	if (code == SQLITE_OK)
		code = connection_settle(db->handle);
	/* settling lowers it; what creates the queue syncs its directory */
	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    db->handle, "PRAGMA synchronous=EXTRA", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "create");
	return 0;
}

static int
prepare_existing(struct db *db)
{
	struct connection_header header;
	int code;

	if (identify(db, &header))
		return -1;
	code = connection_settle(db->handle);
	if (code == SQLITE_OK && !header.wal)
		code = connection_to_wal(db->handle);
	if (code != SQLITE_OK)
		return db_fail_code(db, code, "open");
	if (schema_verify(db))
		return -1;
	if (db->kind != DB_READER)
		return db_gate(db) == NULL ? -1 : 0;
	if ((code = connection_read_only(db->handle)) != SQLITE_OK)
		return db_fail_code(db, code, "open");
	return 0;
}

/* SQLite opened it and knows whether the path leads there yet. */
static void
remember_file(struct db *db)
{
	struct stat st;
	int moved = 1;

	if (stat(db->place.file, &st) ||
	    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED,
		&moved) != SQLITE_OK ||
	    moved)
		return; /* no file is 0, 0 */
	db->device = st.st_dev;
	db->inode = st.st_ino;
}

struct db *
db_open(const struct place *place, enum db_kind kind, int64_t busy_timeout_ms,
    struct fault *fault)
{
	struct db *db;
	int code;

	if ((db = calloc(1, sizeof(*db))) == NULL) {
		fault_errno(fault, ENOMEM, "cannot open %s", place->file);
		return NULL;
	}
	db->place = *place;
	db->kind = kind;
	db->pid = getpid();
	db->wait_ms = busy_timeout_ms;
	errno = 0;
	code = connection_open(place, kind, busy_timeout_ms, &db->handle);
	if (code != SQLITE_OK) {
		db_fail_code(db, code, "open");
		goto fail;
	}
	remember_file(db);
	if (kind == DB_CREATE ? prepare_new(db) : prepare_existing(db))
		goto fail;
	return db;

fail:
	if (fault != NULL)
		*fault = db->fault;
	db_close(db);
	return NULL;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	if (!db_forked(db)) {
		while (db->depth > 0)
			db_rollback(db);
		db_forget_statements(db);
		sqlite3_close_v2(db->guard);
		sqlite3_close_v2(db->handle);
	} else {
		/* SQLite's handle is the parent's: it is let be (H15) */
		free(db->statements);
	}
	gate_close(db->gate);
	free(db);
}

bool
db_replaced(const struct db *db)
{
	struct stat st;

	return stat(db->place.file, &st) != 0 || st.st_dev != db->device ||
	    st.st_ino != db->inode;
}

bool
db_broken(const struct db *db)
{
	return db->broken;
}

const struct place *
db_place(const struct db *db)
{
	return &db->place;
}

struct gate *
db_gate(struct db *db)
{
	if (db->gate == NULL && db->kind != DB_CREATE)
		db->gate = gate_open(db->place.gate, &db->fault);
	return db->gate;
}

struct sqlite3 *
db_handle(struct db *db)
{
	return db->handle;
}

int
db_enter(struct db *db)
{
	struct gate *gate;

	if (db_usable(db))
		return -1;
	if (db->kind == DB_CREATE)
		return 0; /* queue_init() is in the gate already */
	if ((gate = db_gate(db)) == NULL)
		return -1;
	return gate_enter(gate, db->wait_ms, &db->fault) == GATE_IN ? 0 : -1;
}

void
db_leave(struct db *db)
{
	if (db->gate != NULL)
		gate_leave(db->gate);
}

int64_t
db_data_version(struct db *db)
{
	static const char DATA_VERSION[] = "PRAGMA data_version";
	struct sqlite3_stmt *stmt;
	int64_t version = -1;

	if ((stmt = db_prepare(db, DATA_VERSION)) == NULL)
		return -1;
	if (db_step(db, stmt) == DB_ROW)
		version = db_column_int(stmt, 0);
	db_reset(stmt);
	return version;
}

int64_t
db_bytes(struct db *db)
{
	return place_size(db->place.file) + place_size(db->place.wal);
}

int64_t
db_disk(struct db *db)
{
	if (db->disk == 0)
		db->disk = place_disk(db->place.dir);
	return db->disk;
}

int64_t
db_wal_bytes(struct db *db)
{
	return place_size(db->place.wal);
}

void
db_set_busy_timeout(struct db *db, int64_t ms)
{
	db->wait_ms = ms;
	sqlite3_busy_timeout(db->handle, (int)ms);
}
