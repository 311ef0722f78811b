#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/bell.h"
#include "queue/lock.h"
#include "cli.h"
#include "dead_replay.h"
#include "jsonline.h"

static const char *const LATE[] = { "send", "drop", NULL };

static struct dead_replay_options options = {
	.filter = DEAD_FILTER_NONE,
	.canary = -1,
	.max = -1,
	.max_replays = -1,
	.rate = -1,
};

static int
option_rate(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_rate(value, slot) == 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "not a rate");
	fault_hint(fault, "rates are written 50/s, 600/m; 0 is no limit");
	return -1;
}

#define SLOT(member) .offset = offsetof(struct dead_replay_options, member)
static const struct option OPTIONS[] = {
	DEAD_FILTER_OPTIONS,
	{ .name = "canary",
	    .argument = "N",
	    .take = option_number,
	    SLOT(canary),
	    .help = "rows of each group that go first (1)" },
	{ .name = "no-canary",
	    .take = option_flag,
	    SLOT(no_canary),
	    .help = "move all rows at once" },
	{ .name = "rate",
	    .argument = "N/s",
	    .take = option_rate,
	    SLOT(rate),
	    .help = "rows after the canaries (dead.replay_rate)" },
	{ .name = "max",
	    .argument = "N",
	    .take = option_number,
	    SLOT(max),
	    .help = "at most so many rows" },
	{ .name = "max-replays",
	    .argument = "N",
	    .take = option_whole,
	    SLOT(max_replays),
	    .help = "leave out rows replayed so often (dead.max_replays)" },
	{ .name = "late",
	    .argument = "WHAT",
	    .take = option_choice,
	    SLOT(late),
	    .choices = LATE,
	    .help = "late rows: send, or drop: leave them dead (send)" },
	{ .name = "detach",
	    .take = option_flag,
	    SLOT(detach),
	    .help = "do not follow it" },
	{ .name = "resume",
	    .argument = "OP",
	    .take = option_number,
	    SLOT(resume),
	    .help = "go on with an operation, and follow it" },
	{ .name = "cancel",
	    .argument = "OP",
	    .take = option_number,
	    SLOT(cancel),
	    .help = "end an operation; what was moved stays moved" },
	CONFIRM_OPTIONS(struct dead_replay_options),
	{ 0 },
};

/* ---- results ---- */

