#ifndef CLI_DEAD_REPLAY_H
#define CLI_DEAD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "queue/operation.h"
#include "confirm.h"
#include "dead_filter.h"
#include "dead_pick.h"

struct cli;
struct db;
struct fault;

enum dead_late {
	DEAD_LATE_SEND,
	DEAD_LATE_DROP
};

/** What the command line of "dead replay" asked for. */
struct dead_replay_options {
	struct dead_filter filter; /* first */
	struct confirm_options confirm;
	int64_t canary, max, max_replays; /* -1: not given */
	double rate;                      /* -1: not given */
	int64_t resume, cancel;           /* 0: not given */
	int late;                         /* enum dead_late */
	bool no_canary, detach;
};

/** Why a row that was selected is not replayed. */
enum dead_skip {
	SKIP_REPLAYS, /* it was replayed often enough */
	SKIP_AGE,     /* it would expire at once */
	SKIP_LATE,    /* --late drop */
	SKIP_REASONS
};
#define SKIPPED_NAMED 10

/** A replay from its plan to its end. */
struct dead_replay {
	const struct cli *cli;
	const struct dead_replay_options *options;
	struct db *db;
	struct config config; /* the queue's copy */
	int64_t now_ms;
	struct dead_pick pick;
	struct {
		int64_t rows, ids[SKIPPED_NAMED]; /* the first of them */
	} skipped[SKIP_REASONS];
	int64_t late; /* rows of the pick */
	bool failed;  /* memory is short */
	struct operation_row operation;
};

/** Choose the rows and fill operation.matched, skipped, canary and rate.  0, or -1
 * with ${fault}. */
int dead_replay_plan(struct dead_replay *replay, struct dead_choice *choice,
    struct fault *fault);
/** Tell it, what is left out and how late the rows are included. */
void dead_replay_tell(const struct dead_replay *replay);

/** Record the operation: it waits for the forwarder, or, without canaries, for
 * dead_replay_move().  0 or -1. */
int dead_replay_record(struct dead_replay *replay,
    const struct dead_choice *choice, struct fault *fault);
/** Move all rows of an operation that has no canaries.  0 or -1. */
int dead_replay_move(struct dead_replay *replay, struct fault *fault);
/** Wait until it is over, or Ctrl-C, or no forwarder runs; telling how far it
 * is.  0, or -1 with ${fault}. */
int dead_replay_follow(struct dead_replay *replay, struct fault *fault);

#endif
