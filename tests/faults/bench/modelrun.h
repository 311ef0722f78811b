#ifndef BENCH_MODELRUN_H
#define BENCH_MODELRUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

#include "model.h"

struct db;

/*
 * A queue and its model, to both of which the same is done.
 *   modelputs.c  rows come
 *   modelends.c  rows go, as the forwarder lets them
 *   modeldead.c  what operators do to dead rows
 * Each operation draws what it does from the run's chance, and complains
 * where the queue answers otherwise than the model.
 */
struct model_run {
	struct spool spool;
	struct db *forwarder; /* a second connection, as its */
	struct model model, before;
	uint64_t chance;
	int64_t value;     /* given last; each row has its own */
	int64_t collected; /* cursor of series_collect() */
	char why[256];     /* "": all is well */
	struct fault fault;
};

typedef void model_operation(struct model_run *run);

int model_below(struct model_run *run, int bound);
bool model_odds(struct model_run *run, int percent);
void model_complain(struct model_run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Complain unless ${is} is ${must}. */
void model_expect(
    struct model_run *run, const char *what, int64_t is, int64_t must);

/** A series, or a whole row, as somebody might put it. */
struct model_series model_some_series(struct model_run *run);
struct model_row model_some_row(struct model_run *run);
/** Ids of rows, most of them dead (${dead}) or pending; how many. */
int model_some_ids(struct model_run *run, bool dead, int most, int64_t *ids);
/** The lane's id in the queue. */
int64_t model_lane_id(struct model_run *run, int lane);
/** A lane with pending rows; -1: there is none. */
int model_busy_lane(struct model_run *run);

/** The operations, with odds in a thousand. */
extern const struct model_do {
	const char *name;
	int odds;
	model_operation *run;
} MODEL_PUTS[], MODEL_ENDS[], MODEL_DEAD[];

#endif
