#ifndef FORWARD_SUSPECTS_H
#define FORWARD_SUSPECTS_H

#include <stddef.h>
#include <stdint.h>

#include "queue/suspect.h"

struct db;

/** The suspects of a queue in memory; the forwarder is their only writer. */
struct suspects {
	struct suspect_row *rows; /* by series_id */
	size_t count, size;
};

/** Read them all.  0, or -1. */
int suspects_load(struct suspects *suspects, struct db *db);
void suspects_free(struct suspects *suspects);
/** The one of ${series_id}, or NULL. */
const struct suspect_row *suspects_find(
    const struct suspects *suspects, int64_t series_id);
/** Add or replace.  0, or -1 (memory): it is then known to the queue only,
 * and the series is bisected once more. */
int suspects_put(struct suspects *suspects, const struct suspect_row *row);
void suspects_remove(struct suspects *suspects, int64_t series_id);

#endif
