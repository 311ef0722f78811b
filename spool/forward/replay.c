#include "replay.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "queue/db.h"
#include "queue/operation.h"
#include "queue/operation_group.h"

#include "bounds.h"
#include "core_state.h"
#include "lane.h"
#include "room.h"

#define OPERATIONS_A_PAGE 8
#define GROUPS_A_PAGE 32
#define LOOK_MS 1000 /* between looks at an open one without news */
#define NEWS_MS 20   /* so that many answers make one look */
#define RETRY_MS 1000

/* One operation in this turn. */
struct carrying {
	struct core *core;
	const struct operation_row *operation;
	int64_t budget; /* rows that may still be moved now */
	int64_t moved;
	bool open;  /* it has groups that are not finished */
	bool works; /* one of them has rows to move */
};

static int64_t
least(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

static void
wake_by(struct replay *replay, int64_t at_ms)
{
	if (replay->next_ms < 0 || at_ms < replay->next_ms)
		replay->next_ms = at_ms;
}

/* Rows that go at once: those of a second, or the one that is due. */
static int64_t
chunk_of(const struct operation_row *operation)
{
	if (operation->rate <= 0 || operation->rate >= OPERATION_ROWS)
		return OPERATION_ROWS;
	return operation->rate < 1 ? 1 : (int64_t)operation->rate;
}

/* A rate that SQL left there may be next to nothing. */
#define WAIT_MOST_MS (INT64_C(365) * 24 * 3600 * 1000)

/* How long ${rows} keep it from moving more. */
static int64_t
wait_ms(const struct operation_row *operation, int64_t rows)
{
	double ms;

	if (operation->rate <= 0)
		return 0;
	ms = 1000.0 * (double)rows / operation->rate;
	return ms < WAIT_MOST_MS ? (int64_t)ms : WAIT_MOST_MS;
}

/* One that an earlier process carried out has just moved a chunk, for all we
 * know: begun anew again and again, it would go faster than its rate. */
static int64_t
resumes_ms(const struct core *core, const struct operation_row *operation)
{
	int64_t span_ms = wait_ms(operation, chunk_of(operation));
	int64_t past_ms = core_wall_ms(core) - operation->moved_at;

	if (operation->state != OPERATION_RUNNING || past_ms >= span_ms)
		return 0;
	return core_steady_ms(core) + span_ms - (past_ms > 0 ? past_ms : 0);
}

/* When ${operation} may move rows next; NULL when out of memory. */
static struct replay_turn *
turn_of(struct core *core, const struct operation_row *operation)
{
	struct replay *replay = &core->replay;
	struct replay_turn *turns;
	size_t i, size;

	for (i = 0; i < replay->turn_count; i++)
		if (replay->turns[i].operation_id == operation->id)
			return &replay->turns[i];
	if (replay->turn_count == replay->turn_size) {
		size = replay->turn_size * 2 + 4;
		turns = realloc(replay->turns, size * sizeof(*turns));
		if (turns == NULL)
			return NULL;
		replay->turns = turns;
		replay->turn_size = size;
	}
	replay->turns[i] = (struct replay_turn){ operation->id,
		resumes_ms(core, operation) };
	replay->turn_count++;
	return &replay->turns[i];
}

static void
forget_turn(struct core *core, const struct operation_row *operation)
{
	struct replay_turn *turn = turn_of(core, operation);

	if (turn != NULL)
		*turn = core->replay.turns[--core->replay.turn_count];
}

/* ---- groups ---- */

static int
move(struct carrying *carrying, const struct operation_group_row *group,
    int64_t most)
{
	struct core *core = carrying->core;
	int64_t moved;

	if (!room_lasts(core, ROOM_REPLAY)) {
		room_fault(core, &core->replay.trouble);
		return -1;
	}
	moved = operation_group_move(core->db, group, most, core_wall_ms(core));
	if (moved == -1)
		return -1;
	core->look |= moved > 0;
	carrying->moved += moved;
	return 0;
}

static int
send_canaries(
    struct carrying *carrying, const struct operation_group_row *group)
{
	return move(carrying, group, carrying->operation->canary);
}

/* Canaries that left otherwise than by delivery prove nothing. */
static int
judge_canaries(
    struct carrying *carrying, const struct operation_group_row *group)
{
	struct core *core = carrying->core;
	bool accepted = group->refused_again == 0 && group->delivered > 0;
	int pends = 0;

	if (group->refused_again == 0 &&
	    (pends = operation_group_pends(core->db, group)) != 0)
		return pends == 1 ? 0 : -1;
	log_event(accepted ? LOG_INFO : LOG_WARN, "replay_canaries",
	    "operation=%lld group=%lld rows=%lld accepted=%s",
	    (long long)group->operation_id, (long long)group->id,
	    (long long)group->matched, accepted ? "yes" : "no");
	core->replay.news = true; /* the next look goes on with it */
	return operation_group_judge(core->db, group, accepted);
}

static int
move_on(struct carrying *carrying, const struct operation_group_row *group)
{
	int64_t before = carrying->moved;

	carrying->works = true;
	if (carrying->budget <= 0)
		return 0;
	if (move(carrying, group, carrying->budget))
		return -1;
	carrying->budget -= carrying->moved - before;
	return 0;
}

/* Whether this run leaves the lane of ${group} alone. */
static bool
is_skipped(const struct core *core, const struct operation_group_row *group)
{
	size_t i;

	for (i = 0; i < core->lane_count; i++)
		if (core->lanes[i]->row.id == group->lane_id)
			return bounds_skip(core, core->lanes[i]);
	return false;
}

static int (*const STEPS[])(
    struct carrying *, const struct operation_group_row *) = {
	[GROUP_WAITING] = send_canaries,
	[GROUP_CANARY] = judge_canaries,
	[GROUP_MOVING] = move_on,
};

static int
take_groups(struct carrying *carrying)
{
	struct operation_group_row groups[GROUPS_A_PAGE];
	struct db *db = carrying->core->db;
	int64_t id = carrying->operation->id, after = 0;
	int count, i;

	while ((count = operation_group_list(
		    db, id, after, groups, GROUPS_A_PAGE)) > 0) {
		carrying->open = true;
		for (i = 0; i < count; i++)
			if (!is_skipped(carrying->core, &groups[i]) &&
			    STEPS[groups[i].state](carrying, &groups[i]))
				return -1;
		after = groups[count - 1].id;
	}
	return count;
}

/* ---- operations ---- */

/* All its rows are moved: it ends when their fate is known. */
static int
settle(struct core *core, const struct operation_row *operation)
{
	int over;

	over = operation_settle(core->db, operation->id, core_wall_ms(core));
	if (over != 1)
		return over;
	forget_turn(core, operation);
	log_event(LOG_INFO, "replay_done",
	    "operation=%lld delivered=%lld refused_again=%lld",
	    (long long)operation->id, (long long)operation->delivered,
	    (long long)operation->refused_again);
	return 0;
}

static int
carry_out(struct core *core, const struct operation_row *operation)
{
	struct carrying carrying = { .core = core, .operation = operation };
	struct replay_turn *turn = turn_of(core, operation);
	int64_t now_ms = core_steady_ms(core), most = 0;

	if (turn == NULL)
		return -1;
	core->replay.open = true;
	if (now_ms >= turn->next_ms)
		most = carrying.budget = chunk_of(operation);
	if (take_groups(&carrying))
		return -1;
	if (!carrying.open)
		return settle(core, operation);
	if (carrying.budget < most)
		turn->next_ms = now_ms +
		    wait_ms(operation, most - carrying.budget);
	core->replay.works |= carrying.works;
	if (carrying.works)
		wake_by(&core->replay,
		    turn->next_ms > now_ms ? turn->next_ms : now_ms);
	return 0;
}

static int
take_operations(struct core *core)
{
	struct operation_row *operations;
	int64_t after = 0;
	int count, i;

	operations = malloc(OPERATIONS_A_PAGE * sizeof(*operations));
	if (operations == NULL)
		return -1;
	while ((count = operation_list(
		    core->db, after, operations, OPERATIONS_A_PAGE)) > 0) {
		for (i = 0; i < count; i++)
			if (operations[i].kind == OPERATION_REPLAY &&
			    operations[i].state != OPERATION_CHOOSING &&
			    carry_out(core, &operations[i]))
				goto fail;
		after = operations[count - 1].id;
	}
	free(operations);
	return count;

fail:
	free(operations);
	return -1;
}

static void
complain(struct core *core)
{
	struct replay *replay = &core->replay;
	char text[300];

	if (replay->trouble.kind == FAULT_NONE)
		replay->trouble = *db_fault(core->db);
	if (replay->failures++ == 0)
		log_event(LOG_ERROR, "replay_failed", "error=%s",
		    log_reason(text, sizeof(text), &replay->trouble));
	replay->open = replay->works = true; /* for all we know */
	replay->next_ms = core_steady_ms(core) + RETRY_MS;
}

void
replay_turn(struct core *core)
{
	struct replay *replay = &core->replay;
	int64_t now_ms = core_steady_ms(core);

	if (core->stopping ||
	    (!replay->look && (!replay->open || now_ms < replay->next_ms)))
		return;
	if (replay->failures > 0 && now_ms < replay->next_ms)
		return; /* what was asked for meanwhile waits as well */
	replay->look = replay->news = replay->open = replay->works = false;
	replay->next_ms = -1;
	replay->trouble.kind = FAULT_NONE;
	if (take_operations(core)) {
		complain(core);
		return;
	}
	replay->failures = 0;
	if (replay->open)
		wake_by(replay, now_ms + (replay->news ? 0 : LOOK_MS));
}

int64_t
replay_next_ms(const struct core *core)
{
	const struct replay *replay = &core->replay;

	if (replay->look && replay->failures == 0)
		return core_steady_ms(core);
	return replay->open ? replay->next_ms : -1;
}

bool
replay_works(const struct core *core)
{
	const struct replay *replay = &core->replay;

	return replay->look ||
	    (replay->open && (replay->news || replay->works));
}

void
replay_news(struct core *core)
{
	struct replay *replay = &core->replay;

	if (!replay->open || replay->failures > 0)
		return;
	replay->news = true;
	replay->next_ms = least(
	    replay->next_ms, core_steady_ms(core) + NEWS_MS);
}

void
replay_free(struct replay *replay)
{
	free(replay->turns);
	*replay = (struct replay){ 0 };
}
