#include "put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "cli.h"
#include "influx_map.h"

/* Good lines a transaction, contract.md H23. */
#define CHUNK_MOST 5000
/* So that a row's number fits behind it. */
#define PREFIX_MOST ((size_t)480)
#define KEY_MOST ((size_t)512)

static const char *const FORMATS[] = { "auto", "ndjson", "api", "csv", "influx",
	"prom", NULL };

struct put_options PUT_OPTIONS_TARGET = {
	.observed_at = -1,
	.max_age_ms = -1,
	.chunk = CHUNK_MOST,
	.max_errors = -1,
};

#define SLOT(member) .offset = offsetof(struct put_options, member)
const struct option PUT_OPTIONS[] = {
	{ .letter = 'n',
	    .name = "namespace",
	    .argument = "NS",
	    .take = option_text,
	    SLOT(ns),
	    .help = "of the metric; or for rows that carry none" },
	{ .letter = 'r',
	    .name = "region",
	    .argument = "R",
	    .take = option_text,
	    SLOT(region),
	    .help = "of the metric; or for rows that carry none" },
	{ .letter = 'a',
	    .name = "account",
	    .argument = "NAME",
	    .take = option_text,
	    SLOT(account),
	    .help = "that signs; or for rows that carry none" },
	{ .letter = 'm',
	    .name = "metric",
	    .argument = "NAME",
	    .take = option_text,
	    SLOT(metric),
	    .help = "put one metric" },
	{ .letter = 'd',
	    .name = "dimension",
	    .argument = "K=V",
	    .take = option_list,
	    SLOT(dimensions),
	    .repeats = true,
	    .help = "of the one metric (repeatable)" },
	{ .name = "value",
	    .argument = "VALUE",
	    .take = option_text,
	    SLOT(value),
	    .help = "of the one metric" },
	{ .letter = 'D',
	    .name = "default-dimension",
	    .argument = "K=V",
	    .take = option_list,
	    SLOT(defaults),
	    .repeats = true,
	    .help = "added to rows that lack the key (repeatable)" },
	{ .letter = 'f',
	    .name = "format",
	    .argument = "F",
	    .take = option_choice,
	    SLOT(format),
	    .choices = FORMATS,
	    .help = "auto (ndjson or api), ndjson, api, csv, influx or prom" },
	{ .name = "atomic",
	    .take = option_flag,
	    SLOT(atomic),
	    .help = "all input or nothing (the default)" },
	{ .name = "check",
	    .take = option_flag,
	    SLOT(check),
	    .help = "check everything, queue nothing" },
	{ .name = "observed",
	    .argument = "T",
	    .take = option_time,
	    SLOT(observed_at),
	    .help = "when it was measured: kept, not sent" },
	{ .name = "max-age",
	    .argument = "D",
	    .take = option_span,
	    SLOT(max_age_ms),
	    .help = "expires if it is not sent within D" },
	{ .letter = 'k',
	    .name = "key",
	    .argument = "KEY",
	    .take = option_text,
	    SLOT(key),
	    .help = "of the whole call: put again, it queues nothing" },
	{ .letter = 'K',
	    .name = "key-prefix",
	    .argument = "P",
	    .take = option_text,
	    SLOT(key_prefix),
	    .help = "row N has the key P:N, so an import can be run again" },
	{ .letter = 'l',
	    .name = "per-line",
	    .take = option_flag,
	    SLOT(per_line),
	    .help = "queue the good lines; needs --rejects or --max-errors 0" },
	{ .name = "chunk",
	    .argument = "N",
	    .take = option_whole,
	    SLOT(chunk),
	    .help = "good lines a transaction (5000, or what came in 1s)" },
	{ .name = "rejects",
	    .argument = "FILE",
	    .take = option_text,
	    SLOT(rejects),
	    .help = "a new file for the bad lines" },
	{ .name = "max-errors",
	    .argument = "N",
	    .take = option_whole,
	    SLOT(max_errors),
	    .help = "give up after N bad lines" },
	{ .name = "csv-columns",
	    .argument = "A,B,...",
	    .take = option_text,
	    SLOT(csv_columns),
	    .help = "the header of CSV without one" },
	{ .name = "map",
	    .argument = "'metric=T'",
	    .take = option_text,
	    SLOT(map),
	    .help = "metric names of influx ({measurement}_{field})" },
	{ .name = "strict",
	    .take = option_flag,
	    SLOT(strict),
	    .help = "refuse what the receiver is sure to refuse" },
	{ .name = "lenient",
	    .take = option_flag,
	    SLOT(lenient),
	    .help = "pass it with a note" },
	{ 0 },
};

/* Split "K=V"; the first '=' parts them. */
static int
split(const char *option, const char *pair, struct entry_dimension *dimension,
    struct fault *fault)
{
	const char *equals = strchr(pair, '=');
	char *key;

	if (equals == NULL || equals == pair) {
		fault_set(fault, FAULT_USAGE, "--%s needs K=V", option);
		fault_hint(fault, "--%s ip=10.0.0.1", option);
		fault_field(fault, option);
		return -1;
	}
	if ((key = strdup(pair)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	key[equals - pair] = '\0';
	dimension->key = key;
	dimension->value = key + (equals - pair) + 1;
	return 0;
}

/* Split a list, with room for ${more} besides; the strings live as long as
 * the process. */
int
put_split_pairs(const char *option, const struct option_list *list, size_t more,
    struct entry_dimension **dimensions, struct fault *fault)
{
	size_t i;

	*dimensions = calloc(list->count + more + 1, sizeof(**dimensions));
	if (*dimensions == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	for (i = 0; i < list->count; i++)
		if (split(option, list->items[i], &(*dimensions)[i], fault))
			return -1;
	return 0;
}

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
	if (options->chunk < 1 || options->chunk > CHUNK_MOST)
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

int
put_split_dimensions(struct put *put, struct fault *fault)
{
	const struct put_options *options = put->options;
	size_t i, j;

	if (put_split_pairs("dimension", &options->dimensions,
		options->defaults.count, &put->dimensions, fault) ||
	    put_split_pairs("default-dimension", &options->defaults, 0,
		&put->defaults, fault))
		return -1;
	for (i = 0; i < options->defaults.count; i++)
		for (j = 0; j < i; j++) {
			if (strcmp(put->defaults[i].key,
				put->defaults[j].key) != 0)
				continue;
			fault_set(fault, FAULT_DUPLICATE_MEMBER,
			    "-D gives a key twice");
			fault_hint(fault, "give each key once");
			fault_field(fault, "default-dimension");
			return -1;
		}
	return 0;
}
