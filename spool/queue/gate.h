#ifndef QUEUE_GATE_H
#define QUEUE_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

/*
 * The writers' turnstile (contract.md H5): a file beside the queue, held with
 * flock() around every write transaction.  It also carries the mark of H9,
 * the last id that was committed, with a CRC, outside the database; and the
 * doubt of H12, which lies on the log from before a COMMIT until it is known
 * to have succeeded, so that it outlives who was killed or failed in it.
 */
struct gate;

/** Open the gate file, made with mode 0660 if it is missing. */
struct gate *gate_open(const char *path, struct fault *fault);
/** Also leaves it, unless this process is a fork() of the one inside. */
void gate_close(struct gate *gate);

enum gate_entered {
	GATE_IN,
	GATE_BUSY, /* not within the wait; FAULT_QUEUE_BUSY is set */
	GATE_FAILED
};

/** Wait at most ${wait_ms} (0: do not wait) for the turn; who waited longer
 * gets it sooner.  Entries nest: as many gate_leave() as gate_enter(). */
enum gate_entered gate_enter(
    struct gate *gate, int64_t wait_ms, struct fault *fault);
void gate_leave(struct gate *gate);

/** The mark: last committed id; -1 when there is none or it is damaged.  To
 * be called inside. */
int64_t gate_mark(struct gate *gate);
/** Write the mark, unsynced, and end the doubt; an error is ignored, it only
 * makes a gap go unnoticed, and the doubt last. */
void gate_set_mark(struct gate *gate, int64_t last_id);

/** Whether the log may hold frames that are not on the disk, and that a sync
 * would not write.  To be called inside. */
bool gate_doubt(struct gate *gate);
/** Begin or end it, unsynced: a power cut takes such frames along.  0, or -1
 * with errno. */
int gate_set_doubt(struct gate *gate, bool doubt);

#endif
