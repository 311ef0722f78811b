#include <inttypes.h>
#include <stdio.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/purge.h"
#include "cli.h"
#include "confirm.h"
#include "dead_filter.h"
#include "dead_pick.h"
#include "dead_work.h"
#include "export_file.h"
#include "help.h"
#include "jsonline.h"
#include "progress.h"

static struct dead_purge_options {
	struct dead_filter filter; /* first */
	struct confirm_options confirm;
	const char *export;
	bool no_backup;
} options = { .filter = DEAD_FILTER_NONE };

#define SLOT(member) .offset = offsetof(struct dead_purge_options, member)
static const struct option OPTIONS[] = {
	DEAD_FILTER_OPTIONS,
	{ .name = "export",
	    .argument = "FILE",
	    .take = option_text,
	    SLOT(export),
	    .help = "write the rows there first (monspool-purge-OP.ndjson)" },
	{ .name = "no-backup",
	    .take = option_flag,
	    SLOT(no_backup),
	    .help = "write them nowhere" },
	CONFIRM_OPTIONS(struct dead_purge_options),
	{ 0 },
};

/* A purge under way. */
struct purge {
	const struct cli *cli;
	struct db *db;
	struct config config; /* the queue's copy */
	struct dead_pick pick;
	struct operation_row operation;
	char file[128];   /* by default */
	const char *path; /* NULL: none */
	bool failed;      /* memory is short */
};

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct purge *purge = cookie;

	purge->failed = dead_pick_add(&purge->pick, row) != 0;
	return purge->failed;
}

static void
print_result(const struct purge *purge)
{
	struct text text = { 0 };
	char rows[NUMBER_TEXT_SIZE];

	if (!purge->cli->json && purge->operation.id == 0)
		text_adds(&text, "no row to purge\n");
	else if (!purge->cli->json) {
		text_addf(&text, "purged %s rows (operation %" PRId64 ")",
		    number_print_grouped(rows, purge->operation.done),
		    purge->operation.id);
		if (purge->path != NULL)
			text_addf(&text, "; they are in %s", purge->path);
		text_addc(&text, '\n');
	} else {
		jsonline_open(&text, NULL, '{');
		jsonline_optional(&text, "operation", purge->operation.id, 0);
		jsonline_int(&text, "matched", (int64_t)purge->pick.count);
		jsonline_int(&text, "purged", purge->operation.done);
		jsonline_text(&text, "file", purge->path);
		text_adds(&text, "}\n");
	}
	output_data(text_string(&text), text.len);
	text_free(&text);
}

static void
tell_plan(const struct purge *purge)
{
	struct text plan = { 0 };
	char rows[NUMBER_TEXT_SIZE];

	text_addf(&plan, "purge %s dead rows, %s%s:\n",
	    number_print_grouped(rows, (int64_t)purge->pick.count),
	    options.no_backup ? "without a backup" : "exported first to ",
	    options.no_backup            ? ""
		: options.export != NULL ? options.export
					 : "monspool-purge-OP.ndjson");
	dead_pick_describe(&purge->pick, &plan);
	confirm_plan(purge->cli, &options.confirm, &plan);
	text_free(&plan);
}

/* ---- the export ---- */

static int
on_exported(void *cookie, const struct deadletter_row *row)
{
	export_row(cookie, row);
	return 0;
}

/* Write every row that is still dead; the others are left out of the purge. */
static int
write_rows(struct purge *purge, struct export_file *export, struct fault *fault)
{
	struct dead_pick *pick = &purge->pick;
	size_t i, kept = 0;
	int found;

	for (i = 0; i < pick->count; i++) {
		if (i % OPERATION_ROWS == 0)
			progress_count(
			    "exported", (int64_t)i, (int64_t)pick->count);
		found = deadletter_show(
		    purge->db, pick->ids[i], on_exported, export);
		if (found == -1) {
			*fault = *db_fault(purge->db);
			return -1;
		}
		if (found == 1)
			pick->ids[kept++] = pick->ids[i];
	}
	pick->count = kept;
	return 0;
}

