#ifndef RECEIVER_KNOWN_H
#define RECEIVER_KNOWN_H

#include <stdbool.h>

struct cJSON;
struct fault;

/** The namespaces, metrics and dimension keys that are registered.  Zero it
 * before use; while none is added, all are known. */
struct known {
	struct known_spec *first, **end;
};

/**
 * known_add(known, spec, fault):
 * Register "NS", "NS:METRIC,..." or "NS:METRIC,...:DIM,...".  One namespace may
 * have several.  Return 0, or -1 with ${fault}.
 */
int known_add(struct known *known, const char *spec, struct fault *fault);
/**
 * known_read_schema(known, path, fault):
 * Register what the JSON file ${path} says, in place of what an earlier one did:
 * {"cvm":{"diskusage":["diskname","ip"],"cpu":null},"pc":null}; null stands for
 * any.  Return 0, or -1 with ${fault}; then nothing is changed.
 */
int known_read_schema(
    struct known *known, const char *path, struct fault *fault);
void known_free(struct known *known);

/** Whether there is a namespace ${name}.  The empty one never is. */
bool known_namespace(const struct known *known, const char *name);

/** Whether ${metric} with just the keys of the object ${dimensions} is
 * registered in ${namespace}.  The empty metric never is. */
bool known_metric(const struct known *known, const char *namespace,
    const char *metric, const struct cJSON *dimensions);

#endif
