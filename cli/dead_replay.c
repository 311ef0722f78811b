#include "dead_replay.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/bell.h"
#include "queue/db.h"
#include "queue/lock.h"
#include "queue/operation_group.h"
#include "cli.h"
#include "dead_work.h"
#include "progress.h"

#define LOOK_MS 50
/* Without a forwarder for so long, nobody goes on with it. */
#define GONE_MS 1000

static volatile sig_atomic_t interrupted;

static int
fail(const struct dead_replay *replay, struct fault *fault)
{
	*fault = *db_fault(replay->db);
	return -1;
}

/* ---- recording ---- */

/* The operation and its groups, whose ids go into ${ids}. */
static int
make(struct dead_replay *replay, int64_t *ids)
{
	const struct dead_pick *pick = &replay->pick;
	struct operation_group_row row;
	size_t i;

	if (operation_new(replay->db, &replay->operation))
		return -1;
	for (i = 0; i < pick->group_count; i++) {
		row = (struct operation_group_row){
			.operation_id = replay->operation.id,
			.lane_id = pick->groups[i].lane_id,
			.code = pick->groups[i].code,
			.state = replay->operation.canary > 0 ? GROUP_WAITING
							      : GROUP_MOVING
		};
		if (operation_group_new(
			replay->db, &row, pick->groups[i].metric))
			return -1;
		ids[i] = row.id;
	}
	return 0;
}

/* Name the rows from ${at} on, at most ${most}; runs of a group at once. */
static int
name_rows(
    struct dead_replay *replay, const int64_t *ids, size_t at, size_t most)
{
	const struct dead_pick *pick = &replay->pick;
	size_t end = at + most, run;

	if (end > pick->count)
		end = pick->count;
	for (; at < end; at = run) {
		for (run = at + 1; run < end; run++)
			if (pick->groups_of[run] != pick->groups_of[at])
				break;
		if (operation_group_add(replay->db, ids[pick->groups_of[at]],
			pick->ids + at, run - at))
			return -1;
	}
	return 0;
}

/* In a bracket: make it; name some of its rows; set it going. */
static int
do_make(struct dead_replay *replay, int64_t *ids, size_t at)
{
	(void)at;
	return make(replay, ids);
}

static int
do_name(struct dead_replay *replay, int64_t *ids, size_t at)
{
	return name_rows(replay, ids, at, OPERATION_ROWS);
}

static int
do_start(struct dead_replay *replay, int64_t *ids, size_t at)
{
	(void)ids;
	(void)at;
	return operation_set(replay->db, replay->operation.id,
		   OPERATION_WAITING, clock_wall_ms()) == -1
	    ? -1
	    : 0;
}

static int
in_bracket(struct dead_replay *replay,
    int (*work)(struct dead_replay *, int64_t *, size_t), int64_t *ids,
    size_t at)
{
	if (dead_work_bracket(replay->db, &replay->config))
		return -1;
	if (work(replay, ids, at)) {
		db_rollback(replay->db);
		return -1;
	}
	return db_commit(replay->db);
}

int
dead_replay_record(struct dead_replay *replay, const struct dead_choice *choice,
    struct fault *fault)
{
	struct operation_row *operation = &replay->operation;
	int64_t *ids = calloc(replay->pick.group_count + 1, sizeof(*ids));
	size_t at;
	int failed;

	if (ids == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	dead_work_describe(operation, OPERATION_REPLAY, choice);
	operation->state = OPERATION_CHOOSING;
	/* Whoever is killed here leaves an operation that nobody carries out. */
	failed = in_bracket(replay, do_make, ids, 0);
	progress_start(&replay->cli->output);
	for (at = 0; !failed && at < replay->pick.count; at += OPERATION_ROWS) {
		progress_count(
		    "recorded", (int64_t)at, (int64_t)replay->pick.count);
		failed = in_bracket(replay, do_name, ids, at);
	}
	progress_end();
	if (!failed)
		failed = in_bracket(replay, do_start, ids, 0);
	free(ids);
	if (failed)
		return fail(replay, fault);
	operation->state = OPERATION_WAITING;
	bell_ring_path(db_place(replay->db)->bell);
	return 0;
}

/* ---- without canaries ---- */

static int
move(struct dead_replay *replay, const struct operation_group_row *group,
    int64_t *moved)
{
	int64_t rows;

	if (dead_work_bracket(replay->db, &replay->config))
		return -1;
	rows = operation_group_move(
	    replay->db, group, OPERATION_ROWS, clock_wall_ms());
	if (rows == -1) {
		db_rollback(replay->db);
		return -1;
	}
	*moved += rows;
	return db_commit(replay->db);
}

int
dead_replay_move(struct dead_replay *replay, struct fault *fault)
{
	struct operation_group_row group;
	int64_t moved = 0;
	int found;

	progress_start(&replay->cli->output);
	while ((found = operation_group_list(
		    replay->db, replay->operation.id, 0, &group, 1)) == 1) {
		progress_count("replayed", moved,
		    replay->operation.matched - replay->operation.skipped);
		if (move(replay, &group, &moved)) {
			found = -1;
			break;
		}
		bell_ring_path(db_place(replay->db)->bell);
	}
	progress_end();
	return found == -1 ? fail(replay, fault) : 0;
}

/* ---- following ---- */

static void
on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void
tell_progress(const struct dead_replay *replay)
{
	const struct operation_row *operation = &replay->operation;
	char moved[NUMBER_TEXT_SIZE], all[NUMBER_TEXT_SIZE],
	    taken[NUMBER_TEXT_SIZE];
	char line[160];

	snprintf(line, sizeof(line), "%s of %s rows replayed, %s delivered",
	    number_print_grouped(moved, operation->replayed),
	    number_print_grouped(all, operation->matched - operation->skipped),
	    number_print_grouped(taken, operation->delivered));
	progress_line(line);
}

/* Load it anew.  1 it is open, 0 it is over, -1. */
static int
look(struct dead_replay *replay)
{
	int64_t id = replay->operation.id;

	if (operation_load(replay->db, id, &replay->operation) != 1)
		return -1;
	return replay->operation.ended_at == -1;
}

int
dead_replay_follow(struct dead_replay *replay, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	struct sigaction action = { .sa_handler = on_interrupt };
	int64_t seen_ms = clock_steady_ms();
	int open;

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	progress_start(&replay->cli->output);
	while ((open = look(replay)) == 1 && !interrupted) {
		if (lock_held(db_place(replay->db)->lock, NULL))
			seen_ms = clock_steady_ms();
		else if (clock_steady_ms() - seen_ms > GONE_MS)
			break;
		tell_progress(replay);
		nanosleep(&pause, NULL);
	}
	progress_end();
	signal(SIGINT, SIG_DFL);
	return open == -1 ? fail(replay, fault) : 0;
}
