#ifndef QUEUE_AUDIT_H
#define QUEUE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger.h"

struct db;

#define AUDIT_PROBLEMS 16

struct audit {
	struct ledger_row ledger;
	int64_t counted_pending, counted_dead;
	char problems[AUDIT_PROBLEMS][200];
	int problem_count; /* may exceed AUDIT_PROBLEMS */
};

/** Count rows and check both ledger laws, lane counts, id bounds and orphans
 * (rows without series, series without lane, origin without row), and the mark of H9, in one
 * snapshot; with ${deep} SQLite's integrity check too.  0, or -1 if it could
 * not be done. */
int audit_run(struct db *db, bool deep, struct audit *audit);

#endif
