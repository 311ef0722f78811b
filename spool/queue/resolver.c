#include "resolver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "db.h"
#include "lane.h"
#include "memo.h"
#include "series.h"
#include "writer.h"

struct resolved {
	int64_t lane_id, series_id;
};

struct resolver {
	struct db *db;
	struct memo *memo;
	struct resolved resolved[MEMO_SLOTS]; /* of the memo's slots */
	int64_t data_version; /* of the file when the memo was right */
	struct text name;     /* of the series looked for */
	uint64_t epoch;
};

struct resolver *
resolver_new(struct db *db)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));

	if (resolver == NULL || (resolver->memo = memo_new()) == NULL) {
		free(resolver);
		return NULL;
	}
	resolver->db = db;
	resolver->epoch = 1;
	return resolver;
}

void
resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	memo_free(resolver->memo);
	text_free(&resolver->name);
	free(resolver);
}

void
resolver_forget(struct resolver *resolver)
{
	memo_clear(resolver->memo);
	resolver->epoch++;
}

void
resolver_refresh(struct resolver *resolver)
{
	int64_t version = db_data_version(resolver->db);

	if (version == resolver->data_version)
		return;
	resolver_forget(resolver);
	resolver->data_version = version;
}

uint64_t
resolver_epoch(const struct resolver *resolver)
{
	return resolver->epoch;
}

/* The slot of ${series} in the memo, or -1 (memory).  All that names it: the
 * wire text holds metric and dimensions. */
static int
slot_of(
    struct resolver *resolver, const struct writer_series *series, bool *known)
{
	struct text *name = &resolver->name;

	text_clear(name);
	text_add(name, series->ns, strlen(series->ns) + 1);
	text_add(name, series->region, strlen(series->region) + 1);
	text_add(name, series->account, strlen(series->account) + 1);
	text_add(name, series->wire, series->wire_len);
	if (name->failed)
		return -1;
	return memo_slot(resolver->memo, name->data, name->len, known);
}

int
resolver_find(struct resolver *resolver, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id)
{
	bool known;
	int slot = slot_of(resolver, series, &known);

	if (slot == -1)
		return -1;
	if (!known) {
		memo_forget(resolver->memo, slot);
		return 0;
	}
	*lane_id = resolver->resolved[slot].lane_id;
	*series_id = resolver->resolved[slot].series_id;
	return 1;
}

static int
resolve(struct db *db, const struct writer_series *series,
    struct resolved *resolved)
{
	if (lane_intern(db, series->ns, series->region, series->account,
		&resolved->lane_id))
		return -1;
	return series_intern(db, resolved->lane_id, series->metric,
	    series->dimensions, series->wire, series->wire_len,
	    &resolved->series_id);
}

static int
fail_memory(struct resolver *resolver)
{
	struct fault fault = { 0 };

	fault_errno(&fault, ENOMEM, "cannot queue");
	return db_fail(resolver->db, &fault);
}

int
resolver_make(struct resolver *resolver, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id)
{
	bool known;
	int slot = slot_of(resolver, series, &known);

	if (slot == -1)
		return fail_memory(resolver);
	if (resolve(resolver->db, series, &resolver->resolved[slot])) {
		memo_forget(resolver->memo, slot);
		return -1;
	}
	*lane_id = resolver->resolved[slot].lane_id;
	*series_id = resolver->resolved[slot].series_id;
	return 0;
}
