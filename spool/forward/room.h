#ifndef FORWARD_ROOM_H
#define FORWARD_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct fault;

/*
 * The forwarder on a disk that is full (contract.md H7).  A commit needs log.
 * The log can begin anew only when all of it is copied back, and what it adds
 * to the database needs room for that.  Once that is done neither of the two
 * files has to grow for the rest of a drain, whoever takes what is left of the
 * disk.  So that room is kept, and what the ballast sets free goes there first.
 *
 * A commit that fails for want of room leaves the log's file larger, too.  So
 * the log is copied back long before it comes to that.
 */

#define ROOM_STEP ((int64_t)1024 * 1024)       /* log of a commit, or a chore */
#define ROOM_REPLAY (4 * (int64_t)1024 * 1024) /* of OPERATION_ROWS that move */
#define ROOM_AHEAD (32 * (int64_t)1024 * 1024) /* below which care is taken */

/** Whether there is room for ${more} bytes of log, where need be once what there
 * is of it is copied back. */
bool room_lasts(struct core *core, int64_t more);
/** The same, where need be by giving up some of the ballast. */
bool room_make(struct core *core, int64_t more);
/** A commit found the disk full, the ${failures}-th in a row, from 0: copy the log
 * back, and where that does not help give up some of the ballast. */
void room_find(struct core *core, unsigned failures);
/** That there is none, and why. */
void room_fault(const struct core *core, struct fault *fault);

#endif
