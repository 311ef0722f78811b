#ifndef CLI_DEAD_EDIT_H
#define CLI_DEAD_EDIT_H

struct dead_changes;
struct deadletter_row;
struct fault;

/**
 * dead_edit_by_hand(row, changes, fault):
 * Let a person edit ${row} as a file, with $VISUAL or $EDITOR, and add the changes
 * to ${changes}, which were empty.  0, or -1 with ${fault}: the file is left where
 * it is then.
 */
int dead_edit_by_hand(const struct deadletter_row *row,
    struct dead_changes *changes, struct fault *fault);

#endif
