#include "door.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "db.h"
#include "series.h"

/* The wire text as entry_render() makes it of metric and dimensions. */
static void
render(const struct series_row *row, struct text *wire)
{
	text_adds(wire, "{\"dimensions\":");
	text_adds(wire, row->dimensions);
	text_adds(wire, ",\"metricName\":");
	text_add_json(wire, row->metric, strlen(row->metric));
	text_adds(wire, ",\"value\":");
}

static enum door_verdict
fail_memory(struct db *db, int64_t id)
{
	struct fault fault = { 0 };

	fault_errno(&fault, ENOMEM, "cannot read series %lld", (long long)id);
	db_fail(db, &fault);
	return DOOR_FAILED;
}

static enum door_verdict
judge_json(struct db *db, int64_t id, const struct text *item)
{
	struct fault fault = { 0 };

	if (json_check(item->data, item->len, &fault) == 0)
		return DOOR_SOUND;
	if (fault.sys_errno == ENOMEM || fault.kind == FAULT_INTERNAL)
		return fail_memory(db, id);
	return DOOR_UNFIT;
}

enum door_verdict
door_judge(struct db *db, const struct series_row *row)
{
	enum door_verdict verdict = DOOR_DAMAGED;
	struct text item = { 0 };

	render(row, &item);
	if (item.failed)
		verdict = fail_memory(db, row->id);
	else if (item.len == row->wire_len &&
	    memcmp(item.data, row->wire, item.len) == 0) {
		text_adds(&item, "0}");
		verdict = item.failed ? fail_memory(db, row->id)
				      : judge_json(db, row->id, &item);
	}
	text_free(&item);
	return verdict;
}
