#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/audit.h"
#include "cli.h"
#include "jsonline.h"

static struct audit_options {
	bool deep;
} options;

static const struct option OPTIONS[] = {
	{ .name = "deep",
	    .take = option_flag,
	    .offset = offsetof(struct audit_options, deep),
	    .help = "SQLite's integrity check too" },
	{ 0 },
};

static int
problems_told(const struct audit *audit)
{
	return audit->problem_count < AUDIT_PROBLEMS ? audit->problem_count
						     : AUDIT_PROBLEMS;
}

static void
add_json(struct text *text, const struct audit *audit)
{
	const struct ledger_row *ledger = &audit->ledger;
	int i;

	jsonline_open(text, NULL, '{');
	jsonline_int(text, "accepted", ledger->accepted);
	jsonline_int(text, "pending", ledger->pending);
	jsonline_int(text, "delivered", ledger->delivered);
	jsonline_int(text, "dead", ledger->dead);
	jsonline_int(text, "expired", ledger->expired);
	jsonline_int(text, "dropped", ledger->dropped);
	jsonline_int(text, "purged", ledger->purged);
	jsonline_int(text, "replayed", ledger->replayed);
	jsonline_int(text, "last_id", ledger->last_id);
	jsonline_int(text, "counted_pending", audit->counted_pending);
	jsonline_int(text, "counted_dead", audit->counted_dead);
	jsonline_open(text, "problems", '[');
	for (i = 0; i < problems_told(audit); i++)
		jsonline_text(text, NULL, audit->problems[i]);
	jsonline_close(text, ']');
	jsonline_bool(text, "ok", audit->problem_count == 0);
	text_adds(text, "}\n");
}

static void
add_text(struct text *text, const struct audit *audit)
{
	const struct ledger_row *ledger = &audit->ledger;
	const struct {
		const char *name;
		int64_t count;
	} counts[] = {
		{ "accepted", ledger->accepted },
		{ "pending", ledger->pending },
		{ "delivered", ledger->delivered },
		{ "dead", ledger->dead },
		{ "expired", ledger->expired },
		{ "dropped", ledger->dropped },
		{ "purged", ledger->purged },
	};
	char grouped[NUMBER_TEXT_SIZE];
	size_t i;
	int j;

	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		text_addf(text, "%-10s %14s\n", counts[i].name,
		    number_print_grouped(grouped, counts[i].count));
	for (j = 0; j < problems_told(audit); j++) {
		text_adds(text, "problem    ");
		text_add_escaped(
		    text, audit->problems[j], strlen(audit->problems[j]));
		text_addc(text, '\n');
	}
	text_addf(text,
	    "accepted = pending + delivered + dead + expired + "
	    "dropped + purged     %s\n",
	    audit->problem_count == 0 ? "ok" : "NOT OK");
}

/* What the exit code means is said on standard error, too. */
static int
fail(const struct cli *cli, const struct audit *audit)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_LEDGER_BROKEN, "the audit found %d problem%s",
	    audit->problem_count, audit->problem_count == 1 ? "" : "s");
	fault_why(&fault, "%.150s", audit->problems[0]);
	fault_hint(&fault,
	    "keep a copy of the queue's files before anything "
	    "else; monspool audit --deep looks closer");
	return cli_fail(cli, &fault);
}

static int
audit_run_command(struct cli *cli)
{
	static struct config config;
	static struct audit audit;
	struct fault fault = { 0 };
	struct text text = { 0 };
	struct db *db;
	int result;

	if ((db = cli_open(cli, DB_READER, &config, &fault)) == NULL)
		return cli_fail(cli, &fault);
	if ((result = audit_run(db, options.deep, &audit)) != 0)
		fault = *db_fault(db);
	db_close(db);
	if (result != 0)
		return cli_fail(cli, &fault);
	if (cli->json)
		add_json(&text, &audit);
	else
		add_text(&text, &audit);
	output_data(text_string(&text), text.len);
	text_free(&text);
	return audit.problem_count == 0 ? 0 : fail(cli, &audit);
}

const struct command COMMAND_AUDIT = {
	.name = "audit",
	.usage = "audit [--deep]",
	.summary = "count the rows and check the ledger",
	.options = OPTIONS,
	.target = &options,
	.run = audit_run_command,
};
