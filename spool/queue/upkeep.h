#ifndef QUEUE_UPKEEP_H
#define QUEUE_UPKEEP_H

#include <stdint.h>

struct db;
struct ledger_row;

/*
 * SQL of the forwarder's housekeeping: the table history, pages given back,
 * the length of the log.
 */

/** Keep in ${wal_bytes} how much of the WAL was in use at the latest commit of
 * ${db}; it must live as long
 * as ${db}, or until this is called with NULL.  The file's size does not tell: it is
 * kept when the log begins anew. */
void upkeep_watch(struct db *db, int64_t *wal_bytes);

/** Pages of the file, and those of them that nothing uses.  0 or -1. */
int upkeep_pages(struct db *db, int64_t *pages, int64_t *unused);

/** Give at most ${pages} unused pages back to the file system, in a bracket
 * (contract.md H13).  0 or -1. */
int upkeep_vacuum(struct db *db, int pages);

/** Write down in a bracket what ${ledger} counted at the end of ${minute} (Unix minutes),
 * keeping the ${kept} latest rows.  Minutes in which nothing changed need no
 * row: whoever reads takes the one before.  0 or -1. */
int upkeep_remember(struct db *db, int64_t minute,
    const struct ledger_row *ledger, int64_t kept);
/** What was written down for ${minute}, or for the latest minute before it
 * that has a row, or for the first after it: accepted, delivered, dead and
 * pending into ${ledger}, the others are 0; the row's own minute into
 * ${found}.  1, 0 (there is no row), -1. */
int upkeep_recall(
    struct db *db, int64_t minute, int64_t *found, struct ledger_row *ledger);

#endif
