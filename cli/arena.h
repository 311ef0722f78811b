#ifndef CLI_ARENA_H
#define CLI_ARENA_H

#include <stdbool.h>

/*
 * Memory for the JSON tree of one line: taken from one block and all given up
 * at once, since a malloc() for each of the tree's nodes costs more than parsing.
 * Bounded, so that no line can make the process grow.
 */

/** Let cJSON allocate here from now on. */
void arena_install(void);
/** Forget everything that was allocated. */
void arena_reset(void);
/** Whether an allocation failed since the last reset, for the bound. */
bool arena_exhausted(void);

#endif
