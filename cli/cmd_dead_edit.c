#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/edit.h"
#include "cli.h"
#include "confirm.h"
#include "dead_changes.h"
#include "dead_edit.h"
#include "dead_filter.h"
#include "dead_pick.h"
#include "dead_work.h"
#include "jsonline.h"

/* Faults that are told one by one. */
#define INVALID_TOLD 5

static struct dead_edit_options {
	struct dead_filter filter; /* first */
	struct confirm_options confirm;
	struct dead_changes changes;
} options = { .filter = DEAD_FILTER_NONE };

/* ---- options ---- */

static const struct option OPTIONS[] = {
	DEAD_CHANGES_OPTIONS(struct dead_edit_options, changes),
	DEAD_FILTER_OPTIONS,
	CONFIRM_OPTIONS(struct dead_edit_options),
	{ 0 },
};

/* ---- the plan ---- */

/* An edit under way. */
struct editing {
	const struct cli *cli;
	struct db *db;
	struct config config;
	struct dead_pick pick; /* rows that change */
	int64_t matched, unchanged, invalid;
	struct reshaped reshaped;
	struct fault fault; /* of the first invalid row */
	struct text invalids;
	bool failed;
	struct operation_row operation;
};

static void
note_invalid(struct editing *editing, const struct deadletter_row *row,
    const struct fault *fault)
{
	if (editing->invalid++ == 0)
		editing->fault = *fault;
	if (editing->invalid <= INVALID_TOLD)
		text_addf(&editing->invalids, "  %" PRId64 ": %s\n", row->id,
		    fault->message);
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct editing *editing = cookie;
	struct fault fault = { 0 };

	editing->matched++;
	switch (reshape(&editing->reshaped, row, options.changes.list,
	    options.changes.count, &editing->config, &fault)) {
	case RESHAPE_FAILED:
		editing->failed = true;
		break;
	case RESHAPE_SAME:
		editing->unchanged++;
		break;
	case RESHAPE_INVALID:
		note_invalid(editing, row, &fault);
		break;
	case RESHAPE_CHANGED:
		editing->failed = dead_pick_add(&editing->pick, row) != 0;
		break;
	}
	return editing->failed;
}

static void
add_change(struct text *text, const struct reshape_change *change)
{
	static const char *const VERBS[] = {
		[RESHAPE_NAMESPACE] = "namespace becomes ",
		[RESHAPE_METRIC] = "metric becomes ",
		[RESHAPE_REGION] = "region becomes ",
		[RESHAPE_RENAME] = "dimension ",
		[RESHAPE_DROP] = "dimension ",
		[RESHAPE_SET] = "dimension ",
		[RESHAPE_TRUNCATE] = "dimension ",
	};

	text_addf(text, "  %s", VERBS[change->verb]);
	if (change->key != NULL)
		text_add_escaped(text, change->key, strlen(change->key));
	if (change->verb == RESHAPE_DROP)
		text_adds(text, " goes");
	else if (change->verb == RESHAPE_RENAME)
		text_adds(text, " is called ");
	else if (change->verb == RESHAPE_SET)
		text_adds(text, " is ");
	else if (change->verb == RESHAPE_TRUNCATE)
		text_addf(text, " has at most %zu bytes", change->most);
	if (change->verb != RESHAPE_DROP && change->verb != RESHAPE_TRUNCATE)
		text_add_escaped(text, change->value, strlen(change->value));
	text_addc(text, '\n');
}

static void
add_counts(const struct editing *editing, struct text *text)
{
	char rows[NUMBER_TEXT_SIZE];

	if (editing->unchanged > 0)
		text_addf(text, "%s rows are so already\n",
		    number_print_grouped(rows, editing->unchanged));
	if (editing->invalid == 0)
		return;
	text_addf(text,
	    "%s rows would not pass the checks of put, and stay "
	    "as they are:\n%s%s",
	    number_print_grouped(rows, editing->invalid),
	    text_string(&editing->invalids),
	    editing->invalid > INVALID_TOLD ? "  ...\n" : "");
}

static void
tell_plan(const struct editing *editing)
{
	struct text plan = { 0 };
	char rows[NUMBER_TEXT_SIZE];
	size_t i;

	text_addf(&plan, "edit %s dead rows (originals kept):\n",
	    number_print_grouped(rows, (int64_t)editing->pick.count));
	dead_pick_describe(&editing->pick, &plan);
	for (i = 0; i < options.changes.count; i++)
		add_change(&plan, &options.changes.list[i]);
	add_counts(editing, &plan);
	confirm_plan(editing->cli, &options.confirm, &plan);
	text_free(&plan);
}

/* ---- by hand ---- */

struct by_hand {
	struct fault *fault;
	int64_t rows;
	int result;
};

static int
on_first(void *cookie, const struct deadletter_row *row)
{
	struct by_hand *hand = cookie;

	if (hand->rows++ == 0)
		hand->result = dead_edit_by_hand(
		    row, &options.changes, hand->fault);
	return 1;
}

/* No change was given: one row may be edited as a file. */
static int
ask_editor(
    struct editing *editing, struct dead_choice *choice, struct fault *fault)
{
	struct by_hand hand = { .fault = fault };

