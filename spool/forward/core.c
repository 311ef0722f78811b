#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "protocol/disposition.h"
#include "queue/bound.h"
#include "queue/db.h"

#include "bounds.h"
#include "core_state.h"
#include "hold.h"
#include "lane.h"
#include "roster.h"
#include "wishes.h"

/* Rows that go without a request are settled in rounds; between so many of
 * them the loop gets its turn. */
#define ROUNDS_A_TURN 16
/* A --once or --drain run gives a queue up that failed so often in a row; what
 * reads as damaged is read anew from the disk before. */
#define DAMAGED_TRIES 2
#define FAILED_TRIES 10

/* ---- life ---- */

struct core *
core_new(const struct world *world, struct db *db, const struct config *config,
    const struct credentials *credentials, enum core_mode mode,
    struct fault *fault)
{
	struct core *core;

	if ((core = calloc(1, sizeof(*core))) == NULL) {
		fault_set(fault, FAULT_INTERNAL, "out of memory");
		return NULL;
	}
	core->world = world;
	core->db = db;
	core->config = config;
	core->credentials = credentials;
	core->mode = mode;
	/* A run that ends before the next probe is due has one alone, and it
	 * shall not always be that of the same lane. */
	if (mode != CORE_RUN)
		core->prober = (size_t)(core_random(core) >> 33);
	core->settle.told_ms = -1;
	(void)bound_apply(db, config->queue.max_size, true);
	core->dispositions = dispositions_new(
	    config->codes, config->code_count, fault);
	if (core->dispositions == NULL)
		goto fail;
	if (status_forwarder_read(db, &core->settle.told) ||
	    suspects_load(&core->suspects, db) || roster_start(core) ||
	    roster_look(core)) {
		*fault = *db_fault(db);
		if (fault->kind == FAULT_NONE)
			fault_set(fault, FAULT_INTERNAL, "out of memory");
		goto fail;
	}
	roster_recall_deaths(core);
	core->replay.look = true;
	core->settle.told.started_at = core_wall_ms(core);
	snprintf(core->settle.told.endpoint, sizeof(core->settle.told.endpoint),
	    "%.*s", (int)sizeof(core->settle.told.endpoint) - 1,
	    config->receiver.url);
	core->settle.told_changed = true;
	return core;

fail:
	core_free(core);
	return NULL;
}

void
core_free(struct core *core)
{
	size_t i;

	if (core == NULL)
		return;
	for (i = 0; i < core->lane_count; i++)
		lane_free(core->lanes[i]);
	free(core->lanes);
	free(core->accounts);
	settle_free(&core->settle);
	suspects_free(&core->suspects);
	replay_free(&core->replay);
	dispositions_free(core->dispositions);
	free(core);
}

void
core_bound(struct core *core, const struct core_bounds *bounds)
{
	size_t i;

	core->bounds = *bounds;
	for (i = 0; i < core->lane_count; i++)
		core->lanes[i]->skipped = bounds_skip(core, core->lanes[i]);
}

void
core_wake(struct core *core)
{
	core->look = true;
	core->replay.look = true;
}

static void
look(struct core *core)
{
	char text[300];

	core->unreadable = roster_look(core) == -1;
	core->look = core->unreadable;
	if (!core->unreadable) {
		/* somebody may have purged */
		core->dead_full &= bound_overflows(core->db, core->config) == 1;
		return;
	}
	core->settle.blocked = true;
	core->settle.retry_ms = core_steady_ms(core) + 1000;
	core->settle.trouble = *db_fault(core->db);
	if (core->settle.failures++ == 0)
		log_event(LOG_ERROR, "queue_unreadable", "error=%s",
		    log_reason(text, sizeof(text), db_fault(core->db)));
}

/* Each turn begins with another lane, so that none is always last when the
 * pace allows few requests. */
static void
pump_all(struct core *core)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		lane_pump(core->lanes[(core->first + i) % core->lane_count]);
	if (core->lane_count > 0)
		core->first = (core->first + 1) % core->lane_count;
}

/* Requests are started before the commit, so that they travel meanwhile. */
static bool
one_round(struct core *core)
{
	replay_turn(core);
	if (core->look)
		look(core);
	wishes_expire(core);
	pump_all(core);
	if (!settle_waits(core))
		return false;
	settle_commit(core);
	return !core->settle.blocked;
}

void
core_turn(struct core *core)
{
	int rounds = 0;

	if (core->settle.blocked) {
		if (core_steady_ms(core) < core->settle.retry_ms)
			return;
		if (core->unreadable)
			look(core);
		if (!core->unreadable)
			settle_commit(core);
	}
	while (!core->settle.blocked && rounds++ < ROUNDS_A_TURN) {
		if (!one_round(core)) {
			if (core_quiet(core) && !core->stopping)
				roster_collect(core);
			return;
		}
		/* deaths make it long, and a turn ends with its checkpoint */
		if (bound_log_is_long(core->db, core->config))
			return;
	}
}

int64_t
core_next_ms(const struct core *core)
{
	int64_t next_ms = settle_next_ms(core), lane_ms;
	int64_t ends_ms = wishes_next_ms(core);
	int64_t replay_ms = replay_next_ms(core);
	size_t i;

	if (core->settle.blocked)
		return next_ms;
	if (core->look)
		return core_steady_ms(core);
	if (core->stopping)
		return next_ms;
	if (ends_ms >= 0 && (next_ms < 0 || ends_ms < next_ms))
		next_ms = ends_ms;
	if (replay_ms >= 0 && (next_ms < 0 || replay_ms < next_ms))
		next_ms = replay_ms;
	for (i = 0; i < core->lane_count; i++) {
		lane_ms = lane_next_ms(core->lanes[i]);
		if (lane_ms >= 0 && (next_ms < 0 || lane_ms < next_ms))
			next_ms = lane_ms;
	}
	return next_ms;
}

