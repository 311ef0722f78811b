#include "reshape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/number.h"
#include "deadletter.h"

static struct entry_dimension *
find(struct reshaped *reshaped, const char *key)
{
	size_t i;

	for (i = 0; i < reshaped->entry.dimension_count; i++)
		if (strcmp(reshaped->dimensions[i].key, key) == 0)
			return &reshaped->dimensions[i];
	return NULL;
}

static int
add(struct reshaped *reshaped, const char *key, const char *value)
{
	size_t count = reshaped->entry.dimension_count, size;
	struct entry_dimension *grown;

	if (count == reshaped->size) {
		size = reshaped->size * 2 + 8;
		grown = realloc(reshaped->dimensions, size * sizeof(*grown));
		if (grown == NULL)
			return -1;
		reshaped->dimensions = grown;
		reshaped->size = size;
	}
	reshaped->dimensions[count].key = key;
	reshaped->dimensions[count].value = value;
	reshaped->entry.dimension_count++;
	return 0;
}

/* ---- verbs ---- */

typedef int change_fn(
    struct reshaped *reshaped, const struct reshape_change *change);

static int
set_namespace(struct reshaped *reshaped, const struct reshape_change *change)
{
	reshaped->entry.ns = change->value;
	return 0;
}

static int
set_metric(struct reshaped *reshaped, const struct reshape_change *change)
{
	reshaped->entry.metric = change->value;
	return 0;
}

static int
set_region(struct reshaped *reshaped, const struct reshape_change *change)
{
	reshaped->entry.region = change->value;
	return 0;
}

static int
rename_dimension(struct reshaped *reshaped, const struct reshape_change *change)
{
	struct entry_dimension *found = find(reshaped, change->key);

	if (found != NULL)
		found->key = change->value;
	return 0;
}

static int
drop_dimension(struct reshaped *reshaped, const struct reshape_change *change)
{
	struct entry_dimension *found = find(reshaped, change->key);

	if (found != NULL)
		*found = reshaped
			     ->dimensions[--reshaped->entry.dimension_count];
	return 0;
}

static int
set_dimension(struct reshaped *reshaped, const struct reshape_change *change)
{
	struct entry_dimension *found = find(reshaped, change->key);

	if (found == NULL)
		return add(reshaped, change->key, change->value);
	found->value = change->value;
	return 0;
}

/* The texts of the tree are ours to cut. */
static void
cut(struct cJSON *tree, const char *value, size_t most)
{
	struct cJSON *member;

	for (member = tree->child; member != NULL; member = member->next)
		if (member->valuestring == value)
			break;
	if (member == NULL || strlen(value) <= most)
		return;
	while (most > 0 &&
	    ((unsigned char)member->valuestring[most] & 0xc0) == 0x80)
		most--;
	member->valuestring[most] = '\0';
}

static int
truncate_dimension(
    struct reshaped *reshaped, const struct reshape_change *change)
{
	struct entry_dimension *found = find(reshaped, change->key);

	if (found != NULL)
		cut(reshaped->tree, found->value, change->most);
	return 0;
}

static change_fn *const VERBS[] = {
	[RESHAPE_NAMESPACE] = set_namespace,
	[RESHAPE_METRIC] = set_metric,
	[RESHAPE_REGION] = set_region,
	[RESHAPE_RENAME] = rename_dimension,
	[RESHAPE_DROP] = drop_dimension,
	[RESHAPE_SET] = set_dimension,
	[RESHAPE_TRUNCATE] = truncate_dimension,
};

/* ---- the row as it is ---- */

static int
read_dimensions(struct reshaped *reshaped, const struct deadletter_row *row,
    struct fault *fault)
{
	const struct cJSON *member;

	cJSON_Delete(reshaped->tree);
	reshaped->tree = json_parse(
	    row->dimensions, strlen(row->dimensions), fault);
	if (reshaped->tree == NULL)
		return -1;
	for (member = reshaped->tree->child; member != NULL;
	     member = member->next) {
		if (!cJSON_IsString(member))
			return fault_set(fault, FAULT_BAD_VALUE,
			    "a dimension's value is no text");
		if (add(reshaped, member->string, member->valuestring))
			return fault_errno(fault, ENOMEM, "cannot edit");
	}
	return 0;
}

static int
start(struct reshaped *reshaped, const struct deadletter_row *row,
    struct fault *fault)
{
	reshaped->entry = (struct entry){ .ns = row->ns,
		.region = row->region,
		.account = row->account,
		.metric = row->metric,
		.observed_at = row->observed_at,
		.max_age_ms = -1 };
	if (row->lane_id == -1)
		return fault_set(fault, FAULT_CORRUPT, "its series is lost");
	if (number_read(row->value, strlen(row->value), &reshaped->entry.value))
		return fault_set(
		    fault, FAULT_BAD_VALUE, "its value is no number");
	return read_dimensions(reshaped, row, fault);
}

static bool
is_same(const struct reshaped *reshaped, const struct deadletter_row *row)
{
	const struct entry *entry = &reshaped->entry;

	return strcmp(entry->ns, row->ns) == 0 &&
	    strcmp(entry->region, row->region) == 0 &&
	    strcmp(entry->metric, row->metric) == 0 &&
	    strcmp(text_string(&reshaped->wire.dimensions), row->dimensions) ==
	    0;
}

enum reshape_result
reshape(struct reshaped *reshaped, const struct deadletter_row *row,
    const struct reshape_change *changes, size_t count,
    const struct config *config, struct fault *fault)
{
	const struct config_checks *checks = &config->checks;
	size_t i;

	if (start(reshaped, row, fault))
		return fault->sys_errno == ENOMEM ? RESHAPE_FAILED
						  : RESHAPE_INVALID;
	for (i = 0; i < count; i++)
		if (VERBS[changes[i].verb](reshaped, &changes[i])) {
			fault_errno(fault, ENOMEM, "cannot edit");
			return RESHAPE_FAILED;
		}
	reshaped->entry.dimensions = reshaped->dimensions;
	if (entry_check(
		&reshaped->entry, checks, config->checks.strict, fault) ||
	    entry_render(&reshaped->entry, checks, &reshaped->wire, fault))
		return RESHAPE_INVALID;
	return is_same(reshaped, row) ? RESHAPE_SAME : RESHAPE_CHANGED;
}

void
reshape_free(struct reshaped *reshaped)
{
	cJSON_Delete(reshaped->tree);
	free(reshaped->dimensions);
	entry_wire_free(&reshaped->wire);
	*reshaped = (struct reshaped){ 0 };
}
