#ifndef CLI_DEAD_CHANGES_H
#define CLI_DEAD_CHANGES_H

#include <stddef.h>

#include "queue/reshape.h"
#include "options.h"

struct cJSON;
struct fault;

/** The changes of "dead edit", in the order in which they were given. */
struct dead_changes {
	struct reshape_change *list;
	size_t count;
	struct cJSON *before, *after; /* of a row edited by hand: their texts */
};

/** Append one.  0, or -1 with ${fault} (memory). */
int dead_changes_add(struct dead_changes *changes,
    const struct reshape_change *change, struct fault *fault);
/** Free what dead_edit_by_hand() kept; the list lives on, as the command line
 * does. */
void dead_changes_free_hand(struct dead_changes *changes);
/** "namespace=X", "metric=X" or "region=X" (X empty or -: none).  0 or -1. */
int dead_changes_set(
    struct dead_changes *changes, const char *pair, struct fault *fault);

/** Of the options below. */
option_take dead_changes_take_set, dead_changes_take_rename,
    dead_changes_take_drop, dead_changes_take_dimension,
    dead_changes_take_truncate;

#define DEAD_CHANGE(word, wants, how, says, type, member) \
	{ \
		.name = (word), .argument = (wants), \
		.take = dead_changes_take_##how, \
		.offset = offsetof(type, member), .repeats = true, \
		.help = (says) \
	}
/** The rows of an option table; ${member} of the struct ${type} is the struct
 * dead_changes. */
#define DEAD_CHANGES_OPTIONS(type, member) \
	DEAD_CHANGE("set", "NAME=X", set, \
	    "namespace, metric or region becomes X (repeatable)", type, \
	    member), \
	    DEAD_CHANGE("rename-dim", "A=B", rename, \
		"dimension A is called B (repeatable)", type, member), \
	    DEAD_CHANGE("drop-dim", "K", drop, \
		"dimension K goes (repeatable)", type, member), \
	    DEAD_CHANGE("set-dim", "K=V", dimension, \
		"dimension K is V, added if need be (repeatable)", type, \
		member), \
	    DEAD_CHANGE("truncate-dim", "K=N", truncate, \
		"dimension K has at most N bytes (repeatable)", type, member)

#endif
