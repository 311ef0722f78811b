#ifndef BENCH_ORDEAL_H
#define BENCH_ORDEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#include "saved.h"
#include "spool.h"
#include "world.h"

/*
 * What monspool does with a queue, piece by piece, each while something goes
 * wrong, which the test brings: whatever fails must say so with the right
 * fault; nothing may be half done; once the cause is gone the same connection
 * must work (a new one, where the outcome of a commit is unknown), and the
 * queue must pass its audit.  A forwarder must come to an end by itself,
 * without sending an answered row again, and a failed init must leave nothing
 * behind.  A test that finds it otherwise ends.
 */
struct ordeal {
	/* The test's. */
	void (*arm)(void *cookie);
	void (*disarm)(void *cookie);
	/* Whether ${fault} says what is going wrong. */
	bool (*told)(void *cookie, const struct fault *fault);
	/* What is, in a few words. */
	void (*describe)(void *cookie, char words[256]);
	void *cookie;
	bool once_open; /* nothing goes wrong until the queue is open */
	bool forgets;   /* answers meanwhile may get lost, and rows go again */

	struct spool spool;
	struct saved saved;
	struct world_bench world;
	const struct ordeal_scene *scene;
	struct fault fault;
	int64_t failures, unknown;
	int64_t meanwhile; /* requests of the forwarder */
};

/** Make the queue that each scene begins with. */
void ordeal_set_up(struct ordeal *ordeal);
void ordeal_tear_down(struct ordeal *ordeal);

/** Scenes, and the name of one. */
size_t ordeal_count(void);
const char *ordeal_name(size_t scene);
/** Play one. */
void ordeal_try(struct ordeal *ordeal, size_t scene);

#endif
