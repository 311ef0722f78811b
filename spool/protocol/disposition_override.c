#include "disposition_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Whether a row's guilty ones can be looked for as they are. */
static bool
blames_rows(const struct disposition *row)
{
	return row->scope == SCOPE_ROW || row->scope == SCOPE_SERIES;
}

static void
set_retry(struct disposition *row)
{
	row->lone = LONE_SAME;
}

static void
set_hold(struct disposition *row)
{
	row->lone = LONE_HOLD;
}

static void
set_isolate(struct disposition *row)
{
	row->lone = LONE_CONTRAST;
	if (!blames_rows(row))
		row->scope = SCOPE_ROW;
}

static void
set_split(struct disposition *row)
{
	row->scope = SCOPE_SIZE;
	row->lone = LONE_CONTRAST;
}

static void
set_throttle(struct disposition *row)
{
	row->scope = SCOPE_PACE;
	row->lone = LONE_SAME;
}

static void
set_resign(struct disposition *row)
{
	row->scope = SCOPE_CLOCK;
	row->lone = LONE_SAME;
}

/* A batch is never killed whole: who is guilty is found out first. */
static void
set_dead_letter(struct disposition *row)
{
	row->lone = LONE_DEAD;
	if (row->scope == SCOPE_NAMESPACE) {
		row->verdict = VERDICT_CHECK_ONE;
	} else if (row->scope == SCOPE_SIZE) {
		row->verdict = VERDICT_SPLIT;
	} else {
		row->verdict = VERDICT_ISOLATE;
		if (!blames_rows(row))
			row->scope = SCOPE_ROW;
	}
}

/* The verdicts that [codes] may name, and what each brings along. */
static const struct {
	enum verdict verdict;
	void (*set)(struct disposition *);
} SETTABLE[] = {
	{ VERDICT_RETRY, set_retry },
	{ VERDICT_HOLD, set_hold },
	{ VERDICT_ISOLATE, set_isolate },
	{ VERDICT_DEAD_LETTER, set_dead_letter },
	{ VERDICT_SPLIT, set_split },
	{ VERDICT_THROTTLE_REQUESTS, set_throttle },
	{ VERDICT_THROTTLE_ROWS, set_throttle },
	{ VERDICT_RESIGN, set_resign },
};

/* Apply the verdict called ${word}.  Return 0, or -1 if there is none. */
static int
set_verdict(struct disposition *row, const char *word)
{
	size_t i;

	for (i = 0; i < LENGTH(SETTABLE); i++) {
		if (strcmp(verdict_name(SETTABLE[i].verdict), word) == 0)
			break;
	}
	if (i == LENGTH(SETTABLE))
		return -1;
	if (row->verdict == SETTABLE[i].verdict && !row->hold_after)
		return 0; /* as it is: retried first, too, if it was */
	row->verdict = SETTABLE[i].verdict;
	row->retry_first = false;
	row->hold_after = false;
	SETTABLE[i].set(row);
	return 0;
}

static int
refuse_verdict(const struct config_code *code, struct fault *fault)
{
	const char *words[LENGTH(SETTABLE)];
	const char *nearest;
	size_t i;

	for (i = 0; i < LENGTH(SETTABLE); i++)
		words[i] = verdict_name(SETTABLE[i].verdict);
	nearest = text_nearest(code->verdict, words, LENGTH(SETTABLE));
	fault_set(fault, FAULT_BAD_CONFIG, "[codes] %s: no verdict \"%s\"",
	    code->name, code->verdict);
	fault_field(fault, code->name);
	if (nearest != NULL)
		fault_hint(fault, "%s = %s", code->name, nearest);
	else
		fault_hint(fault,
		    "one of retry, hold, isolate, dead-letter, split, "
		    "throttle-requests, throttle-rows, resign");
	return -1;
}

static bool
is_code(const char *name)
{
	size_t len = strspn(name, "0123456789");

	return len >= 1 && len <= 6 && name[len] == '\0' && name[0] != '0';
}

/* A row for a code of which nothing is known but what [codes] says, or
 * NULL. */
static struct disposition *
add_own(struct dispositions *table, const char *name)
{
	struct disposition *row = &table->rows[table->count];
	char *own;

	if (!is_code(name) || table->own_count == CONFIG_CODES)
		return NULL;
	own = table->own_names[table->own_count++];
	snprintf(own, sizeof(table->own_names[0]), "%.7s", name);
	*row = *disposition_row(table, "unknown-code");
	row->name = own;
	row->code = atoi(own);
	table->count++;
	return row;
}

/* The row that [codes] ${name} may change, or NULL. */
static struct disposition *
find_settable(struct dispositions *table, const char *name)
{
	int index = disposition_status(name);
	size_t i;

	if (index >= 0) {
		table->overridden[index] = true;
		return &table->http[index];
	}
	for (i = 0; i < table->count; i++) {
		if (table->rows[i].code > 0 &&
		    strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	}
	return add_own(table, name);
}

int
disposition_override(struct dispositions *table, const struct config_code *code,
    struct fault *fault)
{
	struct disposition *row = find_settable(table, code->name);

	if (row == NULL) {
		fault_set(fault, FAULT_BAD_CONFIG,
		    "[codes] %s: no code whose verdict can be set", code->name);
		fault_field(fault, code->name);
		fault_hint(fault,
		    "monspool explain lists the codes; a "
		    "status is written http_404");
		return -1;
	}
	if (set_verdict(row, code->verdict))
		return refuse_verdict(code, fault);
	return 0;
}
