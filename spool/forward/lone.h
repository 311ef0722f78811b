#ifndef FORWARD_LONE_H
#define FORWARD_LONE_H

#include <stdbool.h>

struct judged;
struct lane;
struct settlement;

/*
 * A row, or a series, that got an answer alone (protocol.md section 8, "Lone
 * row"): who is to blame for it, and what comes of that.
 */

/** Whether it is to blame.  A row is not too long if as long a request was
 * taken lately. */
bool lone_is_guilty(const struct lane *lane,
    const struct settlement *settlement, const struct judged *judged);
/** It dies with ${settlement}, or is in doubt (doubt.h), or the lane is held. */
void lone_apply(struct lane *lane, struct settlement *settlement,
    const struct judged *judged);

#endif
