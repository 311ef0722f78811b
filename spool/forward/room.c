#include "room.h"

#include "base/fault.h"
#include "base/log.h"
#include "queue/ballast.h"
#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/db.h"
#include "queue/gate.h"

#include "core_state.h"

#define GATE_WAIT_MS 100 /* writers are quick, on a disk that is full */
#define PATIENT 5        /* failures while somebody else is in the way */

static void
release_ballast(struct core *core, int64_t bytes)
{
	int64_t freed = ballast_release(db_place(core->db)->ballast, bytes);

	if (freed > 0)
		log_event(LOG_WARN, "ballast_released", "bytes=%lld",
		    (long long)freed);
}

/* In turn with the writers, who may be many: what the ballast sets free must
 * not lie open while one waits.  Return whether all is copied back. */
static bool
copy_back(struct core *core, int64_t release)
{
	struct gate *gate = db_gate(core->db);
	struct fault ignored;
	bool done;

	if (gate == NULL || gate_enter(gate, GATE_WAIT_MS, &ignored) != GATE_IN)
		return false;
	if (release > 0)
		release_ballast(core, release);
	done = checkpoint_guarded(core->db, true) == CHECKPOINT_DONE;
	gate_leave(gate);
	return done;
}

bool
room_lasts(struct core *core, int64_t more)
{
	if (bound_disk_lacks(core->db, ROOM_AHEAD) == 0)
		return true;
	return copy_back(core, 0) || bound_disk_lacks(core->db, more) == 0;
}

bool
room_make(struct core *core, int64_t more)
{
	if (room_lasts(core, more))
		return true;
	/* a reader, or a writer, who will be gone soon */
	if (bound_disk_lacks(core->db, 0) == 0 &&
	    core->settle.failures < PATIENT)
		return false;
	(void)copy_back(core, bound_disk_lacks(core->db, more));
	return bound_disk_lacks(core->db, more) == 0;
}

void
room_find(struct core *core, unsigned failures)
{
	if (failures > 0 || !copy_back(core, 0))
		(void)copy_back(core, ROOM_STEP);
}

void
room_fault(const struct core *core, struct fault *fault)
{
	const struct place *place = db_place(core->db);

	if (bound_disk_lacks(core->db, 0) > 0) {
		fault_set(fault, FAULT_DISK_FULL,
		    "no space is left on the disk for copying back the log of"
		    " %s",
		    place->file);
		fault_hint(fault, "free some space: df -h %.160s", place->dir);
		return;
	}
	fault_set(fault, FAULT_DISK_FULL,
	    "the disk of %s is nearly full, and its log cannot be copied back"
	    " while a program reads it",
	    place->file);
	fault_hint(fault,
	    "end what reads the queue for long, or free some space: df -h"
	    " %.160s",
	    place->dir);
}
