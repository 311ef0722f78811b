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
 * ledger_accept(db, rows, first_id):
 * In the caller's bracket: give ${rows} new ids, the first of which goes into
 * ${first_id}, and count them accepted and pending.  The mark of H9 is compared here, in the
 * gate: ids below it that the file does not know become a gap record.  0 or -1.
 */
int ledger_accept(struct db *db, int64_t rows, int64_t *first_id);

/** Move ${rows} from one column to another (from LEDGER_ACCEPTED or to it never).
 * Going below zero fails with FAULT_LEDGER_BROKEN.  0 or -1. */
int ledger_move(struct db *db, enum ledger_column from,
    enum ledger_column to, int64_t rows);

/** A replay: dead to pending, replayed counted; ids as ledger_accept() gives them.  0 or -1. */
int ledger_replay(struct db *db, int64_t rows, int64_t *first_id);

/** Count rows whose key was known; requests with an unknown outcome. */
int ledger_count_duplicates(struct db *db, int64_t rows);
int ledger_count_ambiguous(struct db *db, int64_t requests);

/** Whether both laws hold for ${row}. */
bool ledger_balanced(const struct ledger_row *row);

#endif
