#include "wish.h"

#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "db.h"

static const char STORE[] =
    "UPDATE lane SET asked = :asked, asked_reason = :reason,"
    "  asked_until = :until WHERE id = :id";

static const char LOAD[] = "SELECT asked, asked_reason, asked_until FROM lane"
			   " WHERE id = :id AND asked IS NOT NULL";

static const char *const ASKS[] = {
	[LANE_ASK_NOTHING] = "",
	[LANE_ASK_HOLD] = "hold",
	[LANE_ASK_RELEASE] = "release",
	[LANE_ASK_PROBE] = "probe",
};
#define ASK_COUNT ((int)(sizeof(ASKS) / sizeof(ASKS[0])))

int
wish_store(struct db *db, int64_t lane_id, const struct wish *wish)
{
	struct sqlite3_stmt *stmt;
	bool hold = wish->ask == LANE_ASK_HOLD;

	if ((stmt = db_prepare(db, STORE)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", lane_id);
	db_bind_text(db, stmt, ":asked", cell_or_null(ASKS[wish->ask]));
	db_bind_text(db, stmt, ":reason", hold ? wish->reason : NULL);
	db_bind_optional(db, stmt, ":until", hold ? wish->until : -1, -1);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

int
wish_load(struct db *db, int64_t lane_id, struct wish *wish)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", lane_id);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	wish->ask = wish_named(db_column_text(stmt, 0));
	cell_copy(wish->reason, sizeof(wish->reason), stmt, 1);
	wish->until = db_column_optional(stmt, 2, -1);
	db_reset(stmt);
	return 1;
}

static void
enter(struct lane_row *row, enum lane_state state, int64_t now_ms)
{
	if (row->state != state)
		row->since_at = now_ms;
	row->state = state;
	row->failures = 0;
	row->wake_at = -1;
	row->code = -1;
	row->held_until = -1;
}

static void
hold(struct lane_row *row, const struct wish *wish, int64_t now_ms)
{
	bool braked = row->state == LANE_HELD &&
	    strcmp(row->scope, LANE_BRAKE) == 0;

	enter(row, LANE_HELD, now_ms);
	if (!braked)
		row->scope[0] = '\0';
	snprintf(row->held_by, sizeof(row->held_by), "operator");
	snprintf(row->reason, sizeof(row->reason), "%s", wish->reason);
	row->held_until = wish->until;
}

static void
release(struct lane_row *row, int64_t now_ms)
{
	enter(row, LANE_READY, now_ms);
	row->scope[0] = row->held_by[0] = row->reason[0] = '\0';
	if (row->doomed_through >= 0)
		row->doomed_through =
		    0; /* it stays a suspect, with none doomed */
}

void
wish_apply(const struct wish *wish, struct lane_row *row, int64_t now_ms)
{
	if (wish->ask == LANE_ASK_HOLD)
		hold(row, wish, now_ms);
	else if (wish->ask == LANE_ASK_RELEASE && row->state == LANE_HELD)
		release(row, now_ms);
}

bool
wish_clamp(struct lane_row *row, int64_t now_ms)
{
	int64_t span_ms;

	if (row->state != LANE_HELD || row->held_until < 0 ||
	    row->since_at <= now_ms)
		return false;
	span_ms = row->held_until - row->since_at;
	row->since_at = now_ms;
	row->held_until = now_ms + (span_ms > 0 ? span_ms : 0);
	return true;
}

bool
wish_expire(struct lane_row *row, int64_t now_ms)
{
	if (row->state != LANE_HELD || row->held_until < 0 ||
	    now_ms < row->held_until)
		return false;
	if (strcmp(row->scope, LANE_BRAKE) != 0) {
		release(row, now_ms);
		return true;
	}
	row->held_until = -1;
	snprintf(row->held_by, sizeof(row->held_by), "forwarder");
	return true;
}

const char *
wish_name(enum lane_ask ask)
{
	return ASKS[ask];
}

enum lane_ask
wish_named(const char *name)
{
	int ask;

	for (ask = 0; ask < ASK_COUNT; ask++)
		if (strcmp(ASKS[ask], name) == 0)
			return (enum lane_ask)ask;
	return LANE_ASK_NOTHING;
}
