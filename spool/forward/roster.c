#include "roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "protocol/disposition.h"
#include "queue/account.h"
#include "queue/db.h"
#include "queue/deadletter.h"

#include "bounds.h"
#include "core_state.h"
#include "hold.h"
#include "key.h"
#include "lane.h"
#include "room.h"
#include "wishes.h"

#define LANES_A_PAGE 32
#define DEATHS_RECALLED 100000
#define COLLECT_MS 3600000   /* between two walks over all lanes */
#define COLLECT_STEP_MS 1000 /* between two lanes of one */

/* ---- accounts ---- */

/* The account called ${name}, or NULL. */
static struct account *
named(const struct core *core, const char *name)
{
	size_t i;

	for (i = 0; i < core->account_count; i++)
		if (core->accounts[i].credential != NULL &&
		    strcmp(core->accounts[i].credential->account, name) == 0)
			return &core->accounts[i];
	return NULL;
}

/* What is remembered of an account's pace is a help, not a need.  The queue
 * may know less of it than the account before a reload, or be out of reach. */
static void
start_account(
    const struct core *core, const char *name, struct account *account)
{
	const struct account *former = named(core, name);
	struct account_row learned;
	bool known = true;

	if (former != NULL)
		account_learned(former, &learned);
	else
		known = account_load(core->db, name, &learned) == 1;
	account_start(account, credentials_of(core->credentials, name),
	    core->config, known ? &learned : NULL, core_steady_ms(core));
	if (former != NULL)
		account_go_on(account, former);
}

int
roster_start(struct core *core)
{
	size_t count = core->config->account_count, i;
	struct account *accounts;

	if ((accounts = calloc(count, sizeof(*accounts))) == NULL)
		return -1;
	for (i = 0; i < count; i++)
		start_account(
		    core, core->config->accounts[i].name, &accounts[i]);
	core->accounts = accounts;
	core->account_count = count;
	account_start(
	    &core->nobody, NULL, core->config, NULL, core_steady_ms(core));
	return 0;
}

static struct account *
find_account(struct core *core, const char *name)
{
	struct account *account = named(core, name);

	return account != NULL ? account : &core->nobody;
}

/* ---- lanes ---- */

/* Without somebody to sign for it a lane is held; a reload may cure that. */
void
roster_find_signer(struct lane *lane)
{
	char reason[LANE_TEXT];

	lane->account = find_account(lane->core, lane->row.account);
	if (lane_has_signer(lane) || lane->row.state == LANE_HELD)
		return;
	snprintf(reason, sizeof(reason),
	    "no account of that name in the configuration: %.180s",
	    lane->row.account);
	lane_set_held(lane, scope_name(SCOPE_ACCOUNT), -1, reason, 0);
}

/* Whether it waits for the account's pace, and not for its own sake. */
static bool
waits_for_pace(const struct lane_row *row)
{
	return row->state == LANE_WAITING &&
	    strcmp(row->scope, scope_name(SCOPE_PACE)) == 0;
}

/* A stored wake time that is still to come, clamped to what could have been
 * meant (contract.md C11). */
static int64_t
remaining_ms(const struct core *core, const struct lane_row *row)
{
	const struct config_retry *retry = &core->config->retry;
	int64_t left_ms = row->wake_at - core_wall_ms(core), most_ms;

	most_ms = waits_for_pace(row)    ? MOST_RETRY_AFTER_MS
	    : row->state == LANE_WAITING ? retry->max_ms
					 : retry->blocked_probe_most_ms;
	if (left_ms > most_ms)
		left_ms = most_ms;
	return left_ms < 0 ? 0 : left_ms;
}

static bool
probed_at_start(const struct lane_row *row)
{
	return !lane_is_operators(row) &&
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

	if (lane->row.state == LANE_WAITING &&
	    ((core->mode == CORE_ONCE && !waits_for_pace(&lane->row)) ||
		core->mode == CORE_PREVIEW)) {
		lane->row.failures = 0;
		lane_set_ready(lane);
	}
	if (lane->row.state != LANE_READY && lane->row.wake_at >= 0)
		lane->wake_ms = now_ms + remaining_ms(core, &lane->row);
	if (lane->row.state == LANE_HELD && probed_at_start(&lane->row))
		lane->wake_ms = now_ms;
}

/* The account's pause is stored with the lanes that it was told to alone.
 * One that the clock made too long would be so again at every start. */
static void
resume_pause(struct lane *lane)
{
	int64_t now_ms = core_steady_ms(lane->core), most_at;

	if (!waits_for_pace(&lane->row) || lane->row.wake_at < 0)
		return;
	account_pause(lane->account, now_ms, lane->wake_ms - now_ms);
	most_at = core_wall_ms(lane->core) + MOST_RETRY_AFTER_MS;
	if (lane->row.wake_at <= most_at)
		return;
	lane->row.wake_at = most_at;
	lane->changed = true;
}

