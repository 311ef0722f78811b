#ifndef CLI_DEAD_EDIT_H
#define CLI_DEAD_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/reshape.h"

struct cJSON;
struct cli;
struct deadletter_row;
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

/**
 * dead_edit_by_hand(row, changes, fault):
 * Let a person edit ${row} as a file, with $VISUAL or $EDITOR, and add the changes
 * to ${changes}, which were empty.  0, or -1 with ${fault}: the file is left where
 * it is then.
 */
int dead_edit_by_hand(const struct deadletter_row *row,
    struct dead_changes *changes, struct fault *fault);

#endif
