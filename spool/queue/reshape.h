#ifndef QUEUE_RESHAPE_H
#define QUEUE_RESHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "entry.h"

struct cJSON;
struct config;
struct deadletter_row;
struct fault;

enum reshape_verb {
	RESHAPE_NAMESPACE, /* becomes value */
	RESHAPE_METRIC,
	RESHAPE_REGION,
	RESHAPE_RENAME, /* dimension key is called value; left out where the
	                    row has none of that name */
	RESHAPE_DROP,   /* dimension key goes */
	RESHAPE_SET, /* dimension key is value, added where it is not there */
	RESHAPE_TRUNCATE /* dimension key has at most so many bytes */
};

struct reshape_change {
	enum reshape_verb verb;
	const char *key, *value; /* borrowed */
	size_t most;
};

/** What a dead row would be after some changes; reused from row to row, zeroed
 * at first. */
struct reshaped {
	struct entry entry; /* strings live until the next call */
	struct entry_wire wire;
	struct entry_dimension *dimensions; /* what entry points to */
	size_t size;
	struct cJSON *tree;
};

enum reshape_result {
	RESHAPE_FAILED = -1, /* memory */
	RESHAPE_SAME,        /* nothing of it changes */
	RESHAPE_CHANGED,
	RESHAPE_INVALID /* put would refuse it */
};

/**
 * reshape(reshaped, row, changes, count, config, fault):
 * Apply ${changes} to ${row}, one after the other, and check the result as put
 * does by the settings of ${config}.  ${fault} says what is wrong with it.
 */
enum reshape_result reshape(struct reshaped *reshaped,
    const struct deadletter_row *row, const struct reshape_change *changes,
    size_t count, const struct config *config, struct fault *fault);
void reshape_free(struct reshaped *reshaped);

#endif
