#ifndef QUEUE_DB_H
#define QUEUE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "place.h"

struct sqlite3;
struct sqlite3_stmt;
struct fault;
struct gate;

/** One connection to a queue, with all the settings of contract.md 2.3, its
 * gate, its cached statements and its last fault. */
struct db;

enum db_kind {
	DB_WRITER,
	DB_READER, /* query_only */
	DB_SHARED, /* a writer on a handle with SQLite's mutex, for the C API; a
	            * struct db is still one thread's at a time */
	DB_CREATE  /* init alone: the file exists, empty, and is made a queue */
};

/**
 * db_open(place, kind, busy_timeout_ms, fault):
 * Connect.  Refuses a file that is not a queue or is newer (application_id,
 * user_version, the fingerprint of the schema: FAULT_QUEUE_FOREIGN,
 * FAULT_QUEUE_NEWER, FAULT_CORRUPT), upgrades an older one.  Return NULL with
 * ${fault}.  queue_open() is what programs call.
 */
struct db *db_open(const struct place *place, enum db_kind kind,
    int64_t busy_timeout_ms, struct fault *fault);
void db_close(struct db *db);

/** The fault of the last call that failed; kept through rollbacks.  Owned by
 * ${db}; never NULL. */
const struct fault *db_fault(const struct db *db);
/** Its message. */
const char *db_error(const struct db *db);
/** Set the fault (a module found something wrong with the data).  Returns -1. */
int db_fail(struct db *db, const struct fault *fault);
/** Translate the SQLite result ${code} into the fault of ${db}, in our words
 * (H21), unless a fault of this bracket is kept already: "cannot ${doing} the
 * queue X", so ${doing} is "read", "write to" or the like.  Returns -1. */
int db_fail_code(struct db *db, int code, const char *doing);

/** Whether the path no longer leads to the file that is open: it was removed,
 * moved, or another one put there.  What is written now would be found by
 * nobody. */
bool db_replaced(const struct db *db);

/** Whether a commit failed midway, or a transaction could not be ended: every
 * call fails from then on, and the queue is to be opened anew (H12). */
bool db_broken(const struct db *db);

const struct place *db_place(const struct db *db);
struct gate *db_gate(struct db *db);
struct sqlite3 *db_handle(struct db *db);
/** Whether the process is a fork() of the one that opened it (H15); every call
 * then fails, db_close() only frees memory. */
bool db_forked(const struct db *db);

/** Enter the gate ahead of the first bracket, waiting as db_begin() does, and
 * leave it after the last: for what must come between (checkpoints).  0 or
 * -1. */
int db_enter(struct db *db);
void db_leave(struct db *db);

/**
 * db_begin(db):
 * Open a bracket.  The outermost enters the gate (waiting at most the busy
 * timeout: FAULT_QUEUE_BUSY) and begins IMMEDIATE; inner ones are savepoints.
 * db_commit() closes one; after the outermost COMMIT the mark is written and
 * the gate left. After a failed COMMIT the fault is FAULT_OUTCOME_UNKNOWN for
 * an I/O error (H12: the handle is then broken for good, close and open
 * anew), FAULT_DISK_FULL when SQLite rolled back.  Both return 0 or -1; after
 * -1 of db_commit the bracket is closed and rolled back.
 */
int db_begin(struct db *db);
int db_commit(struct db *db);
/** Undo the innermost bracket; keeps the fault.  Without a bracket nothing. */
void db_rollback(struct db *db);
/** Brackets open. */
int db_depth(const struct db *db);
/** A read transaction for a consistent look; ended by db_end_read(). */
int db_begin_read(struct db *db);
void db_end_read(struct db *db);
/** Told by ledger_give_ids(): what the mark will be at the outermost commit. */
void db_note_last_id(struct db *db, int64_t last_id);

/**
 * db_prepare(db, sql):
 * The statement for ${sql}, a constant string whose address identifies it;
 * prepared once and cached.  Comes reset and unbound.  NULL with a fault.  In
 * builds without NDEBUG a plan that scans metric is refused, unless the
 * text says "scan" in a comment.
 */
struct sqlite3_stmt *db_prepare(struct db *db, const char *sql);

/* Bind by name (":id"); a failure is remembered and reported by db_step().
 * Text is copied unless _static, which must outlive the step. NULL text binds
 * NULL. */
void db_bind_int(
    struct db *db, struct sqlite3_stmt *stmt, const char *name, int64_t value);
void db_bind_null(struct db *db, struct sqlite3_stmt *stmt, const char *name);
void db_bind_text(struct db *db, struct sqlite3_stmt *stmt, const char *name,
    const char *value);
void db_bind_text_static(struct db *db, struct sqlite3_stmt *stmt,
    const char *name, const char *value, size_t len);
/** An integer, or NULL where ${value} is ${none}. */
void db_bind_optional(struct db *db, struct sqlite3_stmt *stmt,
    const char *name, int64_t value, int64_t none);

enum db_stepped {
	DB_FAILED = -1,
	DB_DONE = 0, /* the statement is reset */
	DB_ROW = 1
};
enum db_stepped db_step(struct db *db, struct sqlite3_stmt *stmt);
/** End a statement before its last row. */
void db_reset(struct sqlite3_stmt *stmt);
/** Rows changed by the last statement that was stepped to DB_DONE. */
int64_t db_changes(struct db *db);

int64_t db_column_int(struct sqlite3_stmt *stmt, int column);
/** The column, or ${none} where it is NULL. */
int64_t db_column_optional(struct sqlite3_stmt *stmt, int column, int64_t none);
/** Never NULL: "" for NULL.  Lives until the next step or reset. */
const char *db_column_text(struct sqlite3_stmt *stmt, int column);
size_t db_column_len(struct sqlite3_stmt *stmt, int column);
bool db_column_is_null(struct sqlite3_stmt *stmt, int column);

/** Run ${sql}, which yields no rows, with no parameters.  0 or -1. */
int db_run(struct db *db, const char *sql);

/** PRAGMA data_version: changes when another connection committed. */
int64_t db_data_version(struct db *db);
/** Bytes of database and WAL. */
int64_t db_bytes(struct db *db);
int64_t db_wal_bytes(struct db *db);
/** Of its file system, as it was when it was asked first; -1: unknown. */
int64_t db_disk(struct db *db);
/** Set the wait for the gate. */
void db_set_busy_timeout(struct db *db, int64_t ms);

#endif
