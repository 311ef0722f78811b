#include "dead_replay.h"

#include <inttypes.h>
#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/lane.h"
#include "cli.h"
#include "lanes.h"

static const char *const REASONS[] = {
	[SKIP_REPLAYS] = "were replayed often enough (--max-replays)",
	[SKIP_AGE] = "are over their age limit, and would expire at once",
	[SKIP_LATE] = "are late (--late drop)",
};

/* ---- which rows ---- */

static int64_t
most_replays(const struct dead_replay *replay)
{
	return replay->options->max_replays >= 0
	    ? replay->options->max_replays
	    : replay->config.dead.max_replays;
}

static int64_t
max_age_ms(const struct dead_replay *replay, const char *ns)
{
	const struct config_namespace *set = config_namespace(
	    &replay->config, ns);

	return set != NULL && set->max_age_ms >= 0
	    ? set->max_age_ms
	    : replay->config.queue.max_age_ms;
}

static bool
would_expire(const struct dead_replay *replay, const struct deadletter_row *row)
{
	int64_t most_ms = max_age_ms(replay, row->ns);

	return (row->expires_at >= 0 && row->expires_at <= replay->now_ms) ||
	    (most_ms > 0 && replay->now_ms - row->accepted_at > most_ms);
}

static bool
is_late(const struct dead_replay *replay, const struct deadletter_row *row)
{
	const struct config_namespace *set = config_namespace(
	    &replay->config, row->ns);
	int64_t after_ms = set != NULL && set->late_after_ms >= 0
	    ? set->late_after_ms
	    : replay->config.late.after_ms;

	return after_ms > 0 && replay->now_ms - row->accepted_at > after_ms;
}

/* SKIP_REASONS: none. */
static enum dead_skip
skip_reason(const struct dead_replay *replay, const struct deadletter_row *row)
{
	if (row->replays >= most_replays(replay))
		return SKIP_REPLAYS;
	if (would_expire(replay, row))
		return SKIP_AGE;
	if (replay->options->late == DEAD_LATE_DROP && is_late(replay, row))
		return SKIP_LATE;
	return SKIP_REASONS;
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct dead_replay *replay = cookie;
	enum dead_skip reason = skip_reason(replay, row);
	int64_t most = replay->options->max;

	if (most >= 0 && replay->pick.count >= (size_t)most)
		return 1;
	replay->operation.matched++;
	if (reason == SKIP_REASONS) {
		replay->late += is_late(replay, row);
		replay->failed = dead_pick_add(&replay->pick, row) != 0;
		return replay->failed;
	}
	replay->operation.skipped++;
	if (replay->skipped[reason].rows < SKIPPED_NAMED)
		replay->skipped[reason]
		    .ids[replay->skipped[reason].rows] = row->id;
	replay->skipped[reason].rows++;
	return 0;
}

int
dead_replay_plan(
    struct dead_replay *replay, struct dead_choice *choice, struct fault *fault)
{
	const struct dead_replay_options *options = replay->options;

	if (dead_choice_visit(
		choice, replay->db, DEADLETTER_BY_ID, on_row, replay, fault))
		return -1;
	if (replay->failed)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	replay->operation.groups = (int64_t)replay->pick.group_count;
	replay->operation.canary = options->canary > 0 ? options->canary : 1;
	replay->operation.rate = options->rate >= 0
	    ? options->rate
	    : replay->config.dead.replay_rate;
	if (options->no_canary)
		replay->operation.canary = 0;
	if (options->no_canary)
		replay->operation.rate = 0;
	return 0;
}

/* ---- in words ---- */

static void
add_pace(const struct dead_replay *replay, struct text *text)
{
	const struct operation_row *operation = &replay->operation;
	char rate[NUMBER_TEXT_SIZE], span[SPAN_TEXT_SIZE];
	double seconds;

	if (operation->canary == 0) {
		text_adds(text, ", all at once, without a canary");
		return;
	}
	text_addf(text, ", %" PRId64 " canar%s each, then ", operation->canary,
	    operation->canary == 1 ? "y" : "ies");
	if (operation->rate <= 0) {
		text_adds(text, "the rest at once");
		return;
	}
	number_print(rate, operation->rate);
	seconds = (double)replay->pick.count / operation->rate;
	text_addf(text, "%s/s (about %s)", rate,
	    span_print_ms(span, ((int64_t)seconds + 1) * 1000));
}

static void
add_lateness(const struct dead_replay *replay, struct text *text)
{
	char young[SPAN_TEXT_SIZE], old[SPAN_TEXT_SIZE];
	int64_t young_ms = replay->now_ms - replay->pick.newest_at;
	int64_t old_ms = replay->now_ms - replay->pick.oldest_at;

	if (replay->late == 0)
		return;
	span_print_ms(young, young_ms > 0 ? young_ms / 1000 * 1000 : 0);
	span_print_ms(old, old_ms > 0 ? old_ms / 1000 * 1000 : 0);
	text_addf(text,
	    "They are %s%s%s old and will be filed at the time they are "
	    "sent.\n",
	    strcmp(young, old) == 0 ? "" : young,
	    strcmp(young, old) == 0 ? "" : " to ", old);
}

static void
add_skipped(
    const struct dead_replay *replay, enum dead_skip reason, struct text *text)
{
	int64_t rows = replay->skipped[reason].rows, i;
	char digits[NUMBER_TEXT_SIZE];

	if (rows == 0)
		return;
	text_addf(text,
	    "Left out: %s rows %s: ", number_print_grouped(digits, rows),
	    REASONS[reason]);
	for (i = 0; i < rows && i < SKIPPED_NAMED; i++)
		text_addf(text, "%s%" PRId64, i > 0 ? ", " : "",
		    replay->skipped[reason].ids[i]);
	text_adds(text, rows > SKIPPED_NAMED ? ", ...\n" : "\n");
}

/* Rows of a held lane go nowhere, and a replay of them waits with them. */
static void
add_held(const struct dead_replay *replay, struct text *text)
{
	const struct dead_pick_group *groups = replay->pick.groups;
	struct lane_row lane;
	size_t i, j;

	for (i = 0; i < replay->pick.group_count; i++) {
		for (j = 0; j < i; j++)
			if (groups[j].lane_id == groups[i].lane_id)
				break;
		if (j < i ||
		    lane_load(replay->db, groups[i].lane_id, &lane) != 1 ||
		    lane.state != LANE_HELD)
			continue;
		text_adds(text, "Its lane is held, the rows will wait: ");
		lanes_add_name(text, &lane);
		text_adds(text, ", ");
		text_add_escaped(text, lane.reason, strlen(lane.reason));
		text_addc(text, '\n');
	}
}

void
dead_replay_tell(const struct dead_replay *replay)
{
	char rows[NUMBER_TEXT_SIZE], groups[NUMBER_TEXT_SIZE];
	struct text plan = { 0 };
	int reason;

	text_addf(&plan, "replay %s rows, %s group%s",
	    number_print_grouped(rows, (int64_t)replay->pick.count),
	    number_print_grouped(groups, replay->operation.groups),
	    replay->operation.groups == 1 ? "" : "s");
	add_pace(replay, &plan);
	text_adds(&plan, ":\n");
	dead_pick_describe(&replay->pick, &plan);
	add_held(replay, &plan);
	for (reason = 0; reason < SKIP_REASONS; reason++)
		add_skipped(replay, (enum dead_skip)reason, &plan);
	add_lateness(replay, &plan);
	confirm_plan(replay->cli, &replay->options->confirm, &plan);
	text_free(&plan);
}
