#include "fresh.h"

#include "base/config.h"
#include "queue/border.h"

#include "core_state.h"
#include "lane.h"

bool
fresh_may_go(const struct lane *lane)
{
	const struct fresh *fresh = &lane->fresh;

	return fresh->share > 0 && lane->late_after_ms > 0 &&
	    lane->late_policy == CONFIG_LATE_SEND && !fresh->out &&
	    !fresh->none;
}

static int64_t
late_before(const struct lane *lane)
{
	return core_wall_ms(lane->core) - lane->late_after_ms;
}

/* The first row that was not taken since the rewind.  Once the drain has come
 * to what the fresh end sent, it goes on behind that. */
static int
find_head(struct lane *lane, struct border_row *head)
{
	struct fresh *fresh = &lane->fresh;
	int found;

	found = border_row(
	    lane->core->db, lane->row.id, lane->through_id + 1, head);
	if (found == -1 || fresh->first_id == 0 ||
	    (found == 1 && head->id < fresh->first_id))
		return found;
	lane->through_id = fresh->last_id;
	fresh_rewind(lane);
	return border_row(
	    lane->core->db, lane->row.id, lane->through_id + 1, head);
}

/* Whether the share gives the next request to the fresh end.  Requests count
 * as well as rows: a few rows at a time would take the head's pace away. */
static bool
is_its_turn(const struct fresh *fresh)
{
	int64_t rest = 100 - fresh->share;

	return fresh->debt <= 0 &&
	    fresh->run < (fresh->share + rest - 1) / rest;
}

/* Set from_id.  1, 0 (no row is fresh), -1. */
static int
find_fresh(struct lane *lane, const struct border_row *head)
{
	struct fresh *fresh = &lane->fresh;
	struct db *db = lane->core->db;
	struct border_row row;
	int64_t first, last;
	int found;

	if (fresh->first_id > 0) {
		found = border_row(db, lane->row.id, fresh->last_id + 1, &row);
		if (found != 1)
			return found;
		fresh->from_id = row.id;
		/* The end has moved on, farther than it was drained. */
		lane->rewind = border_is_late(&row, late_before(lane));
		return !lane->rewind;
	}
	if (border_ends(db, lane->row.id, &first, &last) ||
	    border_find(db, lane->row.id, late_before(lane), head->id, last + 1,
		&fresh->from_id))
		return -1;
	return fresh->from_id <= last;
}

enum fresh_end
fresh_choose(struct lane *lane)
{
	struct fresh *fresh = &lane->fresh;
	int64_t now_ms = core_steady_ms(lane->core);
	bool head_may = pace_ready_at(&lane->late_pace, now_ms) <= now_ms;
	struct border_row head;
	int found;

	if (!fresh_may_go(lane) && fresh->first_id == 0)
		return FRESH_HEAD;
	if ((found = find_head(lane, &head)) == -1)
		return FRESH_FAILED;
	if (found == 0 || !fresh_may_go(lane))
		return FRESH_HEAD;
	if (head_may &&
	    (!is_its_turn(fresh) || !border_is_late(&head, late_before(lane))))
		return FRESH_HEAD;
	if ((found = find_fresh(lane, &head)) == -1)
		return FRESH_FAILED;
	if (found == 1)
		return FRESH_END;
	fresh->none = true;
	return head_may ? FRESH_HEAD : FRESH_NEITHER;
}

/* Neither end saves up more than a request. */
void
fresh_count(struct lane *lane, bool fresh, int64_t rows)
{
	struct fresh *it = &lane->fresh;
	int64_t most = lane->core->config->batch.max_rows;

	it->debt += fresh ? rows * (100 - it->share) : -rows * it->share;
	if (it->debt > most * (100 - it->share))
		it->debt = most * (100 - it->share);
	if (it->debt < -most * it->share)
		it->debt = -most * it->share;
	it->run = fresh ? it->run + 1 : 0;
}

void
fresh_sent(struct lane *lane, int64_t first_id, int64_t last_id)
{
	if (lane->fresh.first_id == 0)
		lane->fresh.first_id = first_id;
	lane->fresh.last_id = last_id;
	lane->fresh.out = true;
}

void
fresh_rewind(struct lane *lane)
{
	lane->fresh.first_id = lane->fresh.last_id = 0;
}
