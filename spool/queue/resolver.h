#ifndef QUEUE_RESOLVER_H
#define QUEUE_RESOLVER_H

#include <stdint.h>

struct db;
struct writer_series;

/** Knows which lane and which series of the file those of a writer are,
 * and remembers those that were asked for lately. */
struct resolver;

/** NULL when out of memory. */
struct resolver *resolver_new(struct db *db);
void resolver_free(struct resolver *resolver);

/** In a bracket that has just begun.  What was resolved holds as long as
 * nobody else wrote: another process may have collected a series since. */
void resolver_refresh(struct resolver *resolver);
/** The bracket was undone: its ids may be given again. */
void resolver_forget(struct resolver *resolver);
/** Grows when what was resolved counts no more. */
uint64_t resolver_epoch(const struct resolver *resolver);

/** Whether ${series} is remembered: 1 with its ids, 0, -1 (memory). */
int resolver_find(struct resolver *resolver, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id);
/** Find it in the file, or add it.  0, or -1 with the fault in the db. */
int resolver_make(struct resolver *resolver, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id);

#endif
