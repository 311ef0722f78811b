#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "forward/core.h"
#include "forward/world.h"
#include "queue/attempt.h"

#include "spool.h"

struct credentials;
struct housekeeping;

/*
 * A forwarder on a queue of the bench, in a world of its own: the clock moves
 * to the next event at once, and the receiver does as it is told.
 */

/** What a receiver makes of a request. */
struct heard {
	int transfer; /* a CURLcode; 0: it answered */
	int code;     /* its answer, with HTTP 200 */
};
typedef struct heard world_receiver(
    void *cookie, const struct request *request);

struct world_bench {
	struct spool *spool;
	struct config config;
	struct credentials *credentials;
	struct world world;
	struct core *core;
	struct housekeeping *housekeeping;
	bool no_housekeeping; /* the test keeps the house itself */
	int64_t wall_ms, steady_ms;
	uint64_t chance;
	struct flight *flights;
	world_receiver *receiver;
	void *cookie;
	int64_t requests, taken; /* rows answered with 0 */
};

/** Keys and clocks, for the queue of ${spool}. */
void world_set_up(struct world_bench *bench, struct spool *spool);
void world_tear_down(struct world_bench *bench);

/** Start on the open queue.  0 or -1. */
int world_start(
    struct world_bench *bench, enum core_mode mode, struct fault *fault);
/** What is in flight is forgotten. */
void world_stop(struct world_bench *bench);
/** Whether the queue must be opened anew, as monspoold asks after a turn, and
 * from time to time. */
bool world_lost(struct world_bench *bench);
/** It is about to be closed, and it was opened. */
void world_closes(struct world_bench *bench);
void world_reopened(struct world_bench *bench);

/** Turn, answer and keep house until nothing happens before ${ms} have
 * passed, the connection must be opened anew, or ${turns} are over.  Return
 * the turns made. */
int world_run(struct world_bench *bench, int64_t ms, int turns);

/** Receivers.  The second's cookie is a uint64_t of chance. */
struct heard world_takes_all(void *cookie, const struct request *request);
/** Takes most, dislikes one value in eight, or is cut. */
struct heard world_takes_most(void *cookie, const struct request *request);

#endif
