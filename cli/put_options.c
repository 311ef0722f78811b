#include "put.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static const char *const FORMATS[] = { "auto", "ndjson", "api", "csv", "influx",
	"prom", NULL };

struct put_options PUT_OPTIONS_TARGET = {
	.observed_at = -1,
	.max_age_ms = -1,
	.chunk = PUT_CHUNK,
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
