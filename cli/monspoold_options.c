#include "monspoold_options.h"

#include <stddef.h>

#include "base/fault.h"
#include "base/span.h"
#include "base/text.h"
#include "options.h"

#define FIELD(name) offsetof(struct monspoold_options, name)

static int
take_drain(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	struct monspoold_options *options = slot;

	options->drain = true;
	if (value == NULL)
		return 0;
	return option_span(&options->drain_ms, option, value, fault);
}

static int
take_rate(void *slot, const struct option *option, const char *value,
    struct fault *fault)
{
	(void)option;
	if (span_read_rate(value, slot) == 0 && *(double *)slot > 0)
		return 0;
	fault_set(fault, FAULT_USAGE, "not a rate");
	fault_hint(fault, "rates are written 5/s, 30/m");
	return -1;
}

static const struct option OPTIONS[] = {
	{ .letter = 'Q',
	    .name = "queue",
	    .argument = "PATH",
	    .help = "the queue file",
	    .take = option_text,
	    .offset = FIELD(queue) },
	{ .letter = 'C',
	    .name = "config",
	    .argument = "FILE",
	    .help = "the configuration file",
	    .take = option_text,
	    .offset = FIELD(config) },
	{ .letter = 'j',
	    .name = "json",
	    .help = "log one JSON object a line",
	    .take = option_flag,
	    .offset = FIELD(json) },
	{ .letter = 'q',
	    .name = "quiet",
	    .help = "log warnings and errors only",
	    .take = option_flag,
	    .offset = FIELD(quiet) },
	{ .letter = 'v',
	    .name = "verbose",
	    .help = "log more; may be repeated",
	    .take = option_count,
	    .offset = FIELD(verbose),
	    .repeats = true },
	{ .name = "once",
	    .help = "work each lane until it is empty, backing off or held",
	    .take = option_flag,
	    .offset = FIELD(once) },
	{ .name = "drain",
	    .argument = "D",
	    .optional = true,
	    .help = "as --once, but wait out back-off, for at most D",
	    .take = take_drain,
	    .offset = 0 },
	{ .name = "until-idle",
	    .argument = "D",
	    .help = "end after D without work",
	    .take = option_span,
	    .offset = FIELD(until_idle_ms) },
	{ .name = "print",
	    .help = "show the next requests, masked; send and change nothing",
	    .take = option_flag,
	    .offset = FIELD(print) },
	{ .name = "limit",
	    .argument = "N",
	    .help = "send at most N rows in all",
	    .take = option_whole,
	    .offset = FIELD(limit) },
	{ .name = "namespace",
	    .argument = "G",
	    .help = "work these lanes only: globs joined by commas",
	    .take = option_text,
	    .offset = FIELD(namespaces) },
	{ .name = "rate",
	    .argument = "N/s",
	    .help = "at most so many requests; slower than configured",
	    .take = take_rate,
	    .offset = FIELD(rate) },
	{ .name = "check-config",
	    .help = "read configuration and keys, tell every fault, end",
	    .take = option_flag,
	    .offset = FIELD(check_config) },
	{ .letter = 'h',
	    .name = "help",
	    .help = "this text",
	    .take = option_flag,
	    .offset = FIELD(help) },
	{ .letter = 'V',
	    .name = "version",
	    .help = "the version; with --json: of all parts",
	    .take = option_flag,
	    .offset = FIELD(version) },
	{ .name = NULL },
};

static int
usage(struct fault *fault, const char *message)
{
	fault_set(fault, FAULT_USAGE, "%s", message);
	fault_hint(fault, "monspoold --help");
	return -1;
}

static int
check(const struct monspoold_options *options, int word_count,
    struct fault *fault)
{
	if (word_count > 0)
		return usage(fault, "monspoold takes options only");
	if (options->once + options->drain + options->check_config +
		options->print + (options->until_idle_ms >= 0) >
	    1)
		return usage(fault,
		    "--once, --drain, --until-idle, --print and --check-config"
		    " exclude one another");
	if (options->until_idle_ms == 0 || options->limit == 0)
		return usage(fault,
		    options->limit == 0 ? "--limit needs a number above 0"
					: "--until-idle needs a span above 0");
	return 0;
}

int
monspoold_options_read(struct monspoold_options *options, int argc, char **argv,
    struct fault *fault)
{
	struct option_set set = { .options = OPTIONS, .target = options };
	struct option_set *sets[] = { &set };
	struct option_scan scan = { .sets = sets,
		.set_count = 1,
		.argv = argv + 1,
		.argc = argc > 0 ? argc - 1 : 0 };

	*options = (struct monspoold_options){ .until_idle_ms = -1,
		.limit = -1 };
	if (options_parse(&scan, fault))
		return -1;
	return check(options, scan.word_count, fault);
}

void
monspoold_options_help(struct text *text)
{
	text_adds(text,
	    "usage: monspoold [-C FILE] [-Q PATH] [-q|-v] [-j] [MODE]\n\n"
	    "Delivers what monspool queued.  Runs in the foreground until a"
	    " signal, unless\nMODE is --once, --drain, --until-idle, --print or"
	    " --check-config; one per queue.\n\n"
	    "Options:\n");
	options_help(OPTIONS, text);
	text_adds(text,
	    "\nSignals: TERM and INT finish what is in flight, again: stop"
	    " now; HUP reads\nconfiguration and keys anew; USR1 logs a status"
	    " line; USR2 forgets back-off\nand pauses, and tries"
	    " now.\n");
}