int
core_reload(struct core *core, const struct config *config,
    const struct credentials *credentials, struct fault *fault)
{
	struct core before = *core;

	core->dispositions = dispositions_new(
	    config->codes, config->code_count, fault);
	if (core->dispositions == NULL)
		goto restore;
	core->config = config;
	core->credentials = credentials;
	(void)bound_apply(core->db, config->queue.max_size, true);
	if (roster_start(core)) {
		fault_set(fault, FAULT_INTERNAL, "out of memory");
		dispositions_free(core->dispositions);
		goto restore;
	}
	free(before.accounts);
	dispositions_free(before.dispositions);
	core->clock_offset_ms = 0;
	core->clock_corrected = false;
	roster_reconsider(core);
	core->look = true;
	return 0;

restore:
	*core = before;
	return -1;
}

void
core_hurry(struct core *core)
{
	size_t i;

	for (i = 0; i < core->account_count; i++)
		account_pause_ends(&core->accounts[i]);
	for (i = 0; i < core->lane_count; i++)
		if (core->lanes[i]->row.state == LANE_WAITING)
			core->lanes[i]->wake_ms = core_steady_ms(core);
}

void
core_stop(struct core *core)
{
	core->stopping = true;
}

bool
core_quiet(const struct core *core)
{
	return core->stats.in_flight == 0 && core->settle.head == NULL;
}

bool
core_idle(const struct core *core)
{
	int64_t next_ms;

	if (!core_quiet(core))
		return false;
	next_ms = core_next_ms(core);
	return next_ms < 0 || next_ms > core_steady_ms(core);
}

bool
core_broken(const struct core *core)
{
	return core->settle.broken;
}

bool
core_troubled(const struct core *core)
{
	return core->settle.blocked;
}

static bool
is_working(struct lane *lane, int64_t now_ms)
{
	if (lane_is_busy(lane))
		return true;
	if (lane->row.pending <= 0 || !lane_has_signer(lane) || lane->skipped ||
	    bounds_left(lane->core) == 0)
		return false;
	if (lane->row.state == LANE_HELD)
		return hold_may_probe(lane, now_ms);
	if (lane->unreadable) /* and stays so */
		return false;
	return lane->row.state == LANE_READY || lane->wake_ms <= now_ms ||
	    lane->core->mode != CORE_ONCE ||
	    strcmp(lane->row.scope, scope_name(SCOPE_PACE)) == 0;
}

static bool
any_works(const struct core *core)
{
	int64_t now_ms = core_steady_ms(core);
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		if (is_working(core->lanes[i], now_ms))
			return true;
	return false;
}

bool
core_hopeless(const struct core *core, struct fault *fault)
{
	const struct settle *settle = &core->settle;
	const struct replay *replay = &core->replay;
	bool damaged = settle->trouble.kind == FAULT_CORRUPT;

	if (core->mode == CORE_RUN)
		return false;
	if (settle->blocked &&
	    settle->failures >= (damaged ? DAMAGED_TRIES : FAILED_TRIES)) {
		*fault = settle->trouble;
		return true;
	}
	/* what has nothing to do with it goes on */
	if (replay->failures < FAILED_TRIES || !core_quiet(core) ||
	    any_works(core))
		return false;
	*fault = replay->trouble;
	return true;
}

bool
core_damaged(const struct core *core, struct fault *fault)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		if (core->lanes[i]->unreadable) {
			*fault = core->settle.trouble;
			return true;
		}
	return false;
}

void
core_use_db(struct core *core, struct db *db)
{
	core->db = db;
	(void)bound_apply(db, core->config->queue.max_size, true);
	core->settle.broken = false; /* tried again when it is due */
	core->look = core->replay.look = true;
}

void
core_preview(struct core *core)
{
	pump_all(core);
}

enum core_progress
core_progress(const struct core *core)
{
	int64_t now_ms = core_steady_ms(core);
	bool left = false, endpoint = false;
	struct lane *lane;
	size_t i;

	if (core->settle.head != NULL || core->look || core->settle.blocked ||
	    replay_works(core))
		return CORE_WORKING;
	for (i = 0; i < core->lane_count; i++) {
		lane = core->lanes[i];
		if (is_working(lane, now_ms))
			return CORE_WORKING;
		if (lane->row.pending <= 0 || lane->skipped)
			continue;
		left = true;
		if (strcmp(lane->row.scope, scope_name(SCOPE_ENDPOINT)) == 0)
			endpoint = true;
	}
	if (!left)
		return CORE_EMPTY;
	if (bounds_left(core) == 0)
		return CORE_BOUND;
	return endpoint ? CORE_LEFT_ENDPOINT : CORE_LEFT;
}

void
core_stats(const struct core *core, struct core_stats *stats)
{
	size_t i;

	*stats = core->stats;
	stats->lanes = (int64_t)core->lane_count;
	stats->held_lanes = 0;
	for (i = 0; i < core->lane_count; i++)
		stats->held_lanes += core->lanes[i]->row.state == LANE_HELD;
}
