#include "replay.h"

#include "db.h"
#include "deadletter.h"
#include "former.h"
#include "lane.h"
#include "ledger.h"
#include "metric.h"
#include "origin.h"

/* What a call moves; a run of rows of one lane is counted at once. */
struct moving {
	struct db *db;
	int64_t group_id;
	bool alone;
	int64_t next_id, moved;
	int64_t lane_id, lane_rows;
};

static int
count_lane(struct moving *moving, int64_t lane_id)
{
	if (lane_id == moving->lane_id)
		return 0;
	if (moving->lane_rows > 0 &&
	    lane_count(moving->db, moving->lane_id, moving->lane_rows))
		return -1;
	moving->lane_id = lane_id;
	moving->lane_rows = 0;
	return 0;
}

static int
move(struct moving *moving, int64_t id)
{
	int64_t new_id = moving->next_id + moving->moved, revived, lane_id;
	int found;

	if ((found = deadletter_lane(moving->db, id, &lane_id)) != 1)
		return found;
	if ((revived = metric_revive(moving->db, id, new_id)) != 1)
		return (int)revived;
	if (former_replay(moving->db, id, new_id) ||
	    deadletter_remove(moving->db, id) == -1 ||
	    origin_replay(
		moving->db, id, new_id, moving->group_id, moving->alone) ||
	    count_lane(moving, lane_id))
		return -1;
	moving->lane_rows++;
	moving->moved++;
	return 0;
}

int64_t
replay_rows(struct db *db, const int64_t *ids, size_t count, int64_t group_id,
    bool alone)
{
	struct moving moving = {
		.db = db, .group_id = group_id, .alone = alone, .lane_id = -1
	};
	int64_t first_id;
	size_t i;

	if (ledger_next_id(db, &moving.next_id))
		return -1;
	for (i = 0; i < count; i++)
		if (move(&moving, ids[i]))
			return -1;
	if (count_lane(&moving, -1))
		return -1;
	if (moving.moved > 0 && ledger_replay(db, moving.moved, &first_id))
		return -1;
	return moving.moved;
}
