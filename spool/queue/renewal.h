#ifndef QUEUE_RENEWAL_H
#define QUEUE_RENEWAL_H

struct db;
struct sqlite3;

/**
 * renewal_make(db, handle):
 * Where the gate of ${db} says that a commit ended in doubt (H12): write the
 * log to the disk once more, word for word, and sync it, so that what is
 * appended, or copied back, stands on what is there; what a commit that failed
 * left behind its end is spoilt.  ${handle} is a
 * connection of ${db} that holds the lock of writers and has written nothing.
 * 0, or -1 with the fault; then the doubt stays, and nothing may be written.
 */
int renewal_make(struct db *db, struct sqlite3 *handle);

#endif
