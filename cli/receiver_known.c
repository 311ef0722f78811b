#include "receiver_known.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/log.h"

struct known_spec {
	struct known_spec *next;
	const char *metrics; /* joined by commas; NULL: any */
	const char *keys;    /* joined by commas; NULL: any */
	char namespace[];    /* the whole SPEC, cut at its colons */
};

/* Whether ${word} is one of ${list}, whose words are joined by commas. */
static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		if (strncmp(list, word, len) == 0 &&
		    (list[len] == ',' || list[len] == '\0'))
			return true;
		list += strcspn(list, ",");
		if (*list++ == '\0')
			return false;
	}
}

static int
list_count(const char *list)
{
	int count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* Whether no word of ${list} is empty. */
static bool
list_is_whole(const char *list)
{
	size_t len = strlen(list);

	return len > 0 && list[0] != ',' && list[len - 1] != ',' &&
	    strstr(list, ",,") == NULL;
}

/* Cut ${text} at its first colon; return what stands behind it, or NULL. */
static char *
cut(char *text)
{
	char *colon = strchr(text, ':');

	if (colon == NULL)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool
split(struct known_spec *spec)
{
	char *metrics, *keys = NULL;

	if ((metrics = cut(spec->namespace)) != NULL)
		keys = cut(metrics);
	spec->metrics = metrics;
	spec->keys = keys;
	return list_is_whole(spec->namespace) &&
	    strchr(spec->namespace, ',') == NULL &&
	    (metrics == NULL || list_is_whole(metrics)) &&
	    (keys == NULL || (list_is_whole(keys) && !strchr(keys, ':')));
}

int
known_add(struct known *known, const char *text, struct fault *fault)
{
	struct known_spec *spec;
	size_t size = strlen(text) + 1;
	char shown[128];

	if ((spec = malloc(sizeof(*spec) + size)) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	memcpy(spec->namespace, text, size);
	spec->next = NULL;
	if (!split(spec)) {
		free(spec);
		fault_set(fault, FAULT_USAGE, "%s is no SPEC",
		    log_text(shown, sizeof(shown), text));
		fault_hint(fault, "NS, NS:METRIC,... or NS:METRIC,...:DIM,...");
		return -1;
	}
	if (known->end == NULL)
		known->end = &known->first;
	*known->end = spec;
	known->end = &spec->next;
	return 0;
}

void
known_free(struct known *known)
{
	struct known_spec *spec;

	while ((spec = known->first) != NULL) {
		known->first = spec->next;
		free(spec);
	}
	known->end = NULL;
}

bool
known_namespace(const struct known *known, const char *name)
{
	const struct known_spec *spec;

	for (spec = known->first; spec != NULL; spec = spec->next)
		if (strcmp(spec->namespace, name) == 0)
			return true;
	return known->first == NULL && *name != '\0';
}

/* A list of keys names each of ${dimensions}, and has no other. */
static bool
has_just(const char *keys, const struct cJSON *dimensions)
{
	const struct cJSON *dimension;
	int count = 0;

	for (dimension = dimensions->child; dimension != NULL;
	     dimension = dimension->next, count++)
		if (!list_has(keys, dimension->string))
			return false;
	return count == list_count(keys);
}

bool
known_metric(const struct known *known, const char *namespace,
    const char *metric, const struct cJSON *dimensions)
{
	const struct known_spec *spec;

	if (*metric == '\0')
		return false;
	for (spec = known->first; spec != NULL; spec = spec->next)
		if (strcmp(spec->namespace, namespace) == 0 &&
		    (spec->metrics == NULL ||
			list_has(spec->metrics, metric)) &&
		    (spec->keys == NULL || has_just(spec->keys, dimensions)))
			return true;
	return known->first == NULL;
}
