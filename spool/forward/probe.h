#ifndef FORWARD_PROBE_H
#define FORWARD_PROBE_H

struct judged;
struct lane;
struct settlement;

/** The row that was to end a hold of ${lane} was not accepted. */
void probe_failed(struct lane *lane, struct settlement *settlement,
    const struct judged *judged);

#endif
