#include "dead_edit.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"

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
