#ifndef CAPI_SERIES_H
#define CAPI_SERIES_H

#include <stdint.h>

#include "queue/entry.h"

struct fault;
struct writer;

/*
 * Series that passed their checks on this handle.  Most metrics of a batch are
 * of such a series, and need neither be checked nor rendered again.
 */
struct capi_series;

/** The place of a series; good as long as no other series took it. */
struct capi_place {
	uint32_t slot, generation;
};
#define CAPI_NO_PLACE ((struct capi_place){ 0, 0 })

/** NULL when there is no memory. */
struct capi_series *capi_series_new(void);
void capi_series_free(struct capi_series *series);

/**
 * capi_series_check(series, entry, checks, wire, place, fault):
 * entry_check() and entry_render(), whose result is in ${wire} only if there is
 * no ${place}, or less where the series is known.  0, or -1 with ${fault}.
 */
int capi_series_check(struct capi_series *series, const struct entry *entry,
    const struct config_checks *checks, struct entry_wire *wire,
    struct capi_place *place, struct fault *fault);

/** What the writer calls the series at ${place}; valid in the open round.  0, 1
 * if another series took the place, or -1 with ${fault}. */
int capi_series_resolve(struct capi_series *series, struct capi_place place,
    const struct entry *entry, const struct config_checks *checks,
    struct entry_wire *wire, struct writer *writer, int64_t *lane_id,
    int64_t *series_id, struct fault *fault);

#endif
