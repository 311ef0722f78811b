#ifndef FORWARD_CORE_H
#define FORWARD_CORE_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct credentials;
struct db;
struct fault;
struct world;

enum core_mode {
	CORE_RUN,   /* until told to stop */
	CORE_ONCE,  /* each lane until it is empty, backing off or held */
	CORE_DRAIN, /* until all is empty or held; back-off is waited out */
	CORE_PREVIEW /* what it would send now; nothing is, and nothing changes */
};

/** What a run keeps to besides the settings. */
struct core_bounds {
	int64_t rows; /* that may leave by a request; 0: any number */
	const char
	    *namespaces; /* only these: globs joined by commas; NULL: all */
};

/* What a --once or --drain run has come to. */
enum core_progress {
	CORE_WORKING,
	CORE_EMPTY,        /* nothing pends */
	CORE_BOUND,        /* as many rows were sent as may be */
	CORE_LEFT,         /* rows are left */
	CORE_LEFT_ENDPOINT /* rows are left, and the endpoint failed */
};

/**
 * The forwarder without its loop: the lanes of one queue, driven by a world.
 * Nothing in it waits, and it has no clock of its own.
 */
struct core;

/** A core over ${db}, or NULL with ${fault}.  ${world}, ${db}, ${config} and
 * ${credentials} stay the caller's and outlive the core, or the reload that
 * replaces them. */
struct core *core_new(const struct world *world, struct db *db,
    const struct config *config, const struct credentials *credentials,
    enum core_mode mode, struct fault *fault);
/** Cancels what is in flight; its rows stay pending. */
void core_free(struct core *core);

/** Keep to ${bounds}, whose texts stay the caller's.  Before the first turn. */
void core_bound(struct core *core, const struct core_bounds *bounds);
/** CORE_PREVIEW: post the requests that would go now.  In place of any turn. */
void core_preview(struct core *core);

/** The queue may have new rows: look at the next turn. */
void core_wake(struct core *core);

/**
 * core_turn(core):
 * One loop turn: settle what was answered, in one transaction; look at the
 * queue if it may have changed; pump every lane.  To be called after each
 * callback of the world, and when core_next_ms() has come.
 */
void core_turn(struct core *core);

/** When core_turn() wants to be called next, in steady milliseconds; -1 when
 * only a callback or core_wake() brings news. */
int64_t core_next_ms(const struct core *core);

/** Forget back-off and the pauses that the receiver asked for; what waits is tried
 * now. */
void core_hurry(struct core *core);

/** New settings and keys: holds of accounts and endpoints are probed anew at once.  The old
 * ones are no longer used when it returns.  0, or -1 with ${fault}: then the old ones stay. */
int core_reload(struct core *core, const struct config *config,
    const struct credentials *credentials, struct fault *fault);

/** Start nothing new. */
void core_stop(struct core *core);
/** No request is out and nothing awaits settling. */
bool core_quiet(const struct core *core);
/** No request is out, nothing to settle and no lane has rows it could send now: time for housekeeping. */
bool core_idle(const struct core *core);
/** CORE_WORKING: rows are sent, or will be without anybody's doing; those of
 * a lane in back-off but for CORE_ONCE, those of a held one never. */
enum core_progress core_progress(const struct core *core);

/** A commit failed so that its outcome is unknown (contract.md H12): the
 * connection must be closed, the queue opened anew and handed in with
 * core_use_db().  What was answered is kept and written down then. */
bool core_broken(const struct core *core);
void core_use_db(struct core *core, struct db *db);

/** The queue fails: nothing is sent until it works again. */
bool core_troubled(const struct core *core);
/** In any mode but CORE_RUN: it failed too often in a row to be waited for.
 * ${fault} says how. */
bool core_hopeless(const struct core *core, struct fault *fault);
/** Rows are left that cannot be read: the file is damaged there. */
bool core_damaged(const struct core *core, struct fault *fault);

/** For one status line. */
struct core_stats {
	int64_t requests, delivered, dead, ambiguous, in_flight, lanes,
	    held_lanes;
};
void core_stats(const struct core *core, struct core_stats *stats);

#endif
