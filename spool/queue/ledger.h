#ifndef QUEUE_LEDGER_H
#define QUEUE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct db;

enum ledger_column {
	LEDGER_ACCEPTED,
	LEDGER_PENDING,
	LEDGER_DELIVERED,
	LEDGER_DEAD,
	LEDGER_EXPIRED,
	LEDGER_DROPPED,
	LEDGER_PURGED
};

struct ledger_row {
	int64_t last_id, accepted, pending, delivered, dead, expired, dropped,
	    purged, replayed, missing, duplicates, ambiguous;
};

int ledger_read(struct db *db, struct ledger_row *row);

/**
 * ledger_next_id(db, next_id):
 * In the caller's bracket, which stays the only writer until it ends: the id
 * that is given next.  The mark of H9 is compared here, in the gate: ids up
 * to it that the file does not know become a gap record, and the next id lies
 * above them.  0 or -1.
 */
int ledger_next_id(struct db *db, int64_t *next_id);

/** For who only looks: the mark of H9, -1: none; and by it the ids that were
 * acknowledged and are neither in the file nor in a gap record, ${first} to
 * ${last}, or 0 and 0.  The mark is read ahead of the read transaction in
 * which it is compared, or a commit in between would look like a loss.  0 or -1. */
int64_t ledger_mark(struct db *db);
int ledger_find_missing(
    struct db *db, int64_t mark, int64_t *first, int64_t *last);

/**
 * ledger_accept(db, rows, first_id):
 * In the caller's bracket: give ${rows} new ids, the first of which goes into
 * ${first_id} (it is what ledger_next_id() said), and count them accepted and
 * pending.  0 or -1.
 */
int ledger_accept(struct db *db, int64_t rows, int64_t *first_id);

/** Move ${rows} that were pending or dead to another column (to pending there
 * is ledger_replay() alone).  Going below zero fails with
 * FAULT_LEDGER_BROKEN.  0 or -1. */
int ledger_move(struct db *db, enum ledger_column from, enum ledger_column to,
    int64_t rows);

/** A replay: dead to pending, replayed counted; ids as ledger_accept() gives
 * them.  0 or -1. */
int ledger_replay(struct db *db, int64_t rows, int64_t *first_id);

/** An import of dead letters: accepted, and dead; ids as ledger_accept() gives
 * them.  0 or -1. */
int ledger_import(struct db *db, int64_t rows, int64_t *first_id);

/** Count rows whose key was known; requests with an unknown outcome. */
int ledger_count_duplicates(struct db *db, int64_t rows);
int ledger_count_ambiguous(struct db *db, int64_t requests);

/** Whether a gap record names ${id}: it was given and acknowledged, and the
 * file lost it.  1, 0, or -1. */
int ledger_is_missing(struct db *db, int64_t id);

/** Whether both laws hold for ${row}. */
bool ledger_balanced(const struct ledger_row *row);

#endif
