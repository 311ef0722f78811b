#include "demo.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "queue/db.h"
#include "queue/entry.h"
#include "queue/writer.h"
#include "input.h"

static int
put_row(struct writer *writer, const struct demo *demo,
    const struct demo_rows *rows, int64_t number, struct entry_wire *wire,
    struct fault *fault)
{
	char disk[24], ip[32];
	struct entry_dimension dimensions[] = {
		{ rows->dimension, disk },
		{ "ip", ip },
	};
	struct entry entry = { .ns = rows->ns,
		.metric = "diskusage",
		.dimensions = dimensions,
		.dimension_count = 2,
		.value = (double)(rows->first_value + number),
		.observed_at = -1,
		.max_age_ms = -1 };
	int64_t id;

	snprintf(disk, sizeof(disk), "disk%d", (int)(number % 4));
	snprintf(ip, sizeof(ip), "172.31.58.%d", (int)(number % 200) + 1);
	if (entry_check(&entry, &demo->config.checks, true, fault) ||
	    entry_render(&entry, &demo->config.checks, wire, fault))
		return -1;
	return writer_add(writer, &entry, wire, clock_wall_ms(), &id, fault);
}

int
demo_put(struct demo *demo, const struct demo_rows *rows, struct fault *fault)
{
	struct entry_wire wire = { 0 };
	struct writer_result result;
	struct writer *writer;
	int64_t i;
	int outcome = -1;

	if ((writer = writer_new(demo->db, &demo->config, fault)) == NULL)
		return -1;
	if (writer_begin(writer, fault))
		goto free;
	for (i = 0; i < rows->count; i++)
		if (put_row(writer, demo, rows, i, &wire, fault)) {
			writer_abandon(writer);
			goto free;
		}
	outcome = writer_commit(writer, &result, fault);
free:
	entry_wire_free(&wire);
	writer_free(writer);
	return outcome;
}

bool
demo_nothing_pends(struct demo *demo, int64_t number)
{
	struct ledger_row ledger;

	(void)number;
	return ledger_read(demo->db, &ledger) == 0 && ledger.pending == 0;
}

bool
demo_recorded_over(struct demo *demo, int64_t number)
{
	return demo_lines(demo, "record") > number;
}

int64_t
demo_lines(const struct demo *demo, const char *name)
{
	struct input input = { 0 };
	char path[DEMO_PATH + 32];
	const char *line;
	size_t len;
	int64_t lines = 0;

	demo_path(demo, name, path);
	if (input_open(&input, path, NULL))
		return 0;
	while (input_line(&input, &line, &len, NULL) == 1)
		lines++;
	input_close(&input);
	return lines;
}

/* The number of the row on one line of the record; -1: none of ours. */
static int64_t
row_number(const struct demo *demo, const char *line, size_t len)
{
	struct cJSON *row = json_parse(line, len, NULL);
	const struct cJSON *value = cJSON_GetObjectItemCaseSensitive(
	    row, "value");
	double number = cJSON_IsNumber(value) ? value->valuedouble : -1;

	cJSON_Delete(row);
	return number >= 0 && number < (double)demo->put ? (int64_t)number : -1;
}

static void
count_lines(const struct demo *demo, struct input *input, int *seen)
{
	const char *line;
	size_t len;
	int64_t number;

	while (input_line(input, &line, &len, NULL) == 1) {
		number = row_number(demo, line, len);
		if (number >= 0)
			seen[number]++;
	}
}

int
demo_count(
    const struct demo *demo, struct demo_tally *tally, struct fault *fault)
{
	int *seen = calloc((size_t)demo->put + 1, sizeof(*seen));
	struct input input = { 0 };
	char path[DEMO_PATH + 32];
	int64_t i;

	if (seen == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	demo_path(demo, "record", path);
	if (input_open(&input, path, fault)) {
		free(seen);
		return -1;
	}
	count_lines(demo, &input, seen);
	input_close(&input);
	*tally = (struct demo_tally){ 0 };
	for (i = 0; i < demo->put; i++) {
		tally->received += seen[i] > 0;
		tally->lost += seen[i] == 0;
		tally->twice += seen[i] > 1 ? seen[i] - 1 : 0;
	}
	free(seen);
	return 0;
}

int
demo_ledger(struct demo *demo, struct ledger_row *ledger, struct fault *fault)
{
	if (ledger_read(demo->db, ledger) == 0)
		return 0;
	*fault = *db_fault(demo->db);
	return -1;
}
