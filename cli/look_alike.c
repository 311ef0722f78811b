#include "look_alike.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/known.h"

/* Series that are looked at. */
#define SERIES_MOST 1000

/* Names, none of them twice. */
struct names {
	char **list;
	size_t count, size;
};

/* What is held against a row. */
struct looking {
	const struct deadletter_row *row;
	struct names names; /* namespaces, or metrics */
	struct names keys;  /* of the row's dimensions */
	struct cJSON *best; /* dimensions of a like series */
	size_t best_differences;
	bool known;  /* the row's own name is among the accepted */
	bool failed; /* memory is short */
};

static int
add_name(struct names *names, const char *name)
{
	size_t size = names->size * 2 + 16, i;
	char **list;

	for (i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			return 0;
	if (names->count == names->size) {
		list = realloc(names->list, size * sizeof(*list));
		if (list == NULL)
			return -1;
		names->list = list;
		names->size = size;
	}
	if ((names->list[names->count] = strdup(name)) == NULL)
		return -1;
	names->count++;
	return 0;
}

static void
free_names(struct names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

/* text_nearest() over a list of our own. */
static const char *
nearest(const char *name, const struct names *names)
{
	const char **words = calloc(names->count + 1, sizeof(*words));
	const char *near;
	size_t i;

	if (words == NULL)
		return NULL;
	for (i = 0; i < names->count; i++)
		words[i] = names->list[i];
	near = text_nearest(name, words, names->count);
	free(words);
	return near;
}

static int
add(struct look_alikes *found, const char *kind, const char *given,
    const char *accepted)
{
	struct look_alike *list;
	struct look_alike one = { .kind = kind,
		.given = strdup(given),
		.accepted = strdup(accepted) };

	list = realloc(found->list, (found->count + 1) * sizeof(*list));
	if (list != NULL)
		found->list = list;
	if (list == NULL || one.given == NULL || one.accepted == NULL) {
		free(one.given);
		free(one.accepted);
		return -1;
	}
	found->list[found->count++] = one;
	return 0;
}

/* ---- namespaces and metrics ---- */

static int
on_namespace(void *cookie, const char *name, const char *dimensions)
{
	struct looking *looking = cookie;

	(void)dimensions;
	if (strcmp(name, looking->row->ns) == 0)
		looking->known = true;
	else
		looking->failed |= add_name(&looking->names, name) != 0;
	return looking->failed;
}

/* ---- dimensions ---- */

static bool
has_key(const struct cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
}

/* Names that one has and the other has not, both ways. */
static size_t
differences(const struct names *keys, const struct cJSON *other)
{
	const struct cJSON *member;
	size_t common = 0, others = 0, i;

	for (i = 0; i < keys->count; i++)
		common += has_key(other, keys->list[i]);
	for (member = other->child; member != NULL; member = member->next)
		others++;
	return keys->count + others - 2 * common;
}

/* Of the same metric, the series whose dimensions differ least. */
static void
compare(struct looking *looking, const char *dimensions)
{
	struct cJSON *other = json_parse(dimensions, strlen(dimensions), NULL);
	size_t count;

	if (!cJSON_IsObject(other)) {
		cJSON_Delete(other);
		return;
	}
	count = differences(&looking->keys, other);
	if (looking->best != NULL && count >= looking->best_differences) {
		cJSON_Delete(other);
		return;
	}
	cJSON_Delete(looking->best);
	looking->best = other;
	looking->best_differences = count;
}

static int
on_series(void *cookie, const char *metric, const char *dimensions)
{
	struct looking *looking = cookie;

	if (strcmp(metric, looking->row->metric) != 0)
		looking->failed |= add_name(&looking->names, metric) != 0;
	else {
		looking->known = true;
		compare(looking, dimensions);
	}
	return looking->failed;
}

static int
read_keys(struct looking *looking)
{
	const char *json = looking->row->dimensions;
	struct cJSON *tree = json_parse(json, strlen(json), NULL);
	const struct cJSON *member;

	for (member = tree != NULL ? tree->child : NULL; member != NULL;
	     member = member->next)
		looking->failed |= add_name(&looking->keys, member->string) !=
		    0;
	cJSON_Delete(tree);
	return looking->failed ? -1 : 0;
}

/* The names of ${looking}->best that the row lacks. */
static int
missing_keys(const struct looking *looking, struct names *missing)
{
	const struct cJSON *member;
	size_t i;

	for (member = looking->best->child; member != NULL;
	     member = member->next) {
		for (i = 0; i < looking->keys.count; i++)
			if (strcmp(looking->keys.list[i], member->string) == 0)
				break;
		if (i == looking->keys.count &&
		    add_name(missing, member->string))
			return -1;
	}
	return 0;
}

static void
take_out(struct names *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (strcmp(names->list[i], name) == 0)
			break;
	if (i == names->count)
		return;
	free(names->list[i]);
	names->list[i] = names->list[--names->count];
}

/* Each key that is too many beside one that is missing, as far as they look
 * alike. */
static int
pair_keys(struct looking *looking, struct look_alikes *found)
{
	struct names missing = { 0 };
	const char *near, *key;
	size_t i;
	int result = missing_keys(looking, &missing);

	for (i = 0; result == 0 && i < looking->keys.count; i++) {
		key = looking->keys.list[i];
		if (has_key(looking->best, key))
			continue;
		near = nearest(key, &missing);
		result = add(found, "dimension", key, near == NULL ? "" : near);
		if (near != NULL && result == 0)
			take_out(
			    &missing, found->list[found->count - 1].accepted);
	}
	for (i = 0; result == 0 && i < missing.count; i++)
		result = add(found, "dimension", "", missing.list[i]);
	free_names(&missing);
	return result;
}

/* ---- all of it ---- */

static int
find_metric(struct looking *looking, struct look_alikes *found)
{
	const char *near;

	if (looking->known)
		return looking->best == NULL ? 0 : pair_keys(looking, found);
	near = nearest(looking->row->metric, &looking->names);
	if (near == NULL)
		return 0;
	return add(found, "metric", looking->row->metric, near);
}

static int
find(struct looking *looking, struct look_alikes *found, struct db *db)
{
	const char *near;

	if (known_namespaces(db, on_namespace, looking))
		return -1;
	if (!looking->known) {
		near = nearest(looking->row->ns, &looking->names);
		return near == NULL
		    ? 0
		    : add(found, "namespace", looking->row->ns, near);
	}
	free_names(&looking->names);
	looking->names = (struct names){ 0 };
	looking->known = false;
	if (read_keys(looking) ||
	    known_series(
		db, looking->row->lane_id, SERIES_MOST, on_series, looking))
		return -1;
	return find_metric(looking, found);
}

int
look_alikes_find(struct look_alikes *found, struct db *db,
    const struct deadletter_row *row, struct fault *fault)
{
	struct looking looking = { .row = row };
	int result = find(&looking, found, db);

	free_names(&looking.names);
	free_names(&looking.keys);
	cJSON_Delete(looking.best);
	if (result == -1)
		*fault = *db_fault(db);
	if (looking.failed || (result == -1 && fault->kind == FAULT_NONE))
		result = fault_set(fault, FAULT_INTERNAL, "out of memory");
	return result;
}

void
look_alikes_free(struct look_alikes *found)
{
	size_t i;

	for (i = 0; i < found->count; i++) {
		free(found->list[i].given);
		free(found->list[i].accepted);
	}
	free(found->list);
}
