#ifndef QUEUE_KNOWN_H
#define QUEUE_KNOWN_H

#include <stdint.h>

struct db;

/*
 * Names that the receiver has taken, so that a refused one can be held against
 * them.  ${visit} must not wait for anybody; its texts live until it returns;
 * what it returns other than 0 ends the list.  Each returns 0 or -1.
 */

typedef int known_visit(void *cookie, const char *name, const char *dimensions);

/** Namespaces of which a request was accepted, as the attempts remember. */
int known_namespaces(struct db *db, known_visit *visit, void *cookie);

/** Metrics and dimensions of series of the lane ${lane_id} none of which died,
 * the latest first, at most ${most}. */
int known_series(struct db *db, int64_t lane_id, int64_t most,
    known_visit *visit, void *cookie);

#endif
