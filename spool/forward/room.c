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

/* In turn with the writers, who may be many. */
static void
copy_back(struct core *core)
{
	struct gate *gate = db_gate(core->db);
	struct fault ignored;

	if (gate == NULL || gate_enter(gate, GATE_WAIT_MS, &ignored) != GATE_IN)
		return;
	(void)checkpoint_guarded(core->db, true);
	gate_leave(gate);
}

static void
release_ballast(struct core *core)
{
	int64_t freed = ballast_release(db_place(core->db)->ballast);

	if (freed > 0)
		log_event(LOG_WARN, "ballast_released", "bytes=%lld",
		    (long long)freed);
}

bool
room_lasts(struct core *core, int64_t more)
{
	if (bound_disk_lasts(core->db, more))
		return true;
	copy_back(core);
	return bound_disk_lasts(core->db, more);
}

void
room_find(struct core *core)
{
	release_ballast(core);
	copy_back(core);
}

bool
room_make(struct core *core, int64_t more)
{
	if (room_lasts(core, more))
		return true;
	room_find(core);
	return bound_disk_lasts(core->db, more);
}

void
room_fault(const struct core *core, struct fault *fault)
{
	fault_set(fault, FAULT_DISK_FULL,
	    "no space is left on the disk for copying back the log of %s",
	    db_place(core->db)->file);
	fault_hint(
	    fault, "free some space: df -h %.160s", db_place(core->db)->dir);
}
