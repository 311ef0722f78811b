#ifndef FORWARD_OUTBOXES_H
#define FORWARD_OUTBOXES_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct ev_loop;

/*
 * The outboxes of the configuration, and what the log has said of them: a
 * trouble is told when it begins, when it changes and when it is over.
 */
struct outboxes;

/** NULL when there is no memory. */
struct outboxes *outboxes_new(const struct config *config);
void outboxes_free(struct outboxes *outboxes);

/** Bring rows of each into the queue, a bounded number.  Whether there may be
 * more. */
bool outboxes_fetch(struct outboxes *outboxes);

/** From now on fetch whenever the ${bell} rings (-1: there is none), and every
 * ${poll_ms}. */
void outboxes_watch(
    struct outboxes *outboxes, struct ev_loop *loop, int bell, int64_t poll_ms);

#endif
