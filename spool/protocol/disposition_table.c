#include "disposition_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The row of a status that has none of its own; the first match counts. */
static const struct {
	int least, most;
	const char *row;
} CLASSES[] = {
	{ 300, 399, "http-3xx" },
	{ 400, 499, "http-4xx" },
	{ 500, 599, "http-5xx" },
};

/* The built-in row for ${status}, whose own name would be ${name}. */
static const struct disposition *
status_row(const struct dispositions *table, int status, const char *name)
{
	const struct disposition *own = disposition_row(table, name);
	size_t i;

	if (own != NULL)
		return own;
	for (i = 0; i < LENGTH(CLASSES); i++) {
		if (status >= CLASSES[i].least && status <= CLASSES[i].most)
			return disposition_row(table, CLASSES[i].row);
	}
	return disposition_row(table, "http-other");
}

static void
fill_statuses(struct dispositions *table)
{
	char *name;
	int i, status;

	for (i = 0; i < STATUSES; i++) {
		status = STATUS_LEAST + i;
		name = table->http_names[i];
		snprintf(name, sizeof(table->http_names[i]), "http-%d", status);
		table->http[i] = *status_row(table, status, name);
		table->http[i].name = name;
	}
}

/* The built-in table with room for ${own} rows more, or NULL. */
static struct dispositions *
copy_table(size_t own)
{
	const size_t codes = DISPOSITION_CODE_COUNT;
	const size_t failures = DISPOSITION_FAILURE_COUNT;
	const size_t size = sizeof(struct disposition);
	struct dispositions *table;

	table = calloc(1, sizeof(*table) + (codes + failures + own) * size);
	if (table == NULL)
		return NULL;
	table->count = codes + failures;
	memcpy(table->rows, DISPOSITION_CODES, codes * size);
	memcpy(table->rows + codes, DISPOSITION_FAILURES, failures * size);
	fill_statuses(table);
	return table;
}

struct dispositions *
dispositions_new(
    const struct config_code *codes, size_t count, struct fault *fault)
{
	struct dispositions *table;
	size_t i;

	if ((table = copy_table(count)) == NULL) {
		fault_set(fault, FAULT_INTERNAL, "out of memory");
		return NULL;
	}
	for (i = 0; i < count; i++) {
		if (disposition_override(table, &codes[i], fault))
			goto discard;
	}
	return table;

discard:
	dispositions_free(table);
	return NULL;
}

void
dispositions_free(struct dispositions *table)
{
	free(table);
}

const struct disposition *
disposition_row(const struct dispositions *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->count; i++) {
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	}
	return NULL;
}

int
disposition_status(const char *name)
{
	int status = 0;
	int i;

	if (strncmp(name, "http-", 5) != 0 && strncmp(name, "http_", 5) != 0)
		return -1;
	for (i = 5; name[i] >= '0' && name[i] <= '9' && i < 8; i++)
		status = 10 * status + (name[i] - '0');
	if (i != 8 || name[i] != '\0' || status < STATUS_LEAST ||
	    status > STATUS_MOST || status == STATUS_OK)
		return -1;
	return status - STATUS_LEAST;
}
