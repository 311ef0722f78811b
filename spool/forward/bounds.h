#ifndef FORWARD_BOUNDS_H
#define FORWARD_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct lane;

/** How many more rows may be sent, those that are out not counted;
 * INT64_MAX: any number. */
int64_t bounds_left(const struct core *core);
/** Whether the run leaves ${lane} alone. */
bool bounds_skip(const struct core *core, const struct lane *lane);

#endif
