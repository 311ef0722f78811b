#define _DEFAULT_SOURCE /* prctl() */
#include "forwarder.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "forwarder_state.h"
#include "housekeeping.h"
#include "http.h"
#include "outboxes.h"
#include "queue/bell.h"
#include "queue/db.h"
#include "queue/lane.h"
#include "queue/ledger.h"
#include "queue/lock.h"
#include "queue/place.h"
#include "queue/queue.h"
#include "settings.h"

void
forwarder_harden(void)
{
	struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(0007);
}

static int
open_queue(struct forwarder *forwarder, struct fault *fault)
{
	const char *path = forwarder->settings->config.queue.path;
	struct config copy; /* ours are newer */

	forwarder->db = queue_open(path, DB_WRITER, -1, &copy, fault);
	if (forwarder->db == NULL)
		return -1;
	forwarder->lock = lock_take(db_place(forwarder->db)->lock, fault);
	return forwarder->lock == NULL ? -1 : 0;
}

/* Without a bell there is still the poll. */
static void
hang_bell(struct forwarder *forwarder)
{
	const char *path = db_place(forwarder->db)->bell;
	struct fault fault = { 0 };
	char text[300];

	if (bell_make(path, 0660, &fault) == 0)
		forwarder->bell = bell_open(path, &fault);
	if (forwarder->bell == -1)
		log_event(LOG_WARN, "bell_missing", "error=%s",
		    log_reason(text, sizeof(text), &fault));
}

/* Ids that were acknowledged and are not in the file are named by a record,
 * before anything else is given them (contract.md H9). */
static int
name_missing(struct db *db)
{
	int64_t next_id;

	if (db_begin(db))
		return -1;
	if (ledger_next_id(db, &next_id) == 0)
		return db_commit(db);
	db_rollback(db);
	return -1;
}

static void
look_for_missing(struct forwarder *forwarder)
{
	struct ledger_row before, after;
	struct db *db = forwarder->db;
	char text[300];

	if (ledger_read(db, &before) || name_missing(db) ||
	    ledger_read(db, &after))
		log_event(LOG_WARN, "missing_unknown", "error=%s",
		    log_reason(text, sizeof(text), db_fault(db)));
	else if (after.missing > before.missing)
		log_event(LOG_ERROR, "ids_missing", "first=%lld last=%lld",
		    (long long)before.last_id + 1, (long long)after.last_id);
}

static int
make_core(struct forwarder *forwarder, struct fault *fault)
{
	const struct config *config = &forwarder->settings->config;

	forwarder->http = http_new(forwarder->loop, &config->receiver, fault);
	if (forwarder->http == NULL)
		return -1;
	turn_make_world(forwarder);
	forwarder->core = core_new(&forwarder->world, forwarder->db, config,
	    forwarder->settings->credentials, forwarder->options->mode, fault);
	if (forwarder->core == NULL)
		return -1;
	core_bound(forwarder->core, &forwarder->options->bounds);
	forwarder->housekeeping = housekeeping_new(
	    forwarder->db, config, clock_steady_ms());
	if (forwarder->housekeeping == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	return 0;
}

static int
start(struct forwarder *forwarder, struct fault *fault)
{
	const struct forwarder_options *options = forwarder->options;

	forwarder->settings = settings_read(
	    options->config_file, options->queue, fault);
	if (forwarder->settings == NULL ||
	    forwarder->settings->credentials == NULL)
		return -1;
	settings_slow(forwarder->settings, options->rate);
	reload_set_log(forwarder);
	if ((forwarder->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)) == NULL)
		return fault_set(
		    fault, FAULT_INTERNAL, "cannot make an event loop");
	/* Whoever sees the lock taken may send signals. */
	signals_watch(forwarder);
	if (open_queue(forwarder, fault))
		return -1;
	hang_bell(forwarder);
	reload_publish(forwarder);
	look_for_missing(forwarder);
	if (reload_outboxes(forwarder))
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	if (make_core(forwarder, fault))
		return -1;
	turn_watch(forwarder);
	return 0;
}

static void
log_start(const struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	char queue[300], endpoint[300], region[150];

	reload_log_warnings(forwarder->settings);
	log_event(LOG_INFO, "start",
	    "version=%s queue=%s endpoint=%s region=%s pid=%ld",
	    MONSPOOL_VERSION,
	    log_text(queue, sizeof(queue), config->queue.path),
	    log_text(endpoint, sizeof(endpoint), config->receiver.url),
	    log_text(region, sizeof(region), config->accounts[0].region),
	    (long)getpid());
}

/* Whether a lane with rows waits for the endpoint, and why, as the queue has
 * it: the core may have been interrupted. */
static bool
endpoint_fails(struct db *db, char *why, size_t size)
{
	struct lane_row lane;
	int64_t after = 0;

	while (lane_list(db, after, &lane, 1) == 1) {
		if (lane.pending > 0 && lane.state != LANE_READY &&
		    strcmp(lane.scope, "endpoint") == 0) {
			snprintf(why, size, "%s", lane.reason);
			return true;
		}
		after = lane.id;
	}
	return false;
}

/* Why --once or --drain ends with rows left. */
static int
tell_left(struct forwarder *forwarder, struct fault *fault)
{
	struct ledger_row ledger = { 0 };
	char why[LANE_TEXT];

	if (forwarder->db != NULL)
		(void)ledger_read(forwarder->db, &ledger);
	if (forwarder->db != NULL &&
	    endpoint_fails(forwarder->db, why, sizeof(why))) {
		fault_set(fault, FAULT_UNREACHABLE,
		    "the receiver could not be reached; rows left: %lld",
		    (long long)ledger.pending);
		fault_why(fault, "%s", why);
	} else
		fault_set(fault, FAULT_ROWS_LEFT, "rows left: %lld",
		    (long long)ledger.pending);
	fault_hint(fault, "monspool status");
	return fault_exit(fault->kind);
}

static int
outcome(struct forwarder *forwarder, struct fault *fault)
{
	enum core_progress progress = core_progress(forwarder->core);

	if (core_hopeless(forwarder->core, fault))
		return fault_exit(fault->kind);
	if (forwarder->options->mode == CORE_RUN || progress == CORE_EMPTY ||
	    progress == CORE_BOUND)
		return 0;
	if (core_damaged(forwarder->core, fault))
		return fault_exit(fault->kind);
	return tell_left(forwarder, fault);
}

/* In the order in which one uses the other. */
static void
end(struct forwarder *forwarder)
{
	core_free(forwarder->core);
	http_free(forwarder->http);
	housekeeping_free(forwarder->housekeeping);
	outboxes_free(forwarder->outboxes);
	if (forwarder->loop != NULL)
		ev_loop_destroy(forwarder->loop);
	if (forwarder->bell != -1)
		close(forwarder->bell);
	db_close(forwarder->db);
	lock_release(forwarder->lock);
	settings_free(forwarder->settings);
}

int
forwarder_run(const struct forwarder_options *options, struct fault *fault)
{
	struct forwarder forwarder = { .options = options, .bell = -1 };
	int exit_code;

	if (start(&forwarder, fault)) {
		end(&forwarder);
		return fault_exit(fault->kind);
	}
	log_start(&forwarder);
	ev_run(forwarder.loop, 0);
	exit_code = outcome(&forwarder, fault);
	signals_log_status(&forwarder, "stop");
	end(&forwarder);
	return exit_code;
}