static int
add_lane(struct core *core, size_t index, const struct lane_row *row)
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
	lane->skipped = bounds_skip(core, lane);
	memmove(&core->lanes[index + 1], &core->lanes[index],
	    (core->lane_count++ - index) * sizeof(struct lane *));
	core->lanes[index] = lane;
	resume(lane);
	roster_find_signer(lane);
	resume_pause(lane);
	hold_join(lane);
	return 0;
}

static void
drop_lane(struct core *core, size_t index)
{
	lane_free(core->lanes[index]);
	memmove(&core->lanes[index], &core->lanes[index + 1],
	    (--core->lane_count - index) * sizeof(struct lane *));
}

/* Pass over, and drop, lanes that are in the queue no more. */
static void
go_to(struct core *core, size_t *index, int64_t id)
{
	while (*index < core->lane_count && core->lanes[*index]->row.id < id)
		if (lane_is_busy(core->lanes[*index]))
			(*index)++;
		else
			drop_lane(core, *index);
}

/* One that a full disk has no room for waits: a forwarder that cannot even
 * start would never drain it. */
static int
take_wish(struct lane *lane)
{
	struct core *core = lane->core;

	if (wishes_take(lane) == 0)
		return 0;
	if (db_fault(core->db)->kind != FAULT_DISK_FULL)
		return -1;
	room_find(core, 1);
	core->wishes_left |= wishes_take(lane) != 0;
	return 0;
}

/* Lanes are listed by id, and no id is ever given twice. */
static int
take_lane(struct core *core, size_t *index, const struct lane_row *row)
{
	struct lane *lane;

	go_to(core, index, row->id);
	if (*index < core->lane_count && core->lanes[*index]->row.id == row->id)
		lane_set_pending(core->lanes[*index], row->pending);
	else if (add_lane(core, *index, row))
		return -1;
	lane = core->lanes[(*index)++];
	if (core->mode == CORE_PREVIEW || row->asked == LANE_ASK_NOTHING)
		return 0;
	return take_wish(lane);
}

int
roster_look(struct core *core)
{
	struct lane_row *rows;
	int64_t after = 0;
	size_t index = 0;
	int count = 0, i;

	if ((rows = malloc(LANES_A_PAGE * sizeof(*rows))) == NULL)
		return -1;
	core->wishes_left = false;
	while ((count = lane_list(core->db, after, rows, LANES_A_PAGE)) > 0) {
		for (i = 0; i < count; i++)
			if (take_lane(core, &index, &rows[i])) {
				count = -1;
				goto done;
			}
		after = rows[count - 1].id;
	}
done:
	free(rows);
	return count;
}

/* ---- deaths before the start ---- */

struct recall {
	const struct core *core;
	size_t index;
};

static void
recall_deaths(void *cookie, int64_t lane_id, int64_t deaths)
{
	struct recall *recall = cookie;
	const struct core *core = recall->core;

	while (recall->index < core->lane_count &&
	    core->lanes[recall->index]->row.id < lane_id)
		recall->index++;
	if (recall->index < core->lane_count &&
	    core->lanes[recall->index]->row.id == lane_id)
		lane_count_deaths(core->lanes[recall->index], deaths);
}

void
roster_recall_deaths(struct core *core)
{
	const struct config_dead *dead = &core->config->dead;
	struct recall recall = { core, 0 };
	int64_t now_ms = core_wall_ms(core);

	if (dead->brake_rows > 0)
		(void)deadletter_recent(core->db, now_ms - dead->brake_ms,
		    now_ms, DEATHS_RECALLED, recall_deaths, &recall);
}

/* ---- lanes that nobody uses ---- */

static bool
may_be_unused(const struct lane *lane)
{
	return lane->row.state == LANE_READY && lane->row.pending == 0 &&
	    !lane_is_busy(lane) && !lane->changed;
}

void
roster_collect(struct core *core)
{
	int64_t now_ms = core_steady_ms(core);
	size_t index = core->collecting;

	if (core->mode != CORE_RUN || now_ms < core->collect_ms)
		return;
	while (index < core->lane_count && !may_be_unused(core->lanes[index]))
		index++;
	core->collecting = index + 1;
	core->collect_ms = now_ms + COLLECT_STEP_MS;
	if (index >= core->lane_count) {
		core->collecting = 0;
		core->collect_ms = now_ms + COLLECT_MS;
	} else if (lane_collect(core->db, core->lanes[index]->row.id) == 1) {
		core->collecting = index;
		core->look = true; /* it is dropped then */
	}
}

/* Holds that a new key or setting may have cured are probed at once; what
 * was learned under the old settings is forgotten. */
static void
reconsider(struct lane *lane)
{
	struct core *core = lane->core;

	roster_find_signer(lane);
	lane->row.byte_cap = lane->row.row_cap = -1;
	lane->changed = true;
	if (lane->row.state == LANE_WAITING && !waits_for_pace(&lane->row))
		lane->wake_ms = core_steady_ms(core);
	lane_configure(lane);
	if (hold_is_ours(lane)) {
		lane->row.failures = 0;
		lane->wake_ms = core_steady_ms(core);
	}
}

void
roster_reconsider(struct core *core)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		reconsider(core->lanes[i]);
}
