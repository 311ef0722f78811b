#include "capi_series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "base/text.h"
#include "queue/memo.h"
#include "queue/writer.h"

struct known {
	uint32_t generation; /* of what has the slot now */
	size_t wire_len;
	uint64_t epoch; /* the writer's, in which the ids are right; 0: none */
	int64_t lane_id, series_id;
};

struct capi_series {
	struct memo *memo;
	struct text name; /* of the series looked for */
	uint32_t generations;
	struct known known[MEMO_SLOTS];
};

struct capi_series *
capi_series_new(void)
{
	struct capi_series *series = calloc(1, sizeof(*series));

	if (series != NULL && (series->memo = memo_new()) == NULL) {
		free(series);
		return NULL;
	}
	return series;
}

void
capi_series_free(struct capi_series *series)
{
	if (series == NULL)
		return;
	memo_free(series->memo);
	text_free(&series->name);
	free(series);
}

static void
add(struct text *name, const char *string)
{
	text_add(name, string, strlen(string) + 1);
}

/* As the caller says it.  Another order of the dimensions is another name,
 * and no harm.  0, or -1 where there is none. */
static int
name_series(struct text *name, const struct entry *entry)
{
	size_t i;

	if (entry->ns == NULL || entry->metric == NULL)
		return -1;
	text_clear(name);
	add(name, entry->ns);
	add(name, entry->metric);
	add(name, entry->region == NULL ? "" : entry->region);
	add(name, entry->account == NULL ? "default" : entry->account);
	for (i = 0; i < entry->dimension_count; i++) {
		if (entry->dimensions[i].key == NULL ||
		    entry->dimensions[i].value == NULL)
			return -1;
		add(name, entry->dimensions[i].key);
		add(name, entry->dimensions[i].value);
	}
	return name->failed ? -1 : 0;
}

static int
check_all(const struct entry *entry, const struct config_checks *checks,
    struct entry_wire *wire, struct fault *fault)
{
	return entry_check(entry, checks, checks->strict, fault) ||
		entry_render(entry, checks, wire, fault)
	    ? -1
	    : 0;
}

/* Whether the row is small enough, whatever its value. */
static bool
fits(const struct known *known, const struct config_checks *checks)
{
	return checks->max_row_bytes <= 0 ||
	    known->wire_len + NUMBER_TEXT_SIZE <= (size_t)checks->max_row_bytes;
}

/* Keep a series that is new and has passed. */
static void
keep(struct capi_series *series, int slot, const struct entry_wire *wire)
{
	if (++series->generations == 0) /* 0 is CAPI_NO_PLACE */
		series->generations = 1;
	series->known[slot] = (struct known){ .generation = series->generations,
		.wire_len = wire->wire.len };
}

int
capi_series_check(struct capi_series *series, const struct entry *entry,
    const struct config_checks *checks, struct entry_wire *wire,
    struct capi_place *place, struct fault *fault)
{
	bool known = false;
	int slot = -1;

	*place = CAPI_NO_PLACE;
	if (name_series(&series->name, entry) == 0)
		slot = memo_slot(
		    series->memo, series->name.data, series->name.len, &known);
	if (known && fits(&series->known[slot], checks)) {
		if (entry_check_row(entry, fault))
			return -1;
	} else {
		if (check_all(entry, checks, wire, fault)) {
			if (slot != -1 && !known)
				memo_forget(series->memo, slot);
			return -1;
		}
		if (slot == -1)
			return 0;
		if (!known)
			keep(series, slot, wire);
	}
	*place = (struct capi_place){ (uint32_t)slot,
		series->known[slot].generation };
	return 0;
}

static int
intern(struct known *known, const struct entry *entry,
    const struct entry_wire *wire, struct writer *writer, struct fault *fault)
{
	const struct writer_series series = { .ns = entry->ns,
		.region = entry->region == NULL ? "" : entry->region,
		.account = entry->account == NULL ? "default" : entry->account,
		.metric = entry->metric,
		.dimensions = text_string(&wire->dimensions),
		.wire = text_string(&wire->wire),
		.wire_len = wire->wire.len };

	if (writer_intern(
		writer, &series, &known->lane_id, &known->series_id, fault))
		return -1;
	known->epoch = writer_epoch(writer);
	return 0;
}

int
capi_series_resolve(struct capi_series *series, struct capi_place place,
    const struct entry *entry, const struct config_checks *checks,
    struct entry_wire *wire, struct writer *writer, int64_t *lane_id,
    int64_t *series_id, struct fault *fault)
{
	struct known *known = &series->known[place.slot];

	if (place.generation == 0 || known->generation != place.generation)
		return 1;
	if (known->epoch != writer_epoch(writer) &&
	    (entry_render(entry, checks, wire, fault) ||
		intern(known, entry, wire, writer, fault)))
		return -1;
	*lane_id = known->lane_id;
	*series_id = known->series_id;
	return 0;
}
