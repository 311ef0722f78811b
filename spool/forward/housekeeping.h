#ifndef FORWARD_HOUSEKEEPING_H
#define FORWARD_HOUSEKEEPING_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct db;

/*
 * What the forwarder does for the queue besides sending: guarded checkpoints (H3: at
 * 4 MiB of WAL, or once 1 s idle with anything in it), keys that have expired, dead
 * letters over the bounds of [dead], series nobody uses, free pages given back (H13), the
 * ballast made again (H7), the history row of a minute.
 */
struct housekeeping;

struct housekeeping *housekeeping_new(
    struct db *db, const struct config *config, int64_t now_ms);
/** While its queue is still open. */
void housekeeping_free(struct housekeeping *housekeeping);
void housekeeping_configure(
    struct housekeeping *housekeeping, const struct config *config);
/** The queue is about to be closed (NULL: no turn until there is another), or was
 * opened anew. */
void housekeeping_use_db(struct housekeeping *housekeeping, struct db *db);
/** Do what is due; ${idle}: nothing else wants the queue.  Small steps: never longer than
 * some 20 ms, but for making the ballast.  Return when to be called again, steady ms. */
int64_t housekeeping_turn(struct housekeeping *housekeeping, bool idle,
    int64_t steady_ms, int64_t wall_ms);

#endif
