#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "protocol/disposition.h"
#include "queue/db.h"

#include "core_state.h"
#include "hold.h"
#include "key.h"
#include "lane.h"

#define LANES_A_PAGE 32
/* Rows that go without a request are settled in rounds; between so many of
 * them the loop gets its turn. */
#define ROUNDS_A_TURN 16

/* ---- accounts ---- */

static int
start_accounts(struct core *core)
{
	size_t i;

	core->account_count = core->config->account_count;
	core->accounts = calloc(core->account_count, sizeof(*core->accounts));
	if (core->accounts == NULL)
		return -1;
	for (i = 0; i < core->account_count; i++)
		account_start(&core->accounts[i],
		    credentials_of(
			core->credentials, core->config->accounts[i].name),
		    core->config, core_steady_ms(core));
	return 0;
}

static struct account *
find_account(struct core *core, const char *name)
{
	size_t i;

	for (i = 0; i < core->account_count; i++)
		if (core->accounts[i].credential != NULL &&
		    strcmp(core->accounts[i].credential->account, name) == 0)
			return &core->accounts[i];
	return NULL;
}

/* ---- lanes ---- */

/* Without somebody to sign for it a lane is held; a reload may cure that. */
static void
find_signer(struct lane *lane)
{
	char reason[LANE_TEXT];

	lane->account = find_account(lane->core, lane->row.account);
	if (lane->account != NULL || lane->row.state == LANE_HELD)
		return;
	snprintf(reason, sizeof(reason),
	    "no account of that name in the configuration: %.180s",
	    lane->row.account);
	lane_set_held(lane, scope_name(SCOPE_ACCOUNT), -1, reason, 0);
}

/* A stored wake time that is still to come, clamped to what could have been
 * meant (contract.md C11). */
static int64_t
remaining_ms(const struct core *core, const struct lane_row *row)
{
	const struct config_retry *retry = &core->config->retry;
	int64_t left_ms = row->wake_at - core_wall_ms(core), most_ms;

	most_ms = row->state == LANE_WAITING ? retry->max_ms
					     : retry->blocked_probe_most_ms;
	if (left_ms > most_ms)
		left_ms = most_ms;
	return left_ms < 0 ? 0 : left_ms;
}

static bool
probed_at_start(const struct lane_row *row)
{
	return strcmp(row->held_by, "operator") != 0 &&
	    (strcmp(row->scope, scope_name(SCOPE_ACCOUNT)) == 0 ||
		strcmp(row->scope, scope_name(SCOPE_ENDPOINT)) == 0 ||
		strcmp(row->scope, scope_name(SCOPE_CLOCK)) == 0) &&
	    row->code != 1008 && row->code != 4300;
}

/* Take over the state that an earlier process left. */
static void
resume(struct lane *lane)
{
	struct core *core = lane->core;
	int64_t now_ms = core_steady_ms(core);

	if (lane->row.state == LANE_WAITING && core->mode == CORE_ONCE) {
		lane->row.failures = 0;
		lane_set_ready(lane);
	}
	if (lane->row.state != LANE_READY && lane->row.wake_at >= 0)
		lane->wake_ms = now_ms + remaining_ms(core, &lane->row);
	if (lane->row.state == LANE_HELD && probed_at_start(&lane->row))
		lane->wake_ms = now_ms;
}

static int
add_lane(struct core *core, const struct lane_row *row)
{
	struct lane **more, *lane;
	size_t room;

	if (core->lane_count == core->lane_room) {
		room = core->lane_room * 2 + 8;
		more = realloc(core->lanes, room * sizeof(struct lane *));
		if (more == NULL)
			return -1;
		core->lanes = more;
		core->lane_room = room;
	}
	if ((lane = lane_new(core, row)) == NULL)
		return -1;
	core->lanes[core->lane_count++] = lane;
	resume(lane);
	find_signer(lane);
	hold_join(lane);
	return 0;
}

/* Lanes are listed by id, and none is ever removed. */
static int
take_lane(struct core *core, size_t index, const struct lane_row *row)
{
	if (index == core->lane_count)
		return add_lane(core, row);
	core->lanes[index]->row.pending = row->pending;
	return 0;
}

/* Which lanes there are, and how many rows each has. */
static int
look_at_lanes(struct core *core)
{
	struct lane_row *rows;
	int64_t after = 0;
	size_t index = 0;
	int count = 0, i;

	if ((rows = malloc(LANES_A_PAGE * sizeof(*rows))) == NULL)
		return -1;
	while ((count = lane_list(core->db, after, rows, LANES_A_PAGE)) > 0) {
		for (i = 0; i < count; i++)
			if (take_lane(core, index++, &rows[i])) {
				count = -1;
				goto done;
			}
		after = rows[count - 1].id;
	}
done:
	free(rows);
	return count;
}

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
	core->settle.told_ms = -1;
	core->dispositions = dispositions_new(
	    config->codes, config->code_count, fault);
	if (core->dispositions == NULL)
		goto fail;
	if (status_forwarder_read(db, &core->settle.told) ||
	    suspects_load(&core->suspects, db) || start_accounts(core) ||
	    look_at_lanes(core)) {
		*fault = *db_fault(db);
		if (fault->kind == FAULT_NONE)
			fault_set(fault, FAULT_INTERNAL, "out of memory");
		goto fail;
	}
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
	dispositions_free(core->dispositions);
	free(core);
}

