#ifndef CLI_DEAD_EDIT_H
#define CLI_DEAD_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/reshape.h"

struct cli;
struct deadletter_row;
struct fault;

/** The changes of "dead edit", in the order in which they were given. */
struct dead_changes {
	struct reshape_change *list;
	size_t count;
};

/** Append one.  0, or -1 with ${fault} (memory). */
int dead_changes_add(struct dead_changes *changes,
    const struct reshape_change *change, struct fault *fault);
/** "namespace=X", "metric=X" or "region=X" (X empty or -: none).  0 or -1. */
int dead_changes_set(
    struct dead_changes *changes, const char *pair, struct fault *fault);

/**
 * dead_edit_by_hand(row, changes, fault):
 * Let a person edit ${row} as a file, with $VISUAL or $EDITOR, and add the changes
 * to ${changes}; their texts live as long as the process.  0, or -1 with
 * ${fault}: the file is left where it is then.
 */
int dead_edit_by_hand(const struct deadletter_row *row,
    struct dead_changes *changes, struct fault *fault);

#endif