static void
print_json(const struct dead_replay *replay)
{
	const struct operation_row *operation = &replay->operation;
	struct text text = { 0 };

	jsonline_open(&text, NULL, '{');
	jsonline_optional(&text, "operation", operation->id, 0);
	jsonline_text(&text, "state",
	    operation->id == 0 ? NULL : operation_state_name(operation->state));
	jsonline_int(&text, "matched", operation->matched);
	jsonline_int(&text, "groups", operation->groups);
	jsonline_int(&text, "canaries_refused", operation->canaries_refused);
	jsonline_int(&text, "replayed", operation->replayed);
	jsonline_int(&text, "delivered", operation->delivered);
	jsonline_int(&text, "refused_again", operation->refused_again);
	jsonline_int(&text, "skipped", operation->skipped);
	text_adds(&text, "}\n");
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
add_outcome(const struct operation_row *operation, struct text *text)
{
	char delivered[NUMBER_TEXT_SIZE], refused[NUMBER_TEXT_SIZE];
	char skipped[NUMBER_TEXT_SIZE];

	if (operation->canary > 0)
		text_addf(text,
		    "canary     %" PRId64 " of %" PRId64 " accepted        ",
		    operation->groups - operation->canaries_refused,
		    operation->groups);
	text_addf(text, "replay  delivered %s, refused again %s",
	    number_print_grouped(delivered, operation->delivered),
	    number_print_grouped(refused, operation->refused_again));
	if (operation->skipped > 0)
		text_addf(text, ", left out %s",
		    number_print_grouped(skipped, operation->skipped));
	text_addf(text, "   (operation %" PRId64 "%s)\n", operation->id,
	    operation->state == OPERATION_CANCELLED ? ", cancelled" : "");
}

static void
add_open(const struct operation_row *operation, struct text *text)
{
	char moved[NUMBER_TEXT_SIZE], all[NUMBER_TEXT_SIZE];

	text_addf(text,
	    "operation %" PRId64 " is %s: %s of %s rows replayed; "
	    "monspool dead replay --resume %" PRId64 " follows it\n",
	    operation->id, operation_state_name(operation->state),
	    number_print_grouped(moved, operation->replayed),
	    number_print_grouped(all, operation->matched - operation->skipped),
	    operation->id);
}

/* The exit code. */
static int
report(const struct dead_replay *replay)
{
	const struct operation_row *operation = &replay->operation;
	struct text text = { 0 };

	if (replay->cli->json)
		print_json(replay);
	else if (operation->id == 0)
		text_adds(&text, "no row to replay\n");
	else if (operation->ended_at == -1)
		add_open(operation, &text);
	else
		add_outcome(operation, &text);
	output_data(text_string(&text), text.len);
	text_free(&text);
	return operation->refused_again > 0 ? 1 : 0;
}

/* ---- the ways to call it ---- */

/* It is recorded: carry out what is ours to do, then look how it goes. */
static int
go_on(struct dead_replay *replay, struct fault *fault)
{
	bool runs;

	if (replay->operation.ended_at == -1 && replay->operation.canary == 0 &&
	    dead_replay_move(replay, fault))
		return -1;
	runs = lock_held(db_place(replay->db)->lock, NULL);
	if (!runs && !replay->cli->quiet && !replay->cli->json)
		fprintf(stderr,
		    "no forwarder runs: the next monspoold (also --once, "
		    "--drain) sends them\n");
	if (options.detach || !runs) {
		if (operation_load(replay->db, replay->operation.id,
			&replay->operation) == 1)
			return 0;
		*fault = *db_fault(replay->db);
		return -1;
	}
	return dead_replay_follow(replay, fault);
}

static int
start(struct dead_replay *replay, struct fault *fault)
{
	struct dead_choice choice = { .filter = &options.filter,
		.output = &replay->cli->output,
		.words = replay->cli->words,
		.word_count = replay->cli->word_count };
	int code = -1;

	if (dead_choice_read(&choice, fault) == 0 &&
	    dead_replay_plan(replay, &choice, fault) == 0) {
		if (replay->operation.matched > 0)
			dead_replay_tell(replay);
		code = 0;
		if (!options.confirm.dry_run && replay->pick.count > 0 &&
		    (code = confirm(
			 replay->cli, &options.confirm, "Continue?")) == 0 &&
		    (dead_replay_record(replay, &choice, fault) ||
			go_on(replay, fault)))
			code = -1;
	}
	dead_choice_free(&choice);
	return code;
}

/* Load the operation that was named. */
static int
load(struct dead_replay *replay, int64_t id, struct fault *fault)
{
	int found = operation_load(replay->db, id, &replay->operation);

	if (found == -1) {
		*fault = *db_fault(replay->db);
		return -1;
	}
	if (found == 1 && replay->operation.kind == OPERATION_REPLAY)
		return 0;
	fault_set(fault, FAULT_NOT_FOUND,
	    "there is no replay with the number %" PRId64, id);
	fault_hint(fault, "monspool status lists what is under way");
	return -1;
}

static int
resume(struct dead_replay *replay, struct fault *fault)
{
	if (load(replay, options.resume, fault))
		return -1;
	return replay->operation.ended_at != -1 ? 0 : go_on(replay, fault);
}

static int
cancel(struct dead_replay *replay, struct fault *fault)
{
	if (load(replay, options.cancel, fault))
		return -1;
	if (operation_cancel(replay->db, options.cancel, clock_wall_ms()) ==
	    -1) {
		*fault = *db_fault(replay->db);
		return -1;
	}
	bell_ring_path(db_place(replay->db)->bell);
	return load(replay, options.cancel, fault);
}

static int
check(const struct cli *cli, struct fault *fault)
{
	bool named = options.resume != 0 || options.cancel != 0;

	if (options.no_canary && (options.canary != -1 || options.rate >= 0)) {
		fault_set(fault, FAULT_USAGE,
		    "--no-canary moves all rows at once: it goes with neither "
		    "--canary nor --rate");
		fault_hint(fault, "leave one of them out");
		return -1;
	}
	if ((named && (cli->word_count > 0 || options.confirm.dry_run)) ||
	    (options.resume != 0 && options.cancel != 0)) {
		fault_set(fault, FAULT_USAGE,
		    "--resume and --cancel each take one operation");
		fault_hint(fault, "monspool status lists what is under way");
		return -1;
	}
	return 0;
}

/* Whether what was selected can be read, before a queue is opened. */
static int
check_choice(const struct cli *cli, struct fault *fault)
{
	struct dead_choice choice = { .filter = &options.filter };

	if (options.resume != 0 || options.cancel != 0 || cli->word_count > 0)
		return 0;
	return dead_choice_read(&choice, fault);
}

static int
dead_replay_run(struct cli *cli)
{
	static struct dead_replay replay;
	struct fault fault = { 0 };
	int code;

	replay.cli = cli;
	replay.options = &options;
	replay.now_ms = clock_wall_ms();
	if (check(cli, &fault) || check_choice(cli, &fault))
		return cli_fail(cli, &fault);
	replay.db = cli_open(cli,
	    options.confirm.dry_run ? DB_READER : DB_WRITER, &replay.config,
	    &fault);
	if (replay.db == NULL)
		return cli_fail(cli, &fault);
	if (options.resume != 0)
		code = resume(&replay, &fault);
	else if (options.cancel != 0)
		code = cancel(&replay, &fault);
	else
		code = start(&replay, &fault);
	dead_pick_free(&replay.pick);
	if (code == 0 && (!options.confirm.dry_run || cli->json))
		code = report(&replay);
	db_close(replay.db);
	return code == -1 ? cli_fail(cli, &fault) : code;
}

const struct command COMMAND_DEAD_REPLAY = {
	.name = "dead replay",
	.usage = "dead replay ID...|FILTER [--canary N|--no-canary] "
		 "[--rate N/s] [--yes]\n"
		 "dead replay --resume OP\n"
		 "dead replay --cancel OP",
	.summary = "send dead rows again, canaries first",
	.notes = "The forwarder carries it out; Ctrl-C only stops looking.  "
		 "Exit 1: some were\nrefused again.",
	.options = OPTIONS,
	.target = &options,
	.words_most = COMMAND_ANY_WORDS,
	.run = dead_replay_run,
};
