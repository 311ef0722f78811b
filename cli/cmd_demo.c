#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"
#include "queue/audit.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "cli.h"
#include "demo.h"
#include "jsonline.h"

static struct demo_options {
	bool keep, fast;
} options;

#define SLOT(member) .offset = offsetof(struct demo_options, member)
static const struct option OPTIONS[] = {
	{ .name = "keep",
	    .take = option_flag,
	    SLOT(keep),
	    .help = "leave the directory, to look around" },
	{ .name = "fast",
	    .take = option_flag,
	    SLOT(fast),
	    .help = "a tenth of the rows" },
	{ 0 },
};

/* One line of the story; every number in it was measured. */
static void __attribute__((format(printf, 3, 4)))
tell(const struct demo *demo, const char *name, const char *format, ...)
{
	struct text text = { 0 };
	char line[2 * PATH_MAX + 512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (demo->cli->json) {
		jsonline_open(&text, NULL, '{');
		jsonline_text(&text, "step", name);
		jsonline_text(&text, "text", line);
		text_adds(&text, "}\n");
	} else
		text_addf(&text, "%-10s %s\n", name, line);
	output_data(text_string(&text), text.len);
	(void)output_flush(NULL);
	text_free(&text);
}

static const char *
grouped(int64_t number)
{
	static char texts[8][NUMBER_TEXT_SIZE];
	static unsigned turn;

	return number_print_grouped(texts[turn++ % 8], number);
}

static int64_t
scaled(int64_t rows)
{
	return options.fast ? rows / 10 : rows;
}

/* Put ${count} good rows, numbered on. */
static int
put_good(struct demo *demo, int64_t count, struct fault *fault)
{
	const struct demo_rows rows = { .ns = "cvm",
		.dimension = "diskname",
		.count = count,
		.first_value = demo->put };

	demo->put += count;
	return demo_put(demo, &rows, fault);
}

static int
wait_empty(struct demo *demo, struct fault *fault)
{
	return demo_wait(
	    demo, demo_nothing_pends, 0, "nothing pends any more", fault);
}

static int
tell_receiver(struct demo *demo, struct fault *fault)
{
	if (demo_start_receiver(demo, NULL, fault) ||
	    demo_start_forwarder(demo, fault))
		return -1;
	tell(demo, "receiver",
	    "127.0.0.1:%" PRId64 ", emulated; namespaces "
	    "cvm, pc",
	    demo->port);
	return 0;
}

static int
tell_writer(struct demo *demo, struct fault *fault)
{
	int64_t began_ms = clock_steady_ms(), took_ms;

	if (put_good(demo, scaled(1000), fault))
		return -1;
	took_ms = clock_steady_ms() - began_ms;
	if (wait_empty(demo, fault))
		return -1;
	tell(demo, "writer",
	    "put %s metrics                      committed "
	    "in %" PRId64 " ms",
	    grouped(demo->put), took_ms);
	return 0;
}

static int
tell_outage(struct demo *demo, struct fault *fault)
{
	struct ledger_row ledger;

	demo_end(&demo->receiver, SIGTERM);
	if (put_good(demo, scaled(500), fault) ||
	    demo_ledger(demo, &ledger, fault))
		return -1;
	tell(demo, "outage",
	    "receiver stopped; put %s more         pending "
	    "%s, the writer never noticed",
	    grouped(scaled(500)), grouped(ledger.pending));
	return 0;
}

static int
tell_recovery(struct demo *demo, struct fault *fault)
{
	int64_t requests = demo_lines(demo, "requests");
	int64_t began_ms = clock_steady_ms();
	char span[SPAN_TEXT_SIZE];

	if (demo_start_receiver(demo, NULL, fault) || wait_empty(demo, fault))
		return -1;
	tell(demo, "recovery",
	    "receiver back                          pending "
	    "0 in %s, %s requests",
	    span_print_ms(span, clock_steady_ms() - began_ms),
	    grouped(demo_lines(demo, "requests") - requests));
	return 0;
}

/* The receiver answers late, so that the kill falls between its taking a
 * batch and our knowing of it. */
static int
crash(struct demo *demo, struct fault *fault)
{
	int64_t recorded = demo_lines(demo, "record");

	demo_end(&demo->receiver, SIGTERM);
	if (demo_start_receiver(demo, "delay=300ms", fault) ||
	    put_good(demo, scaled(500), fault) ||
	    demo_wait(demo, demo_recorded_over, recorded,
		"the receiver took a batch", fault))
		return -1;
	demo_end(&demo->forwarder, SIGKILL);
	if (demo_start_forwarder(demo, fault))
		return -1;
	return wait_empty(demo, fault);
}

static int
tell_crash(struct demo *demo, struct demo_tally *tally, struct fault *fault)
{
	if (crash(demo, fault) || demo_count(demo, tally, fault))
		return -1;
	tell(demo, "crash",
	    "kill -9 the forwarder in mid-batch     restarted; "
	    "%s put, %s received, %s lost, %s twice",
	    grouped(demo->put), grouped(tally->received), grouped(tally->lost),
	    grouped(tally->twice));
	if (tally->twice > 0)
		tell(demo, "",
		    "(twice: one batch was taken, but its answer "
		    "died with the forwarder; it is resent)");
	return 0;
}

/* What the dead letters say of one row. */
static int
on_dead(void *cookie, const struct deadletter_row *row)
{
	struct text message = { 0 };

	text_add_escaped(&message, row->message, strlen(row->message));
	tell(cookie, "", "dead %" PRId64 "  %" PRId64 "  %s/%s  %s", row->id,
	    row->code, row->ns, row->metric, text_string(&message));
	text_free(&message);
	return 0;
}

#define BAD_ROWS 5

/* Five of a hundred rows that the receiver will never take. */
static int
put_bad(struct demo *demo, struct fault *fault)
{
	/* Their values are beyond the numbers of the good rows. */
	const struct demo_rows misspelt = { .ns = "cvmm",
		.dimension = "diskname",
		.count = 3,
		.first_value = 1000000 };
	const struct demo_rows unknown = { .ns = "cvm",
		.dimension = "diskname_",
		.count = 2,
		.first_value = 1000000 };

	if (demo_put(demo, &misspelt, fault) || demo_put(demo, &unknown, fault))
		return -1;
	return put_good(demo, 95, fault);
}

static int
list_dead(struct demo *demo, struct fault *fault)
{
	const struct deadletter_filter all = { .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };

	if (deadletter_list(
		demo->db, &all, DEADLETTER_BY_ID, 10, on_dead, demo) != -1)
		return 0;
	*fault = *db_fault(demo->db);
	return -1;
}

static int
tell_bad_data(struct demo *demo, struct fault *fault)
{
	struct ledger_row before, after;

	demo_end(&demo->receiver, SIGTERM);
	if (demo_start_receiver(demo, NULL, fault) ||
	    demo_ledger(demo, &before, fault) || put_bad(demo, fault) ||
	    wait_empty(demo, fault) || demo_ledger(demo, &after, fault))
		return -1;
	tell(demo, "bad data",
	    "3 rows of 100 in an unknown namespace, 2 with "
	    "an unknown dimension: dead %s, the other %s "
	    "delivered",
	    grouped(after.dead - before.dead),
	    grouped(after.delivered - before.delivered));
	return list_dead(demo, fault);
}

static int
tell_repair(struct demo *demo, struct fault *fault)
{
	struct ledger_row ledger;

	if (demo_repair(demo, fault) || demo_ledger(demo, &ledger, fault))
		return -1;
	tell(demo, "repair", "dead edit, dead replay                 dead %s",
	    grouped(ledger.dead));
	return 0;
}

/* The last word: every row is accounted for. */
static int
tell_audit(struct demo *demo, struct demo_tally *tally, bool *good,
    struct fault *fault)
{
	static struct audit audit;

	if (demo_count(demo, tally, fault))
		return -1;
	if (audit_run(demo->db, true, &audit)) {
		*fault = *db_fault(demo->db);
		return -1;
	}
	*good = audit.problem_count == 0 && tally->lost == 0 &&
	    audit.ledger.delivered == demo->put + BAD_ROWS &&
	    audit.ledger.dead == 0;
	tell(demo, "audit",
	    "accepted %s = pending %s + delivered %s + dead "
	    "%s + expired %s + dropped %s + purged %s     %s",
	    grouped(audit.ledger.accepted), grouped(audit.ledger.pending),
	    grouped(audit.ledger.delivered), grouped(audit.ledger.dead),
	    grouped(audit.ledger.expired), grouped(audit.ledger.dropped),
	    grouped(audit.ledger.purged), *good ? "ok" : "NOT OK");
	return 0;
}

static void
tell_next(const struct demo *demo)
{
	const char *example = "put -n cvm -m diskusage -d diskname=disk1"
			      " -d ip=172.31.58.160 30";
	char path[PATH_MAX];
	const char *self = cli_own_name(path, sizeof(path));

	if (demo->keep)
		tell(demo, "next:", "export MONSPOOL_QUEUE=%s; %s %s",
		    demo->queue, self, example);
	else
		tell(demo, "next:",
		    "export MONSPOOL_QUEUE=$HOME/monspool/queue.db; %s init; "
		    "%s %s",
		    self, self, example);
}

static int
play(struct demo *demo, bool *good, struct fault *fault)
{
	struct demo_tally tally;

	if (demo_open(demo, fault) || tell_receiver(demo, fault) ||
	    tell_writer(demo, fault) || tell_outage(demo, fault) ||
	    tell_recovery(demo, fault) || tell_crash(demo, &tally, fault) ||
	    tell_bad_data(demo, fault) || tell_repair(demo, fault) ||
	    tell_audit(demo, &tally, good, fault))
		return -1;
	return 0;
}

static int
demo_run(struct cli *cli)
{
	static struct demo demo;
	struct fault fault = { 0 };
	bool good = false;
	int result;

	demo.cli = cli;
	demo.keep = options.keep;
	result = play(&demo, &good, &fault);
	if (result == 0)
		tell_next(&demo);
	demo_close(&demo);
	if (result != 0)
		return cli_fail(cli, &fault);
	return good ? 0 : 1;
}

const struct command COMMAND_DEMO = {
	.name = "demo",
	.usage = "demo [--keep] [--fast]",
	.summary = "an outage, a crash and bad data, played on loopback",
	.options = OPTIONS,
	.target = &options,
	.run = demo_run,
};
