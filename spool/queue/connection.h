#ifndef QUEUE_CONNECTION_H
#define QUEUE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

/** The most a WAL file keeps when its log restarts (contract.md 2.3). */
#define CONNECTION_WAL_KEPT (4 * 1024 * 1024)

/**
 * connection_open(place, kind, busy_timeout_ms, handle):
 * Open the queue file and set what needs no look into it: flags, limits and
 * db_config of contract.md 2.3.  SQLite refuses a symbolic link anywhere in a
 * path (3.40 checks each component); links above the file are the
 * administrator's, so the directory is resolved first and only the file
 * itself is guarded.  Return an SQLite result; ${handle} is set, if only to
 * be asked for errors and closed.
 */
int connection_open(const struct place *place, enum db_kind kind,
    int64_t busy_timeout_ms, struct sqlite3 **handle);

/** What SQLite's header says, read through the connection without taking a
 * lock, rolling back a journal or recovering a WAL. */
struct connection_header {
	bool database; /* it has one */
	bool empty;    /* not a byte in it */
	bool wal;
	int64_t application_id, user_version;
};
int connection_header(struct sqlite3 *handle, struct connection_header *header);

/** Set the PRAGMAs of 2.3, save query_only, which connection_read_only() sets
 * once the schema is known to be current. */
int connection_settle(struct sqlite3 *handle);
int connection_read_only(struct sqlite3 *handle);

/** Before the first table: page size, auto_vacuum, WAL. */
int connection_format(struct sqlite3 *handle);
/** Back to WAL, should another program have left it. */
int connection_to_wal(struct sqlite3 *handle);

#endif
