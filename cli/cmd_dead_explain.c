#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "protocol/disposition.h"
#include "queue/deadletter.h"
#include "cli.h"
#include "help.h"
#include "jsonline.h"
#include "lines.h"
#include "look_alike.h"
#include "selection.h"
#include "show_row.h"
#include "suggestion.h"

/* An explanation under way. */
struct explaining {
	const struct cli *cli;
	struct db *db;
	struct config config;
	struct fault *fault;
	struct text text, summary;
	struct look_alikes look_alikes;
	struct suggestions suggestions;
};

/* ---- why ---- */

/* What causes without a code mean. */
static const struct {
	const char *cause, *says;
} CAUSES[] = {
	{ "late",
	    "It was older than [late] after when its turn came, and [late] "
	    "policy is dead-letter: the receiver was never asked." },
	{ "ambiguous",
	    "Whether the receiver took it is unknown, and [receiver] "
	    "on_ambiguous is dead-letter: sent again, it may arrive twice." },
	{ "oversize",
	    "The receiver found its request too long even when it went "
	    "alone." },
	{ "check",
	    "It failed monspool's own checks when it was packed: the receiver "
	    "was never asked." },
	{ "damage",
	    "What is stored of it failed its checks: the receiver was never "
	    "asked." },
	{ "crash",
	    "The forwarder ended twice while it handled this row: the "
	    "receiver may not have seen it." },
	{ "import", "It came from a file, by dead import." },
};

static const char *
cause_says(const char *cause)
{
	size_t i;

	for (i = 0; i < sizeof(CAUSES) / sizeof(CAUSES[0]); i++)
		if (strcmp(CAUSES[i].cause, cause) == 0)
			return CAUSES[i].says;
	return NULL;
}

/* Kin of a refused row went without a request of their own. */
static bool
is_kin(const struct deadletter_row *row)
{
	return strncmp(row->evidence, "not sent", 8) == 0;
}

static void
add_answer(struct text *text, const struct deadletter_row *row)
{
	text_adds(text, lines_code(row->code, row->http_status));
	if (row->message[0] == '\0')
		return;
	text_adds(text, ", \"");
	text_add_escaped(text, row->message, strlen(row->message));
	text_addc(text, '"');
}

static void
summarize_refusal(struct text *text, const struct deadletter_row *row)
{
	bool whole_lane = strcmp(row->scope, "namespace") == 0;

	if (is_kin(row)) {
		text_addf(text, "Another row of this %s was refused alone (",
		    whole_lane ? "namespace" : "series");
		add_answer(text, row);
		text_addf(text,
		    "), and all rows of a %s share that verdict: it was not "
		    "sent again.",
		    whole_lane ? "namespace" : "series");
		return;
	}
	text_adds(text, "The receiver refused it (");
	add_answer(text, row);
	if (row->alone)
		text_adds(text,
		    ") in a request that held nothing else, so it is to "
		    "blame, and not the line.");
	else
		text_adds(text, ").");
	if (row->contrast != NULL && row->contrast[0] != '\0') {
		text_adds(text, " Others were taken: ");
		text_add_escaped(text, row->contrast, strlen(row->contrast));
		text_addc(text, '.');
	}
}

static void
add_look_alike(struct text *text, const struct look_alike *one)
{
	text_addc(text, ' ');
	if (one->given[0] == '\0') {
		text_adds(text, "It lacks the ");
		text_adds(text, one->kind);
		text_adds(text, " \"");
		text_add_escaped(text, one->accepted, strlen(one->accepted));
		text_adds(text, "\", which accepted rows have.");
		return;
	}
	text_addf(text, "Its %s \"", one->kind);
	text_add_escaped(text, one->given, strlen(one->given));
	if (one->accepted[0] == '\0') {
		text_adds(text, "\" is one that accepted rows have not.");
		return;
	}
	text_adds(text, "\" looks like \"");
	text_add_escaped(text, one->accepted, strlen(one->accepted));
	text_adds(text, "\", which was accepted.");
}

static void
summarize(struct explaining *explaining, const struct deadletter_row *row)
{
	struct text *text = &explaining->summary;
	const char *says = cause_says(row->cause);
	size_t i;

	if (says != NULL)
		text_adds(text, says);
	else
		summarize_refusal(text, row);
	for (i = 0; i < explaining->look_alikes.count; i++)
		add_look_alike(text, &explaining->look_alikes.list[i]);
}

/* ---- output ---- */

static void
add_json(struct explaining *explaining)
{
	struct text *text = &explaining->text;
	const struct look_alike *one;
	size_t i;

	jsonline_text(text, "summary", text_string(&explaining->summary));
	jsonline_open(text, "look_alikes", '[');
	for (i = 0; i < explaining->look_alikes.count; i++) {
		one = &explaining->look_alikes.list[i];
		jsonline_open(text, NULL, '{');
		jsonline_text(text, "kind", one->kind);
		jsonline_text(
		    text, "given", one->given[0] != '\0' ? one->given : NULL);
		jsonline_text(text, "accepted",
		    one->accepted[0] != '\0' ? one->accepted : NULL);
		jsonline_close(text, '}');
	}
	jsonline_close(text, ']');
	jsonline_open(text, "try", '[');
	for (i = 0; i < explaining->suggestions.count; i++)
		jsonline_text(text, NULL,
		    text_string(&explaining->suggestions.commands[i]));
	text_adds(text, "]}\n");
}

