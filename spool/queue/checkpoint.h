#ifndef QUEUE_CHECKPOINT_H
#define QUEUE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct sqlite3;

enum checkpoint_result {
	CHECKPOINT_DONE,    /* all frames are copied back */
	CHECKPOINT_PARTIAL, /* a reader pins the rest */
	CHECKPOINT_BUSY,    /* somebody writes; skipped this time */
	CHECKPOINT_FAILED
};

/**
 * checkpoint_guarded(db, in_gate):
 * The only checkpoint there is (contract.md 2.1): enter the gate without
 * waiting (unless the caller is in it), a guard connection holds BEGIN
 * IMMEDIATE while ${db} runs a PASSIVE checkpoint.
 */
enum checkpoint_result checkpoint_guarded(struct db *db, bool in_gate);

/**
 * checkpoint_before_insert(db, wal_max, wal_most):
 * Rule H3, for a writer that is in the gate and has not begun: when no
 * forwarder runs and the WAL is over ${wal_max} (or over ${wal_most} in any
 * case), set journal_size_limit to three quarters of ${wal_max}, make a guarded
 * checkpoint and commit next to nothing, which restarts and trims the log.
 * What is longer afterwards is in use.  Failures are not the writer's: ignored.
 */
void checkpoint_before_insert(struct db *db, int64_t wal_max, int64_t wal_most);

#endif
