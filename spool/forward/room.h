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
 */

#define ROOM_STEP ((int64_t)1024 * 1024)       /* log of a commit, or a chore */
#define ROOM_REPLAY (4 * (int64_t)1024 * 1024) /* of OPERATION_ROWS that move */

/** Whether there is room for ${more} bytes of log, where need be once what there
 * is of it is copied back. */
bool room_lasts(struct core *core, int64_t more);
/** The same, where need be by giving up the ballast. */
bool room_make(struct core *core, int64_t more);
/** A commit found the disk full: give up the ballast, copy the log back. */
void room_find(struct core *core);
/** That there is none. */
void room_fault(const struct core *core, struct fault *fault);

#endif
