#include <inttypes.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/deadletter.h"
#include "queue/ledger.h"
#include "queue/status.h"
#include "cli.h"
#include "help.h"
#include "selection.h"
#include "show_row.h"

/* A showing under way. */
struct showing {
	const struct cli *cli;
	struct db *db;
	struct fault *fault;
	bool dead_only; /* "dead show" */
	int64_t now_ms, last_id, shown;
	struct text text; /* of the row at hand */
};

static struct show
show_of(struct showing *showing)
{
	return (struct show){ .cli = showing->cli,
		.db = showing->db,
		.text = &showing->text,
		.now_ms = showing->now_ms,
		.fault = showing->fault };
}

/* The row is printed when all of it is known. */
static void
end_row(struct showing *showing)
{
	if (showing->cli->json)
		text_adds(&showing->text, "}\n");
}

static int
on_pending(void *cookie, const struct pending_row *row)
{
	struct showing *showing = cookie;
	struct show show = show_of(showing);

	if (show_pending(&show, row))
		return -1;
	end_row(showing);
	return 0;
}

static int
on_dead(void *cookie, const struct deadletter_row *row)
{
	struct showing *showing = cookie;
	struct show show = show_of(showing);

	if (show_dead(&show, row))
		return -1;
	end_row(showing);
	return 0;
}

/* Show one: 1 shown, 0 there is none, -1 failed. */
static int
show_one(struct showing *showing, int64_t id)
{
	int found = 0;

	text_clear(&showing->text);
	if (!showing->dead_only)
		found = status_show(showing->db, id, on_pending, showing);
	if (found == 0)
		found = deadletter_show(showing->db, id, on_dead, showing);
	if (found == -1 && showing->fault->kind == FAULT_NONE)
		*showing->fault = *db_fault(showing->db);
	if (showing->fault->kind != FAULT_NONE)
		return -1;
	if (found == 1) {
		output_data(text_string(&showing->text), showing->text.len);
		showing->shown++;
	}
	return found;
}

/* Why there is no such row. */
static void
explain_missing(const struct showing *showing, int64_t id, struct fault *fault)
{
	if (id > showing->last_id) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " never was: the last id given is %" PRId64,
		    id, showing->last_id);
		fault_hint(fault, "monspool list shows what is pending");
	} else if (ledger_is_missing(showing->db, id) == 1) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " is missing: the file lost it after it was "
		    "acknowledged",
		    id);
		fault_hint(fault, "monspool status counts what is missing");
	} else if (showing->dead_only) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " is not among the dead", id);
		fault_hint(fault, "monspool show %" PRId64, id);
	} else {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " has left the queue: delivered, expired, "
		    "dropped or purged",
		    id);
		fault_hint(fault, "monspool status counts them");
	}
}

/* Show a range; a bare id must be there, of a range one at least.  The first miss is
 * kept in ${missing}. */
static int
show_range(struct showing *showing, const struct selection_range *range,
    struct fault *missing)
{
	int64_t last = range->last, before = showing->shown, id;

	if (last > showing->last_id)
		last = showing->last_id;
	for (id = range->first; id <= last; id++)
		if (show_one(showing, id) == -1)
			return -1;
	if (showing->shown == before && missing->kind == FAULT_NONE)
		explain_missing(showing, range->first, missing);
	return 0;
}

static int
show_all(struct showing *showing, const struct selection *selection)
{
	struct ledger_row ledger;
	struct fault missing = { 0 };
	size_t i;

	if (ledger_read(showing->db, &ledger)) {
		*showing->fault = *db_fault(showing->db);
		return -1;
	}
	showing->last_id = ledger.last_id;
	for (i = 0; i < selection->count; i++)
		if (show_range(showing, &selection->ranges[i], &missing))
			return -1;
	if (missing.kind == FAULT_NONE)
		return 0;
	*showing->fault = missing;
	return -1;
}

static int
run(struct cli *cli, bool dead_only, const struct command *command)
{
	static struct config config;
	struct selection selection = { 0 };
	struct fault fault = { 0 };
	struct showing showing = { .cli = cli,
		.fault = &fault,
		.dead_only = dead_only,
		.now_ms = clock_wall_ms() };
	int result;

	if (cli->word_count == 0)
		return help_usage(cli, command);
	result = selection_read(
	    &selection, cli->words, cli->word_count, &fault);
	if (result == 0) {
		showing.db = cli_open(cli, DB_READER, &config, &fault);
		result = showing.db == NULL ? -1
					    : show_all(&showing, &selection);
		db_close(showing.db);
	}
	selection_free(&selection);
	text_free(&showing.text);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

static int
show_run(struct cli *cli)
{
	return run(cli, false, &COMMAND_SHOW);
}

static int
dead_show_run(struct cli *cli)
{
	return run(cli, true, &COMMAND_DEAD_SHOW);
}

const struct command COMMAND_SHOW = {
	.name = "show",
	.usage = "show ID...",
	.summary = "one pending or dead row with its attempts",
	.notes = "ID is a number (17), a range (104-120), or - for ids on "
		 "standard input.",
	.words_most = COMMAND_ANY_WORDS,
	.run = show_run,
};

const struct command COMMAND_DEAD_SHOW = {
	.name = "dead show",
	.usage = "dead show ID...",
	.summary = "a dead row, its attempts and the evidence",
	.notes = "ID is a number (17), a range (104-120), or - for ids on "
		 "standard input.",
	.words_most = COMMAND_ANY_WORDS,
	.run = dead_show_run,
};
