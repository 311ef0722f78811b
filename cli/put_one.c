#include "put.h"

#include <string.h>

#include "base/fault.h"
#include "base/number.h"
#include "cli.h"
#include "decimal.h"

/* The value as it was typed. */
static int
read_value(const char *typed, double *value, struct fault *fault)
{
	if (number_read(typed, strlen(typed), value) == 0)
		return 0;
	decimal_refuse(typed, strlen(typed), fault);
	fault_hint(fault,
	    "write it as 30, -5 (after \"--\"), 0.25 or 1e6, "
	    "without a unit");
	return -1;
}

/* The default dimensions whose key is not among the row's own. */
static void
add_defaults(struct put *put, struct entry *entry)
{
	size_t own = put->options->dimensions.count, i, j;

	for (i = 0; i < put->options->defaults.count; i++) {
		for (j = 0; j < own; j++)
			if (strcmp(put->dimensions[j].key,
				put->defaults[i].key) == 0)
				break;
		if (j == own)
			put->dimensions[entry->dimension_count++] =
			    put->defaults[i];
	}
}

static int
queue_entry(struct put *put, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault)
{
	struct writer *writer;
	int64_t id;
	int result = -1;

	if ((writer = writer_new(put->db, put->config, fault)) == NULL)
		return -1;
	if (writer_begin(writer, fault))
		goto free;
	if (writer_add(writer, entry, wire, put->now_ms, &id, fault) == -1)
		writer_abandon(writer);
	else
		result = writer_commit(writer, &put->result, fault);
free:
	writer_free(writer);
	return result;
}

/* Lenient lets pass, with a note, what strict refuses. */
static int
check(struct put *put, const struct entry *entry, struct fault *fault)
{
	const struct config_checks *checks = &put->config->checks;
	struct fault note = { 0 };

	if (put->strict)
		return entry_check(entry, checks, true, fault);
	if (entry_check(entry, checks, false, fault))
		return -1;
	if (entry_check(entry, checks, true, &note))
		output_note(&put->cli->output, &note);
	return 0;
}

int
put_one(struct put *put, struct fault *fault)
{
	const struct put_options *options = put->options;
	struct entry entry = { .ns = options->ns,
		.region = options->region,
		.account = options->account,
		.metric = options->metric,
		.dimensions = put->dimensions,
		.dimension_count = options->dimensions.count,
		.observed_at = options->observed_at,
		.max_age_ms = options->max_age_ms,
		.key = options->key };
	struct entry_wire wire = { 0 };
	int result = -1;

	if (read_value(options->value, &entry.value, fault))
		return -1;
	add_defaults(put, &entry);
	if (check(put, &entry, fault) == 0 &&
	    entry_render(&entry, &put->config->checks, &wire, fault) == 0) {
		put->valid = 1;
		result = options->check
		    ? 0
		    : queue_entry(put, &entry, &wire, fault);
	}
	entry_wire_free(&wire);
	return result;
}
