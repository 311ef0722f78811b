#include "receiver_known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

struct known_spec {
	struct known_spec *next;
	bool of_schema;
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

static void
append(struct known *known, struct known_spec *spec)
{
	if (known->end == NULL)
		known->end = &known->first;
	*known->end = spec;
	known->end = &spec->next;
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
	spec->of_schema = false;
	if (!split(spec)) {
		free(spec);
		fault_set(fault, FAULT_USAGE, "%s is no SPEC",
		    log_text(shown, sizeof(shown), text));
		fault_hint(fault, "NS, NS:METRIC,... or NS:METRIC,...:DIM,...");
		return -1;
	}
	append(known, spec);
	return 0;
}

/* ---- the schema ---- */

/* Add ${name} and its colon or comma; words that hold one cannot be told. */
static int
add_word(struct text *text, const char *name, char before, struct fault *fault)
{
	char shown[128];

	if (name[0] != '\0' && strpbrk(name, ",:") == NULL) {
		if (before != '\0')
			text_addc(text, before);
		text_adds(text, name);
		return 0;
	}
	fault_set(fault, FAULT_BAD_CONFIG, "\"%s\" cannot be a name",
	    log_text(shown, sizeof(shown), name));
	fault_hint(fault, "names have neither commas nor colons");
	return -1;
}

static int
refuse_shape(struct fault *fault)
{
	fault_set(fault, FAULT_BAD_CONFIG, "not a schema");
	fault_hint(fault,
	    "{\"cvm\":{\"diskusage\":[\"diskname\",\"ip\"]},\"pc\":null}");
	return -1;
}

/* The spec in ${text}, "NS", "NS:METRIC" or "NS:METRIC:KEY,..."; ${keyless}: the
 * metric has no dimensions; ${bare}: the namespace no metrics. */
static int
add_of_schema(struct known *known, const struct text *text, bool keyless,
    bool bare, struct fault *fault)
{
	struct known_spec *spec;

	if (text->failed || known_add(known, text_string(text), fault))
		return -1;
	for (spec = known->first; spec->next != NULL; spec = spec->next)
		;
	spec->of_schema = true;
	if (keyless)
		spec->keys = "";
	if (bare)
		spec->metrics = "";
	return 0;
}

static int
add_metric(struct known *known, const char *namespace,
    const struct cJSON *metric, struct fault *fault)
{
	struct text text = { 0 };
	const struct cJSON *key;
	int failed;

	if (!cJSON_IsNull(metric) && !cJSON_IsArray(metric))
		return refuse_shape(fault);
	failed = add_word(&text, namespace, '\0', fault) ||
	    add_word(&text, metric->string, ':', fault);
	cJSON_ArrayForEach(key, metric)
	{
		if (failed)
			break;
		if (!cJSON_IsString(key))
			failed = refuse_shape(fault);
		else
			failed = add_word(&text, key->valuestring,
			    key == metric->child ? ':' : ',', fault);
	}
	if (!failed)
		failed = add_of_schema(known, &text,
		    cJSON_IsArray(metric) && metric->child == NULL, false,
		    fault);
	text_free(&text);
	return failed;
}

static int
add_namespace(
    struct known *known, const struct cJSON *namespace, struct fault *fault)
{
	struct text text = { 0 };
	const struct cJSON *metric;
	int failed = 0;

	if (!cJSON_IsNull(namespace) && !cJSON_IsObject(namespace))
		return refuse_shape(fault);
	cJSON_ArrayForEach(metric, namespace) if (!failed)
	    failed = add_metric(known, namespace->string, metric, fault);
	if (failed || namespace->child != NULL)
		return failed;
	failed = add_word(&text, namespace->string, '\0', fault) ||
	    add_of_schema(
		known, &text, false, cJSON_IsObject(namespace), fault);
	text_free(&text);
	return failed;
}

static int
read_text(const char *path, struct text *text, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t len;
	int failed;

	if (file == NULL) {
		fault_errno(fault, errno, "cannot open the schema %s", path);
		fault_hint(fault, "check --schema");
		return -1;
	}
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		text_add(text, chunk, len);
	failed = ferror(file) != 0 || text->failed;
	fclose(file);
	if (failed)
		fault_errno(fault, EIO, "cannot read the schema %s", path);
	return failed ? -1 : 0;
}

static int
read_schema(struct known *known, const char *path, struct fault *fault)
{
	struct text text = { 0 };
	struct cJSON *tree = NULL;
	const struct cJSON *namespace;
	int failed = read_text(path, &text, fault);

	if (!failed &&
	    (tree = json_parse(text_string(&text), text.len, fault)) == NULL) {
		fault->kind = FAULT_BAD_CONFIG;
		failed = -1;
	}
	if (!failed && (!cJSON_IsObject(tree) || tree->child == NULL))
		failed = refuse_shape(fault);
	cJSON_ArrayForEach(namespace, tree) if (!failed)
	    failed = add_namespace(known, namespace, fault);
	if (failed && fault->kind == FAULT_BAD_CONFIG)
		snprintf(fault->file, sizeof(fault->file), "%.100s", path);
	cJSON_Delete(tree);
	text_free(&text);
	return failed;
}

static void
forget_schema(struct known *known)
{
	struct known_spec **link = &known->first, *spec;

	while ((spec = *link) != NULL) {
		if (!spec->of_schema) {
			link = &spec->next;
			continue;
		}
		*link = spec->next;
		free(spec);
	}
	known->end = link;
}

int
known_read_schema(struct known *known, const char *path, struct fault *fault)
{
	struct known fresh = { 0 };
	struct known_spec *spec;

	if (read_schema(&fresh, path, fault)) {
		known_free(&fresh);
		return -1;
	}
	forget_schema(known);
	while ((spec = fresh.first) != NULL) {
		fresh.first = spec->next;
		spec->next = NULL;
		append(known, spec);
	}
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
	return count == (keys[0] == '\0' ? 0 : list_count(keys));
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
