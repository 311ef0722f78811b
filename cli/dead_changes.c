#include "dead_changes.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/number.h"

int
dead_changes_add(struct dead_changes *changes,
    const struct reshape_change *change, struct fault *fault)
{
	struct reshape_change *list;

	list = realloc(changes->list, (changes->count + 1) * sizeof(*list));
	if (list == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	changes->list = list;
	changes->list[changes->count++] = *change;
	return 0;
}

void
dead_changes_free_hand(struct dead_changes *changes)
{
	cJSON_Delete(changes->before);
	cJSON_Delete(changes->after);
	changes->before = changes->after = NULL;
}

int
dead_changes_set(
    struct dead_changes *changes, const char *pair, struct fault *fault)
{
	static const struct {
		const char *name;
		enum reshape_verb verb;
	} NAMES[] = {
		{ "namespace=", RESHAPE_NAMESPACE },
		{ "metric=", RESHAPE_METRIC },
		{ "region=", RESHAPE_REGION },
	};
	struct reshape_change change = { 0 };
	size_t i, len;

	for (i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		len = strlen(NAMES[i].name);
		if (strncmp(pair, NAMES[i].name, len) != 0)
			continue;
		change.verb = NAMES[i].verb;
		change.value = pair + len;
		if (change.verb == RESHAPE_REGION &&
		    strcmp(change.value, "-") == 0)
			change.value = "";
		return dead_changes_add(changes, &change, fault);
	}
	fault_set(fault, FAULT_USAGE,
	    "what is set is namespace=X, metric=X or region=X");
	fault_hint(
	    fault, "--set namespace=cvm; dimensions are set by --set-dim K=V");
	return -1;
}

/* ---- options ---- */

int
dead_changes_take_set(void *slot, const struct option *option,
    const char *value, struct fault *fault)
{
	(void)option;
	return dead_changes_set(slot, value, fault);
}

int
dead_changes_take_drop(void *slot, const struct option *option,
    const char *value, struct fault *fault)
{
	const struct reshape_change change = { .verb = RESHAPE_DROP,
		.key = value };

	(void)option;
	return dead_changes_add(slot, &change, fault);
}

/* "A=B": both into ${change}; the strings live as long as the process. */
static int
take_pair(const struct option *option, const char *value,
    struct reshape_change *change, struct fault *fault)
{
	const char *equals = strchr(value, '=');
	char *key;

	if (equals == NULL || equals == value) {
		fault_set(fault, FAULT_USAGE, "it takes %s", option->argument);
		fault_hint(fault, "--%s %s", option->name, option->argument);
		return -1;
	}
	if ((key = strdup(value)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	key[equals - value] = '\0';
	change->key = key;
	change->value = key + (equals - value) + 1;
	return 0;
}

int
dead_changes_take_rename(void *slot, const struct option *option,
    const char *value, struct fault *fault)
{
	struct reshape_change change = { .verb = RESHAPE_RENAME };

	if (take_pair(option, value, &change, fault))
		return -1;
	return dead_changes_add(slot, &change, fault);
}

int
dead_changes_take_dimension(void *slot, const struct option *option,
    const char *value, struct fault *fault)
{
	struct reshape_change change = { .verb = RESHAPE_SET };

	if (take_pair(option, value, &change, fault))
		return -1;
	return dead_changes_add(slot, &change, fault);
}

int
dead_changes_take_truncate(void *slot, const struct option *option,
    const char *value, struct fault *fault)
{
	struct reshape_change change = { .verb = RESHAPE_TRUNCATE };
	int64_t most;

	if (take_pair(option, value, &change, fault))
		return -1;
	if (number_read_whole(change.value, 1, 65536, &most)) {
		fault_set(fault, FAULT_USAGE, "N is a number of bytes");
		fault_hint(fault, "--truncate-dim path=256");
		return -1;
	}
	change.most = (size_t)most;
	return dead_changes_add(slot, &change, fault);
}
