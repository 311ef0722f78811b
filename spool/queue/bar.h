#ifndef QUEUE_BAR_H
#define QUEUE_BAR_H

#include <stdbool.h>

struct sqlite3;

/*
 * Keeps everybody from checkpointing a file that is not ours while we commit
 * to it.  SQLite before 3.51.3 may lose frames where one connection commits
 * while another's checkpoint begins (contract.md H2); the guard that serves the
 * queue is no use here, since it is the application that checkpoints.  The
 * lock is the one that each checkpoint takes first (sqlite.org/walformat.html,
 * "WAL Locks"), so that a checkpoint of the application's is busy meanwhile.
 */

/** Before BEGIN, on a connection that has read.  SQLITE_OK; ${barred} tells
 * whether there is a log to speak of.  SQLITE_BUSY while somebody checkpoints. */
int bar_checkpoints(struct sqlite3 *handle, bool *barred);
/** After the transaction has ended. */
void unbar_checkpoints(struct sqlite3 *handle);

#endif
