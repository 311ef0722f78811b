#include "wishes.h"

#include "base/log.h"
#include "queue/db.h"
#include "queue/suspect.h"
#include "queue/wish.h"

#include "core_state.h"
#include "lane.h"
#include "roster.h"

static void
tell(const struct lane *lane, const char *what)
{
	char name[800], text[300];

	log_event(LOG_INFO, "lane_asked", "lane=%s asked=%s state=%s reason=%s",
	    lane_name(lane, name, sizeof(name)), what,
	    lane_state_name(lane->row.state),
	    log_text(text, sizeof(text), lane->row.reason));
}

/* The lane's row became another one by an operator's will. */
static void
take_over(struct lane *lane, const struct lane_row *row)
{
	bool held = lane->row.state == LANE_HELD || row->state == LANE_HELD;

	lane->row = *row;
	if (!held)
		return;
	lane->wake_ms = -1;
	lane->probe_after = 0;
	lane->probe_asked = false;
	lane_drop_parts(lane);
	lane->rewind = true;
	/* Those who looked at the deaths start counting anew. */
	if (row->state == LANE_READY)
		brake_clear(&lane->brake);
	roster_find_signer(lane);
}

/* Waiting lanes are simply tried now, whatever pause the receiver asked for:
 * a proxy's Retry-After of an hour may be nonsense. */
static void
ask_for_probe(struct lane *lane)
{
	lane->probe_asked = lane->row.state == LANE_HELD;
	if (lane->row.state != LANE_WAITING)
		return;
	lane->wake_ms = core_steady_ms(lane->core);
	account_pause_ends(lane->account);
}

static int
write_down(struct lane *lane, struct wish *wish, struct lane_row *row)
{
	static const struct wish SEEN = { .ask = LANE_ASK_NOTHING };
	struct db *db = lane->core->db;
	int found;

	if ((found = wish_load(db, row->id, wish)) != 1)
		return found;
	wish_apply(wish, row, core_wall_ms(lane->core));
	if (wish->ask == LANE_ASK_RELEASE && suspect_pardon(db, row->id))
		return -1;
	return lane_store(db, row) || wish_store(db, row->id, &SEEN) ? -1 : 0;
}

int
wishes_take(struct lane *lane)
{
	struct wish wish = { .ask = LANE_ASK_NOTHING };
	struct lane_row row = lane->row;
	struct db *db = lane->core->db;

	/* One bracket: a wish is applied and gone, or it is still there. */
	if (db_begin(db))
		return -1;
	if (write_down(lane, &wish, &row)) {
		db_rollback(db);
		return -1;
	}
	if (db_commit(db))
		return -1;
	if (wish.ask == LANE_ASK_NOTHING)
		return 0;
	/* Memory pardons as well; where that fails it forgets, which pardons. */
	if (wish.ask == LANE_ASK_RELEASE)
		(void)suspects_load(&lane->core->suspects, db);
	if (wish.ask == LANE_ASK_PROBE)
		ask_for_probe(lane);
	else if (wish.ask == LANE_ASK_HOLD || lane->row.state == LANE_HELD)
		take_over(lane, &row);
	tell(lane, wish_name(wish.ask));
	return 0;
}

static bool
is_held_for_a_time(const struct lane *lane)
{
	return lane->row.state == LANE_HELD && lane->row.held_until >= 0;
}

void
wishes_expire(struct core *core)
{
	struct lane_row row;
	size_t i;

	for (i = 0; i < core->lane_count; i++) {
		if (!is_held_for_a_time(core->lanes[i]))
			continue;
		core->lanes[i]->changed |= wish_clamp(
		    &core->lanes[i]->row, core_wall_ms(core));
		row = core->lanes[i]->row;
		if (!wish_expire(&row, core_wall_ms(core)))
			continue;
		take_over(core->lanes[i], &row);
		core->lanes[i]->changed = true;
		tell(core->lanes[i], "expired");
	}
}

int64_t
wishes_next_ms(const struct core *core)
{
	int64_t next_ms = -1, left_ms;
	size_t i;

	for (i = 0; i < core->lane_count; i++) {
		if (!is_held_for_a_time(core->lanes[i]))
			continue;
		left_ms = core->lanes[i]->row.held_until - core_wall_ms(core);
		if (left_ms < 0)
			left_ms = 0;
		if (next_ms < 0 || left_ms < next_ms)
			next_ms = left_ms;
	}
	return next_ms < 0 ? -1 : core_steady_ms(core) + next_ms;
}
