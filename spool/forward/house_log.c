#include "housekeeping_state.h"

#include <sys/stat.h>

#include "queue/bound.h"
#include "queue/checkpoint.h"
#include "queue/db.h"

#include "room.h"

#define RETRY_MS 1000 /* after a checkpoint that could not be made */

/* When the WAL was written last; a checkpoint does not write it. */
static int64_t
wal_written_ns(const struct housekeeping *housekeeping)
{
	struct stat status;

	if (stat(db_place(housekeeping->db)->wal, &status) == -1)
		return 0;
	return (int64_t)status.st_mtim.tv_sec * 1000000000 +
	    status.st_mtim.tv_nsec;
}

bool
house_log_is_long(struct housekeeping *housekeeping)
{
	int64_t size = db_wal_bytes(housekeeping->db);

	if (size < housekeeping->wal_size)
		housekeeping->wal_size = size;
	return housekeeping->wal_bytes >= housekeeping->wal_most ||
	    (size >= housekeeping->wal_most && size > housekeeping->wal_size);
}

bool
house_is_short(struct housekeeping *housekeeping)
{
	return bound_disk_lacks(housekeeping->db, ROOM_AHEAD) > 0;
}

bool
house_is_tight(struct housekeeping *housekeeping)
{
	return bound_disk_lacks(housekeeping->db, ROOM_STEP) > 0;
}

static void
checkpoint(struct housekeeping *housekeeping, int64_t steady_ms)
{
	int64_t written_ns = wal_written_ns(housekeeping);
	int64_t size = db_wal_bytes(housekeeping->db);
	enum checkpoint_result result;

	result = checkpoint_guarded(housekeeping->db, false);
	if (result == CHECKPOINT_FAILED)
		house_complain(housekeeping, "checkpoint");
	if (result != CHECKPOINT_DONE) {
		housekeeping->checkpoint_ms = steady_ms + RETRY_MS;
		return;
	}
	housekeeping->wal_bytes = 0;
	housekeeping->wal_size = size;
	housekeeping->wal_written_ns = written_ns;
}

void
house_log(struct housekeeping *housekeeping, int64_t steady_ms)
{
	if (steady_ms < housekeeping->checkpoint_ms)
		return;
	if (house_log_is_long(housekeeping) || house_is_short(housekeeping) ||
	    (house_is_rested(housekeeping, steady_ms, SETTLE_MS) &&
		wal_written_ns(housekeeping) != housekeeping->wal_written_ns))
		checkpoint(housekeeping, steady_ms);
}
