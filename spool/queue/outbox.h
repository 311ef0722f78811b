#ifndef QUEUE_OUTBOX_H
#define QUEUE_OUTBOX_H

#include <stdint.h>

struct entry;
struct fault;
struct sqlite3;

/*
 * The outbox: a table in an application's own database, so that a metric
 * commits or rolls back with the application's data.  Handle and transaction
 * are the caller's; nothing else of the file is touched.  mover.h brings the
 * rows into the queue.
 */

/** Make the tables, if they are not there; inside the caller's transaction, or
 * at once.  0 or -1. */
int outbox_install(struct sqlite3 *handle, struct fault *fault);

/** Insert ${entry}, which passed entry_check() and was rendered with these
 * canonical ${dimensions}.  0 with the ${id} of the row in the outbox, or -1. */
int outbox_insert(struct sqlite3 *handle, const struct entry *entry,
    const char *dimensions, int64_t *id, struct fault *fault);

/** What SQLite's ${code} means of a file that is not a queue: "cannot ${doing}
 * the outbox".  Returns -1. */
int outbox_fail(
    struct sqlite3 *handle, int code, const char *doing, struct fault *fault);

#endif
