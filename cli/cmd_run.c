#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/text.h"
#include "queue/db.h"
#include "queue/entry.h"
#include "queue/stage.h"
#include "queue/writer.h"
#include "child.h"
#include "cli.h"
#include "put.h"

static struct run_options {
	const char *ns, *region, *metric, *key;
	struct option_list dimensions;
} options;

#define SLOT(member) .offset = offsetof(struct run_options, member)
static const struct option OPTIONS[] = {
	{ .letter = 'n',
	    .name = "namespace",
	    .argument = "NS",
	    .take = option_text,
	    SLOT(ns),
	    .help = "of both metrics" },
	{ .letter = 'r',
	    .name = "region",
	    .argument = "R",
	    .take = option_text,
	    SLOT(region),
	    .help = "of both metrics" },
	{ .letter = 'm',
	    .name = "metric",
	    .argument = "NAME",
	    .take = option_text,
	    SLOT(metric),
	    .help = "they are called NAME_exit and NAME_seconds" },
	{ .letter = 'd',
	    .name = "dimension",
	    .argument = "K=V",
	    .take = option_list,
	    SLOT(dimensions),
	    .repeats = true,
	    .help = "of both metrics (repeatable)" },
	{ .letter = 'k',
	    .name = "key",
	    .argument = "KEY",
	    .take = option_text,
	    SLOT(key),
	    .help = "put again, nothing is queued; the command runs all the "
		    "same" },
	{ 0 },
};

/* What is to be queued about the command. */
struct report {
	struct config config;
	struct db *db;
	struct stage *stage;
	struct entry_dimension *dimensions;
	const struct child *child;
};

static int
stage_value(
    struct report *report, const char *what, double value, struct fault *fault)
{
	struct text metric = { 0 };
	struct entry entry = { .ns = options.ns,
		.region = options.region,
		.dimensions = report->dimensions,
		.dimension_count = options.dimensions.count,
		.value = value,
		.observed_at = -1,
		.max_age_ms = -1 };
	const struct config_checks *checks = &report->config.checks;
	struct entry_wire wire = { 0 };
	int result = -1;

	text_addf(&metric, "%s_%s", options.metric, what);
	entry.metric = text_string(&metric);
	if (metric.failed)
		fault_set(fault, FAULT_INTERNAL, "out of memory");
	else if (entry_check(&entry, checks, checks->strict, fault) == 0 &&
	    entry_render(&entry, checks, &wire, fault) == 0)
		result = stage_add(report->stage, &entry, &wire, fault);
	entry_wire_free(&wire);
	text_free(&metric);
	return result;
}

static int
stage_all(struct report *report, struct fault *fault)
{
	const struct child *child = report->child;

	if (stage_value(report, "exit", child->exit, fault) ||
	    stage_value(
		report, "seconds", (double)child->took_ms / 1000, fault))
		return -1;
	return options.key == NULL
	    ? 0
	    : stage_set_key(report->stage, options.key, fault);
}

static int
commit(struct report *report, struct fault *fault)
{
	struct writer_result result;
	struct writer *writer;
	int failed;

	if ((writer = writer_new(report->db, &report->config, fault)) == NULL)
		return -1;
	failed = stage_commit(
	    report->stage, writer, clock_wall_ms(), &result, fault);
	writer_free(writer);
	return failed;
}

/* Queue both metrics or none. */
static int
queue(struct cli *cli, struct report *report, struct fault *fault)
{
	int result = -1;

	report->db = cli_open(cli, DB_WRITER, &report->config, fault);
	if (report->db == NULL)
		return -1;
	report->stage = stage_new(db_place(report->db)->dir, fault);
	if (report->stage != NULL && stage_all(report, fault) == 0)
		result = commit(report, fault);
	stage_free(report->stage);
	db_close(report->db);
	return result;
}

static int
usage(struct fault *fault, const char *what)
{
	fault_set(fault, FAULT_USAGE, "%s", what);
	fault_hint(
	    fault, "monspool run -n cvm -m backup -- /usr/local/bin/backup");
	return -1;
}

static int
check(const struct cli *cli, struct fault *fault)
{
	if (options.ns == NULL)
		return usage(fault, "the namespace is missing (-n)");
	if (options.metric == NULL)
		return usage(fault, "the metrics' name is missing (-m)");
	if (cli->word_count == 0)
		return usage(fault, "the command is missing");
	return put_check_key("key", options.key, fault);
}

static void
tell_start(struct cli *cli, int error)
{
	struct fault fault = { 0 };
	char shown[100];

	fault_errno(&fault, error, "cannot run %s",
	    text_shown(
		shown, sizeof(shown), cli->words[0], strlen(cli->words[0])));
	fault_hint(&fault, "check its name, the PATH and its mode");
	cli_fail(cli, &fault);
}

/* Whatever becomes of the metrics, the caller gets the command's exit code. */
static int
run(struct cli *cli)
{
	static struct report report;
	struct child child = { 0 };
	struct fault fault = { 0 };

	if (check(cli, &fault) ||
	    put_split_pairs("dimension", &options.dimensions, 0,
		&report.dimensions, &fault))
		return cli_fail(cli, &fault);
	cli->words[cli->word_count] = NULL;
	if (cli->ignores_pipe)
		signal(SIGPIPE, SIG_IGN);
	if (!cli->ignores_size)
		signal(SIGXFSZ, SIG_DFL);
	child_run(cli->words, &child);
	signal(SIGPIPE, SIG_IGN); /* nor may what is said end it otherwise */
	signal(SIGXFSZ, SIG_IGN);
	if (child.error != 0)
		tell_start(cli, child.error);
	report.child = &child;
	if (queue(cli, &report, &fault))
		cli_fail(cli, &fault);
	return child.exit;
}

const struct command COMMAND_RUN = {
	.name = "run",
	.usage = "run -n NS -m NAME [-d K=V]... [-r R] [-k KEY] -- COMMAND "
		 "[ARG...]",
	.summary = "run a command, queue its exit code and how long it took",
	.notes =
	    "From the first word on, or from \"--\", all is the command's.\n"
	    "Exits as the command did: 128+signal, 126 (cannot be "
	    "executed), 127 (not found).\nIf queueing fails, that is said "
	    "and changes nothing else.",
	.options = OPTIONS,
	.target = &options,
	.words_most = COMMAND_OWN_WORDS,
	.run = run,
};
