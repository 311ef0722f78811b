#ifndef FORWARD_CORE_STATE_H
#define FORWARD_CORE_STATE_H

#include "account.h"
#include "core.h"
#include "replay.h"
#include "settle.h"
#include "suspects.h"
#include "world.h"

struct lane;

/*
 * What the parts of the core share.  core.c owns it; lane.c, verdict.c and
 * hold.c work on it; nothing outside the shelf sees it.
 */
struct core {
	const struct world *world;
	struct db *db;
	const struct config *config;
	const struct credentials *credentials;
	struct dispositions *dispositions;
	enum core_mode mode;
	struct core_bounds bounds;
	int64_t spent; /* rows that left by a request, for bounds.rows */
	struct account *accounts; /* in the order of config->accounts */
	size_t account_count;
	struct account nobody; /* that of lanes whose own is not configured */
	struct lane **lanes;   /* by id */
	size_t lane_count, lane_room;
	size_t first;       /* the lane that is pumped first in this turn */
	size_t prober;      /* the lane of a hold that probes first */
	size_t collecting;  /* the lane that roster_collect() looks at next */
	int64_t collect_ms; /* steady: and not before this */
	struct suspects suspects;
	struct settle settle;
	struct replay replay;
	bool look;        /* the queue may have changed */
	bool wishes_left; /* for want of room: with the next commit */
	bool dead_full;   /* no more may die: there is no room for them */
	bool unreadable;  /* it could not be looked at */
	bool stopping;
	int64_t clock_offset_ms; /* added when signing */
	bool clock_corrected;    /* and no answer 0 since */
	uint32_t last_nonce;
	struct core_stats stats;
};

static inline int64_t
core_steady_ms(const struct core *core)
{
	return core->world->steady_ms(core->world->cookie);
}

static inline int64_t
core_wall_ms(const struct core *core)
{
	return core->world->wall_ms(core->world->cookie);
}

static inline uint64_t
core_random(const struct core *core)
{
	return core->world->random(core->world->cookie);
}

#endif