static void
add_causes(struct text *text, const char *causes)
{
	size_t len;

	for (; *causes != '\0'; causes += len + (causes[len] == '\n')) {
		len = strcspn(causes, "\n");
		text_addf(text, "  - %.*s\n", (int)len, causes);
	}
}

static void
add_text(struct explaining *explaining, const struct disposition *known)
{
	const struct suggestions *suggestions = &explaining->suggestions;
	struct text *text = &explaining->text;
	size_t i;

	text_addf(text, "\n%s\n", text_string(&explaining->summary));
	if (known != NULL && explaining->look_alikes.count == 0) {
		text_adds(text, "likely causes\n");
		add_causes(text, known->causes);
	}
	text_adds(text, "try\n");
	for (i = 0; i < suggestions->count; i++) {
		text_adds(text, "  ");
		text_add_escaped(text, text_string(&suggestions->commands[i]),
		    suggestions->commands[i].len);
		text_addc(text, '\n');
	}
}

/* What the table says of the row's code; NULL for none. */
static int
explain(struct explaining *explaining, const struct deadletter_row *row)
{
	struct dispositions *table;
	char code[24];

	if (row->code >= 0 &&
	    look_alikes_find(&explaining->look_alikes, explaining->db, row,
		explaining->fault))
		return -1;
	summarize(explaining, row);
	suggestions_make(
	    &explaining->suggestions, row, &explaining->look_alikes);
	if (explaining->cli->json) {
		add_json(explaining);
		return 0;
	}
	table = dispositions_new(explaining->config.codes,
	    explaining->config.code_count, explaining->fault);
	if (table == NULL)
		return -1;
	snprintf(code, sizeof(code), "%" PRId64, row->code);
	add_text(explaining, disposition_find(table, code));
	dispositions_free(table);
	return 0;
}

static int
on_row(void *cookie, const struct deadletter_row *row)
{
	struct explaining *explaining = cookie;
	struct show show = { .cli = explaining->cli,
		.db = explaining->db,
		.text = &explaining->text,
		.now_ms = clock_wall_ms(),
		.fault = explaining->fault };

	if (show_dead(&show, row) == 0)
		(void)explain(explaining, row);
	return 0;
}

static int
run(struct explaining *explaining, int64_t id, struct fault *fault)
{
	int found = deadletter_show(explaining->db, id, on_row, explaining);

	if (found == -1)
		*fault = *db_fault(explaining->db);
	if (fault->kind != FAULT_NONE)
		return -1;
	if (found == 0) {
		fault_set(fault, FAULT_NOT_FOUND,
		    "row %" PRId64 " is not among the dead", id);
		fault_hint(fault, "monspool show %" PRId64, id);
		return -1;
	}
	output_data(text_string(&explaining->text), explaining->text.len);
	return 0;
}

static int
read_id(const struct cli *cli, int64_t *id, struct fault *fault)
{
	struct selection selection = { 0 };
	int result;

	result = selection_read(&selection, cli->words, 1, fault);
	if (result == 0 &&
	    (selection.count != 1 ||
		selection.ranges[0].first != selection.ranges[0].last)) {
		fault_set(fault, FAULT_USAGE, "one row is explained at a time");
		fault_hint(fault, "monspool dead explain 17");
		result = -1;
	}
	if (result == 0)
		*id = selection.ranges[0].first;
	selection_free(&selection);
	return result;
}

static int
dead_explain_run(struct cli *cli)
{
	static struct explaining explaining;
	struct fault fault = { 0 };
	int64_t id;
	int result;

	explaining.cli = cli;
	explaining.fault = &fault;
	if (cli->word_count == 0)
		return help_usage(cli, &COMMAND_DEAD_EXPLAIN);
	if (read_id(cli, &id, &fault))
		return cli_fail(cli, &fault);
	explaining.db = cli_open(cli, DB_READER, &explaining.config, &fault);
	if (explaining.db == NULL)
		return cli_fail(cli, &fault);
	result = run(&explaining, id, &fault);
	db_close(explaining.db);
	text_free(&explaining.text);
	text_free(&explaining.summary);
	look_alikes_free(&explaining.look_alikes);
	suggestions_free(&explaining.suggestions);
	return result == 0 ? 0 : cli_fail(cli, &fault);
}

const struct command COMMAND_DEAD_EXPLAIN = {
	.name = "dead explain",
	.usage = "dead explain ID",
	.summary = "why a row died, what may have been meant, what to type",
	.words_most = 1,
	.run = dead_explain_run,
};
