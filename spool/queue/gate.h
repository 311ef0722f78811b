#ifndef QUEUE_GATE_H
#define QUEUE_GATE_H

#include <stdint.h>

struct fault;

/*
 * The writers' turnstile (contract.md H5): a file beside the queue, held with
 * flock() around every write transaction.  It also carries the mark of H9:
 * the last id that was committed, with a CRC, outside the database.
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
/** Write the mark, unsynced; an error is ignored, it only makes a gap go
 * unnoticed. */
void gate_set_mark(struct gate *gate, int64_t last_id);

#endif