void
core_wake(struct core *core)
{
	core->look = true;
}

static void
look(struct core *core)
{
	char text[300];

	core->look = false;
	if (look_at_lanes(core) != -1)
		return;
	core->look = true;
	core->settle.blocked = true;
	core->settle.failures++;
	core->settle.retry_ms = core_steady_ms(core) + 1000;
	log_event(LOG_ERROR, "queue_unreadable", "error=%s",
	    log_text(text, sizeof(text), db_error(core->db)));
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

void
core_turn(struct core *core)
{
	int rounds;

	for (rounds = 0; rounds < ROUNDS_A_TURN; rounds++) {
		if (core->settle.blocked &&
		    core_steady_ms(core) < core->settle.retry_ms)
			return;
		core->settle.retry_ms = -1;
		if (settle_waits(core) || core->settle.blocked)
			settle_commit(core);
		if (core->settle.blocked)
			return;
		if (core->look)
			look(core);
		pump_all(core);
		if (core->settle.head == NULL && !core->look)
			return;
	}
}

int64_t
core_next_ms(const struct core *core)
{
	int64_t next_ms = settle_next_ms(core), lane_ms;
	size_t i;

	if (core->settle.blocked)
		return next_ms;
	if (core->look)
		return core_steady_ms(core);
	if (core->stopping)
		return next_ms;
	for (i = 0; i < core->lane_count; i++) {
		lane_ms = lane_next_ms(core->lanes[i]);
		if (lane_ms >= 0 && (next_ms < 0 || lane_ms < next_ms))
			next_ms = lane_ms;
	}
	return next_ms;
}

/* Holds that a new key or setting may have cured are probed at once; what
 * was learned under the old settings is forgotten. */
static void
reconsider(struct lane *lane)
{
	struct core *core = lane->core;

	find_signer(lane);
	lane->row.byte_cap = lane->row.row_cap = -1;
	lane->changed = true;
	if (lane->row.state == LANE_WAITING)
		lane->wake_ms = core_steady_ms(core);
	if (lane->row.state == LANE_HELD &&
	    strcmp(lane->row.held_by, "operator") != 0) {
		lane->row.failures = 0;
		lane->wake_ms = core_steady_ms(core);
	}
}

int
core_reload(struct core *core, const struct config *config,
    const struct credentials *credentials, struct fault *fault)
{
	struct dispositions *dispositions;
	struct account *accounts = core->accounts;
	size_t i;

	dispositions = dispositions_new(
	    config->codes, config->code_count, fault);
	if (dispositions == NULL)
		return -1;
	core->config = config;
	core->credentials = credentials;
	if (start_accounts(core)) {
		core->accounts = accounts;
		dispositions_free(dispositions);
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	}
	free(accounts);
	dispositions_free(core->dispositions);
	core->dispositions = dispositions;
	core->clock_offset_ms = 0;
	core->clock_corrected = false;
	for (i = 0; i < core->lane_count; i++)
		reconsider(core->lanes[i]);
	core->look = true;
	return 0;
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

void
core_use_db(struct core *core, struct db *db)
{
	core->db = db;
	core->settle.broken = false;
	core->settle.retry_ms = core_steady_ms(core);
	core->look = true;
}

static bool
is_working(struct lane *lane, int64_t now_ms)
{
	if (lane->flight != NULL || lane->settling)
		return true;
	if (lane->row.pending <= 0 || lane->account == NULL)
		return false;
	if (lane->row.state == LANE_HELD)
		return hold_may_probe(lane, now_ms);
	return lane->row.state == LANE_READY || lane->wake_ms <= now_ms ||
	    lane->core->mode == CORE_DRAIN ||
	    strcmp(lane->row.scope, scope_name(SCOPE_PACE)) == 0;
}

enum core_progress
core_progress(const struct core *core)
{
	int64_t now_ms = core_steady_ms(core);
	bool left = false, endpoint = false;
	struct lane *lane;
	size_t i;

	if (core->settle.head != NULL || core->look || core->settle.blocked)
		return CORE_WORKING;
	for (i = 0; i < core->lane_count; i++) {
		lane = core->lanes[i];
		if (is_working(lane, now_ms))
			return CORE_WORKING;
		if (lane->row.pending > 0)
			left = true;
		if (lane->row.pending > 0 &&
		    strcmp(lane->row.scope, scope_name(SCOPE_ENDPOINT)) == 0)
			endpoint = true;
	}
	if (!left)
		return CORE_EMPTY;
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
