#include "put.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "influx_map.h"

/* Of idempotency keys; a row's number has to fit behind the prefix. */
#define KEY_MOST ((size_t)512)
#define PREFIX_MOST ((size_t)480)

static int
usage(struct fault *fault, const char *what, const char *hint)
{
	fault_set(fault, FAULT_USAGE, "%s", what);
	fault_hint(fault, "%s", hint);
	return -1;
}

bool
put_is_one(const struct put_options *options)
{
	return options->metric != NULL || options->value != NULL;
}

/* What belongs to input of many rows, with what to do instead. */
static const struct {
	const char *option, *hint;
} OF_MANY[] = {
	{ "format", "leave out -f, or -m" },
	{ "key-prefix", "one metric goes by its key: -k KEY" },
	{ "per-line", "leave out -l, or -m" },
	{ "csv-columns", "leave it out, or -m" },
	{ "map", "leave it out, or -m" },
};

static int
check_of_many(const struct cli *cli, struct fault *fault)
{
	char what[64];
	size_t i;

	for (i = 0; i < sizeof(OF_MANY) / sizeof(*OF_MANY); i++) {
		if (!options_given(cli->given, OF_MANY[i].option))
			continue;
		snprintf(what, sizeof(what), "--%s is for input of many rows",
		    OF_MANY[i].option);
		return usage(fault, what, OF_MANY[i].hint);
	}
	return 0;
}

/* One metric's words; takes VALUE from them. */
static int
check_one(
    const struct cli *cli, struct put_options *options, struct fault *fault)
{
	const char *example = "monspool put -n cvm -m diskusage -d "
			      "ip=10.0.0.1 30";

	if (cli->word_count > 1 ||
	    (cli->word_count == 1 && options->value != NULL))
		return usage(fault, "one metric takes one value", example);
	if (cli->word_count == 1)
		options->value = cli->words[0];
	if (options->value == NULL)
		return usage(fault, "the value is missing", example);
	if (options->ns == NULL)
		return usage(fault, "the namespace is missing (-n)", example);
	if (options->metric == NULL)
		return usage(
		    fault, "the metric's name is missing (-m)", example);
	return check_of_many(cli, fault);
}

/* --csv-columns and --map have a format each. */
static int
check_format(const struct put_options *options, struct fault *fault)
{
	if (options->csv_columns != NULL && options->format != PUT_CSV)
		return usage(fault, "--csv-columns is for CSV", "add -f csv");
	if (options->csv_columns != NULL && options->csv_columns[0] == '\0')
		return usage(fault, "--csv-columns names no column",
		    "--csv-columns namespace,metric,value,ip");
	if (options->map == NULL)
		return 0;
	if (options->format != PUT_INFLUX)
		return usage(
		    fault, "--map is for the line protocol", "add -f influx");
	return influx_map_check(options->map, fault);
}

static int
check_many(const struct put_options *options, struct fault *fault)
{
	if (options->dimensions.count > 0)
		return usage(fault, "--dimension is for one metric (-m)",
		    "-D K=V adds a dimension to rows that lack it");
	return check_format(options, fault);
}

/* Either nothing or all that --per-line needs. */
static int
check_per_line(
    const struct cli *cli, struct put_options *options, struct fault *fault)
{
	if (!options->per_line) {
		if (options_given(cli->given, "chunk") ||
		    options->rejects != NULL || options->max_errors != -1)
			return usage(fault,
			    "--chunk, --rejects and --max-errors go with "
			    "--per-line",
			    "add -l");
		return 0;
	}
	if (options->atomic)
		return usage(fault,
		    "--atomic and --per-line exclude each other",
		    "give one of them");
	if (options->key != NULL)
		return usage(fault, "-k is for a call that is all or nothing",
		    "-K PREFIX gives each row a key");
	if (options->rejects == NULL && options->max_errors != 0)
		return usage(fault, "--per-line needs a place for bad lines",
		    "add --rejects FILE, or --max-errors 0 to stop at one");
	if (options->chunk < 1 || options->chunk > PUT_CHUNK)
		return usage(
		    fault, "--chunk takes 1 to 5000 lines", "--chunk 1000");
	return 0;
}

static int
check_key_text(
    const char *option, const char *key, size_t most, struct fault *fault)
{
	size_t len = strlen(key);

	if (len > 0 && len <= most && text_utf8_bad(key, len) == -1 &&
	    text_control(key, len) == -1)
		return 0;
	fault_set(fault, FAULT_USAGE, "--%s takes 1 to %zu bytes of plain text",
	    option, most);
	fault_hint(fault, "--%s import-2026-11-24", option);
	fault_field(fault, option);
	return -1;
}

int
put_check_key(const char *option, const char *key, struct fault *fault)
{
	return key == NULL ? 0 : check_key_text(option, key, KEY_MOST, fault);
}

static int
check_keys(const struct put_options *options, struct fault *fault)
{
	if (options->key != NULL && options->key_prefix != NULL)
		return usage(fault, "-k and -K exclude each other",
		    "-k for the call as one, -K for each row");
	if (put_check_key("key", options->key, fault))
		return -1;
	return options->key_prefix == NULL
	    ? 0
	    : check_key_text(
		  "key-prefix", options->key_prefix, PREFIX_MOST, fault);
}

int
put_check_options(
    const struct cli *cli, struct put_options *options, struct fault *fault)
{
	if (options->strict && options->lenient)
		return usage(fault, "--strict and --lenient exclude each other",
		    "give one of them");
	if (put_is_one(options) ? check_one(cli, options, fault)
				: check_many(options, fault))
		return -1;
	return check_per_line(cli, options, fault) || check_keys(options, fault)
	    ? -1
	    : 0;
}