	if (choice->selection.count != 1 ||
	    choice->selection.ranges[0].first !=
		choice->selection.ranges[0].last ||
	    isatty(STDIN_FILENO) != 1) {
		fault_set(fault, FAULT_USAGE, "no change is given");
		fault_hint(fault,
		    "--set namespace=X, --rename-dim A=B, --drop-dim K, "
		    "--set-dim K=V, --truncate-dim K=N; one id alone, on a "
		    "terminal: $EDITOR");
		return -1;
	}
	if (dead_choice_visit(
		choice, editing->db, DEADLETTER_BY_ID, on_first, &hand, fault))
		return -1;
	return hand.result;
}

/* ---- the edit ---- */

static int64_t
edit_some(struct db *db, void *cookie, const int64_t *ids, size_t count,
    int64_t *skipped)
{
	struct editing *editing = cookie;
	struct edit edit = { .changes = options.changes.list,
		.change_count = options.changes.count,
		.config = &editing->config,
		.operation_id = editing->operation.id,
		.edited_by = editing->operation.asked_by,
		.now_ms = clock_wall_ms() };

	if (edit_rows(db, &edit, ids, count))
		return -1;
	*skipped = (int64_t)count - edit.edited;
	return edit.edited;
}

static void
print_result(const struct editing *editing)
{
	struct text text = { 0 };
	char rows[NUMBER_TEXT_SIZE];

	if (editing->cli->json) {
		jsonline_open(&text, NULL, '{');
		jsonline_optional(&text, "operation", editing->operation.id, 0);
		jsonline_int(&text, "matched", editing->matched);
		jsonline_int(&text, "edited", editing->operation.done);
		jsonline_int(&text, "unchanged", editing->unchanged);
		jsonline_int(&text, "invalid", editing->invalid);
		text_adds(&text, "}\n");
	} else if (editing->operation.id == 0) {
		text_adds(&text, "no row to edit\n");
	} else {
		text_addf(&text,
		    "edited %s rows (operation %" PRId64 "); next: monspool "
		    "dead replay --operation %" PRId64 "\n",
		    number_print_grouped(rows, editing->operation.done),
		    editing->operation.id, editing->operation.id);
	}
	output_data(text_string(&text), text.len);
	text_free(&text);
}

/* Rows that would not pass are bad input; the others are edited all the
 * same. */
static int
report(const struct editing *editing, struct fault *fault)
{
	if (!options.confirm.dry_run || editing->cli->json)
		print_result(editing);
	if (editing->invalid == 0)
		return 0;
	*fault = editing->fault;
	fault_why(fault, "%" PRId64 " rows stay as they are", editing->invalid);
	return -1;
}

static int
run(struct editing *editing, struct dead_choice *choice, struct fault *fault)
{
	const struct dead_work work = { .db = editing->db,
		.config = &editing->config,
		.operation = &editing->operation,
		.step = edit_some,
		.cookie = editing,
		.output = &editing->cli->output,
		.what = "edited" };
	int code;

	if (options.changes.count == 0 && ask_editor(editing, choice, fault))
		return -1;
	if (dead_choice_visit(
		choice, editing->db, DEADLETTER_BY_ID, on_row, editing, fault))
		return -1;
	if (editing->failed)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (editing->matched > 0)
		tell_plan(editing);
	if (options.confirm.dry_run || editing->pick.count == 0)
		return report(editing, fault);
	if ((code = confirm(editing->cli, &options.confirm, "Edit them?")) != 0)
		return code;
	dead_work_describe(&editing->operation, OPERATION_EDIT, choice);
	editing->operation.matched = editing->matched;
	if (dead_work_begin(editing->db, &editing->operation, fault) ||
	    dead_work_do(&work, editing->pick.ids, editing->pick.count, fault))
		return -1;
	return report(editing, fault);
}

/* "--set namespace=X metric=Y": words with an equals sign are changes, too. */
static int
take_words(struct cli *cli, struct fault *fault)
{
	int i, kept = 0;

	for (i = 0; i < cli->word_count; i++) {
		if (strchr(cli->words[i], '=') == NULL)
			cli->words[kept++] = cli->words[i];
		else if (dead_changes_set(
			     &options.changes, cli->words[i], fault))
			return -1;
	}
	cli->word_count = kept;
	return 0;
}

static int
dead_edit_run(struct cli *cli)
{
	static struct editing editing;
	struct dead_choice choice = { .filter = &options.filter,
		.output = &cli->output };
	struct fault fault = { 0 };
	int code = -1;

	editing.cli = cli;
	if (take_words(cli, &fault))
		return cli_fail(cli, &fault);
	choice.words = cli->words;
	choice.word_count = cli->word_count;
	if (dead_choice_read(&choice, &fault) == 0 &&
	    (editing.db = cli_open(cli,
		 options.confirm.dry_run ? DB_READER : DB_WRITER,
		 &editing.config, &fault)) != NULL)
		code = run(&editing, &choice, &fault);
	dead_choice_free(&choice);
	dead_pick_free(&editing.pick);
	reshape_free(&editing.reshaped);
	text_free(&editing.invalids);
	dead_changes_free_hand(&options.changes);
	db_close(editing.db);
	return code == -1 ? cli_fail(cli, &fault) : code;
}

const struct command COMMAND_DEAD_EDIT = {
	.name = "dead edit",
	.usage =
	    "dead edit ID...|FILTER [--set NAME=X]... [--rename-dim A=B]... "
	    "[--yes]\n"
	    "dead edit ID",
	.summary = "correct dead rows, originals kept",
	.notes =
	    "Changes apply in the order in which they are given; the result "
	    "is checked as put\ndoes.  One id and no change: $EDITOR.",
	.options = OPTIONS,
	.target = &options,
	.words_most = COMMAND_ANY_WORDS,
	.run = dead_edit_run,
};