static int export(struct purge *purge, struct fault *fault)
{
	struct export_file export;
	int failed;

	if (options.no_backup)
		return 0;
	snprintf(purge->file, sizeof(purge->file),
	    "monspool-purge-%" PRId64 ".ndjson", purge->operation.id);
	purge->path = options.export != NULL ? options.export : purge->file;
	if (export_open(&export, purge->path, fault))
		return -1;
	progress_start(&purge->cli->output);
	failed = write_rows(purge, &export, fault);
	progress_end();
	if (failed) {
		export_abandon(&export);
		return -1;
	}
	return export_close(&export, fault);
}

/* ---- the purge ---- */

static int64_t
purge_some(struct db *db, void *cookie, const int64_t *ids, size_t count,
    int64_t *skipped)
{
	int64_t gone = purge_rows(db, ids, count);

	(void)cookie;
	*skipped = (int64_t)count - gone;
	return gone;
}

/* Not a row goes before its line is on the disk. */
static int
carry_out(struct purge *purge, struct fault *fault)
{
	const struct dead_work work = { .db = purge->db,
		.config = &purge->config,
		.operation = &purge->operation,
		.step = purge_some,
		.output = &purge->cli->output,
		.what = "purged" };

	purge->operation.matched = (int64_t)purge->pick.count;
	if (dead_work_begin(purge->db, &purge->operation, fault))
		return -1;
	if (export(purge, fault)) {
		(void)operation_cancel(
		    purge->db, purge->operation.id, purge->operation.asked_at);
		return -1;
	}
	return dead_work_do(&work, purge->pick.ids, purge->pick.count, fault);
}

/* The exit code. */
static int
run(struct purge *purge, struct dead_choice *choice, struct fault *fault)
{
	int code;

	if (dead_choice_visit(
		choice, purge->db, DEADLETTER_BY_ID, on_row, purge, fault))
		return -1;
	if (purge->failed)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (purge->pick.count > 0)
		tell_plan(purge);
	if (options.confirm.dry_run || purge->pick.count == 0) {
		if (purge->cli->json || purge->pick.count == 0)
			print_result(purge);
		return 0;
	}
	if ((code = confirm(purge->cli, &options.confirm, "Purge them?")) != 0)
		return code;
	dead_work_describe(&purge->operation, OPERATION_PURGE, choice);
	if (carry_out(purge, fault))
		return -1;
	print_result(purge);
	return 0;
}

static int
check(struct dead_choice *choice, struct fault *fault)
{
	if (options.no_backup && options.export != NULL) {
		fault_set(fault, FAULT_USAGE,
		    "--export and --no-backup exclude each other");
		fault_hint(fault, "give one of them");
		return -1;
	}
	return dead_choice_read(choice, fault);
}

static int
dead_purge_run(struct cli *cli)
{
	static struct purge purge;
	struct dead_choice choice = { .filter = &options.filter,
		.words = cli->words,
		.output = &cli->output,
		.word_count = cli->word_count };
	struct fault fault = { 0 };
	int code;

	purge.cli = cli;
	if (check(&choice, &fault))
		return cli_fail(cli, &fault);
	purge.db = cli_open(cli,
	    options.confirm.dry_run ? DB_READER : DB_WRITER, &purge.config,
	    &fault);
	if (purge.db == NULL)
		return cli_fail(cli, &fault);
	code = run(&purge, &choice, &fault);
	dead_pick_free(&purge.pick);
	dead_choice_free(&choice);
	db_close(purge.db);
	return code == -1 ? cli_fail(cli, &fault) : code;
}

const struct command COMMAND_DEAD_PURGE = {
	.name = "dead purge",
	.usage = "dead purge ID...|FILTER [--export FILE|--no-backup] [--yes]",
	.summary = "remove dead rows, exported first",
	.notes = "The export must not exist; it is made 0600, and complete "
		 "before a row goes.",
	.options = OPTIONS,
	.target = &options,
	.words_most = COMMAND_ANY_WORDS,
	.run = dead_purge_run,
};
