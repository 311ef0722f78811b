#ifndef FORWARD_FORWARDER_STATE_H
#define FORWARD_FORWARDER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <ev.h>

#include "forwarder.h"
#include "world.h"

struct db;
struct fault;
struct housekeeping;
struct http;
struct lock;
struct outboxes;
struct settings;

#define FORWARDER_SIGNALS 5

/*
 * What the parts of the process share: forwarder.c begins and ends it, turn.c
 * does the work, reload.c puts settings in force, signals.c listens.
 * The loop calls back, callbacks note what happened, and before the loop waits
 * again a turn is taken.
 */
struct forwarder {
	const struct forwarder_options *options;
	struct settings *settings;
	struct world world;
	struct ev_loop *loop;
	struct db *db;
	bool lost;         /* it answers no more, and is to be opened anew */
	int64_t reopen_ms; /* not before this; 0: at once */
	bool reopened;     /* in this trouble, so that it is said */
	bool unpublished;  /* the settings did not reach it */
	int64_t data_version;
	struct lock *lock;
	int bell; /* -1: none, the poll has to do */
	struct http *http;
	struct core *core;
	struct housekeeping *housekeeping;
	struct outboxes *outboxes;
	bool stopping;
	int64_t busy_ms; /* steady: when there was work last */
	ev_prepare turn;
	ev_io ring;
	ev_timer poll; /* for writers that do not ring */
	ev_timer wake; /* for the next turn */
	ev_timer stop; /* the end of patience with what is in flight */
	ev_timer drain;
	ev_signal signals[FORWARDER_SIGNALS];
};

/* turn.c */

/** The world that the core is handed. */
void turn_make_world(struct forwarder *forwarder);
/** Begin to take turns: bell, poll, timers. */
void turn_watch(struct forwarder *forwarder);
/** Look for writers that do not ring as often as the settings say. */
void turn_set_poll(struct forwarder *forwarder);
/** Start nothing new, and wait no longer than stop_timeout for what is out. */
void turn_stop(struct forwarder *forwarder);

/* reload.c */

/** Level and form of the log. */
void reload_set_log(const struct forwarder *forwarder);
/** Say which keys have no effect. */
void reload_log_warnings(const struct settings *settings);
/** Put the settings that concern writers into the queue. */
void reload_publish(struct forwarder *forwarder);
/** Read settings and keys anew; where anything is wrong, log it and go on with
 * those there are. */
void reload(struct forwarder *forwarder);
/** Forget back-off: the same settings, put in force anew. */
void reload_retry(struct forwarder *forwarder);

/** Fetch from the outboxes of the settings, and of no others: once, so that
 * what they hold is there at the start, then as long as there is a loop.  0 or
 * -1 (memory). */
int reload_outboxes(struct forwarder *forwarder);

/* signals.c */

void signals_watch(struct forwarder *forwarder);
/** Log what was done so far. */
void signals_log_status(const struct forwarder *forwarder, const char *event);

#endif
