#ifndef QUEUE_DROP_H
#define QUEUE_DROP_H

#include <stdint.h>

struct config;
struct db;

/** Rows that drop_oldest() drops at most at a time. */
#define DROP_ROWS 5000

/** In the caller's bracket: drop the ${count} oldest pending rows with an id below
 * ${below}, over all lanes, counted as dropped.  How many there were, or -1. */
int64_t drop_oldest(struct db *db, int64_t below, int count);

/** In the caller's bracket: drop the oldest rows below ${below} until the bound of
 * the queue leaves room to go on, or none is left.  0 or -1. */
int drop_for_room(struct db *db, const struct config *config, int64_t below);

#endif
