#define _DEFAULT_SOURCE /* getrandom() */
#include "forwarder.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ev.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "housekeeping.h"
#include "http.h"
#include "queue/bell.h"
#include "queue/db.h"
#include "queue/ledger.h"
#include "queue/lock.h"
#include "queue/place.h"
#include "queue/queue.h"
#include "queue/setting.h"
#include "queue/status.h"
#include "settings.h"
#include "world.h"

#define REOPEN_MS 1000
#define LEAST_POLL_MS 50

/*
 * The loop calls back, callbacks note what happened, and before the loop waits
 * again turn() does the work.
 */
struct forwarder {
	const struct forwarder_options *options;
	struct settings *settings;
	struct world world;
	struct ev_loop *loop;
	struct db *db; /* NULL: broken, to be opened anew at reopen_ms */
	int64_t reopen_ms, data_version;
	struct lock *lock;
	int bell; /* -1: none, the poll has to do */
	struct http *http;
	struct core *core;
	struct housekeeping *housekeeping;
	bool stopping;
	ev_prepare turn;
	ev_io ring;
	ev_timer poll; /* for writers that do not ring */
	ev_timer wake; /* for the next turn */
	ev_timer stop; /* the end of patience with what is in flight */
	ev_timer drain;
	ev_signal signals[5];
};

/* ---- the world, for the core ---- */

static int64_t
wall_ms(void *cookie)
{
	(void)cookie;
	return clock_wall_ms();
}

static int64_t
steady_ms(void *cookie)
{
	(void)cookie;
	return clock_steady_ms();
}

static uint64_t
random_bits(void *cookie)
{
	uint64_t bits = 0;

	(void)cookie;
	/* So few bytes are never cut short, and fail only for a signal. */
	while (getrandom(&bits, sizeof(bits), 0) == -1 && errno == EINTR)
		;
	return bits;
}

/* ---- turns ---- */

/* A commit failed so that its outcome is unknown: what the old connection
 * knows counts no more (contract.md H12). */
static int
reopen(struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	struct config copy;
	struct fault fault = { 0 };
	char text[300];

	housekeeping_free(forwarder->housekeeping);
	forwarder->housekeeping = NULL;
	db_close(forwarder->db);
	forwarder->db = queue_open(
	    config->queue.path, DB_WRITER, -1, &copy, &fault);
	if (forwarder->db != NULL)
		forwarder->housekeeping = housekeeping_new(
		    forwarder->db, config, clock_steady_ms());
	if (forwarder->housekeeping != NULL) {
		core_use_db(forwarder->core, forwarder->db);
		log_event(LOG_WARN, "queue_reopened", "queue=%s",
		    log_text(text, sizeof(text), config->queue.path));
		return 0;
	}
	forwarder->reopen_ms = clock_steady_ms() + REOPEN_MS;
	log_event(LOG_ERROR, "queue_lost", "error=%s",
	    log_text(text, sizeof(text), fault.message));
	return -1;
}

/* Ask for a turn at ${at_ms}, steady. */
static void
wake_at(struct forwarder *forwarder, int64_t at_ms)
{
	int64_t wait_ms = at_ms - clock_steady_ms();

	ev_timer_stop(forwarder->loop, &forwarder->wake);
	ev_now_update(forwarder->loop);
	ev_timer_set(&forwarder->wake,
	    wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.0, 0.0);
	ev_timer_start(forwarder->loop, &forwarder->wake);
}

/* --once and --drain end by themselves; a stop when all is settled. */
static bool
is_over(const struct forwarder *forwarder)
{
	if (forwarder->stopping)
		return core_quiet(forwarder->core);
	return forwarder->options->mode != CORE_RUN &&
	    core_progress(forwarder->core) != CORE_WORKING;
}

static int64_t
keep_house(struct forwarder *forwarder)
{
	return housekeeping_turn(forwarder->housekeeping,
	    core_idle(forwarder->core), clock_steady_ms(), clock_wall_ms());
}

static void
take_turn(struct forwarder *forwarder)
{
	int64_t next_ms, core_ms;

	if (forwarder->db == NULL &&
	    (clock_steady_ms() < forwarder->reopen_ms || reopen(forwarder))) {
		wake_at(forwarder, forwarder->reopen_ms);
		return;
	}
	core_turn(forwarder->core);
	if (core_broken(forwarder->core) && reopen(forwarder)) {
		wake_at(forwarder, forwarder->reopen_ms);
		return;
	}
	if (is_over(forwarder)) {
		ev_break(forwarder->loop, EVBREAK_ALL);
		return;
	}
	next_ms = keep_house(forwarder);
	core_ms = core_next_ms(forwarder->core);
	if (core_ms >= 0 && core_ms < next_ms)
		next_ms = core_ms;
	wake_at(forwarder, next_ms);
}

/* ---- callbacks ---- */

static void
on_turn(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	(void)loop;
	(void)events;
	take_turn(prepare->data);
}

/* That the loop woke up is all. */
static void
on_wake(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	ev_timer_stop(loop, timer);
}

static void
look(struct forwarder *forwarder)
{
	if (forwarder->db != NULL)
		forwarder->data_version = db_data_version(forwarder->db);
	core_wake(forwarder->core);
}

static void
on_ring(struct ev_loop *loop, ev_io *ring, int events)
{
	struct forwarder *forwarder = ring->data;

	(void)loop;
	(void)events;
	bell_drain(forwarder->bell);
	look(forwarder);
}

static void
on_poll(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct forwarder *forwarder = timer->data;

	(void)loop;
	(void)events;
	if (forwarder->db != NULL &&
	    db_data_version(forwarder->db) != forwarder->data_version)
		look(forwarder);
}

/* Patience is over: what is in flight is abandoned, its rows stay pending. */
static void
on_stop(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	log_event(LOG_WARN, "stop_timeout", "abandoned=in-flight");
	ev_break(loop, EVBREAK_ALL);
}

static void
stop(struct forwarder *forwarder)
{
	ev_timer *timer = &forwarder->stop;
	int64_t patience_ms = forwarder->settings->config.forwarder
				  .stop_timeout_ms;

	forwarder->stopping = true;
	core_stop(forwarder->core);
	ev_now_update(forwarder->loop);
	ev_timer_init(timer, on_stop, (double)patience_ms / 1000.0, 0.0);
	timer->data = forwarder;
	ev_timer_start(forwarder->loop, timer);
}

static void
on_drain(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct forwarder *forwarder = timer->data;

	(void)loop;
	(void)events;
	if (!forwarder->stopping)
		stop(forwarder);
}

static void
on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct forwarder *forwarder = signal->data;

	(void)events;
	log_event(LOG_INFO, forwarder->stopping ? "stop_now" : "stopping",
	    "signal=%d", signal->signum);
	if (forwarder->stopping)
		ev_break(loop, EVBREAK_ALL);
	else
		stop(forwarder);
}

/* ---- settings, at the start and anew ---- */

static void
set_log(const struct forwarder *forwarder)
{
	int level = forwarder->settings->config.forwarder.log_level +
	    forwarder->options->verbose;

	if (level < LOG_ERROR)
		level = LOG_ERROR;
	if (level > LOG_DEBUG)
		level = LOG_DEBUG;
	log_to(
	    STDERR_FILENO, forwarder->options->log_form, (enum log_level)level);
}

/* One line of the log for something about a configuration file. */
static void
log_fault(enum log_level level, const char *event, const struct fault *fault)
{
	char message[300], file[200];

	log_event(level, event, "file=%s line=%ld message=%s",
	    log_text(file, sizeof(file), fault->file), fault->line,
	    log_text(message, sizeof(message), fault->message));
}

static void
log_warnings(const struct settings *settings)
{
	size_t i;

	for (i = 0; i < settings->found.warning_count; i++)
		log_fault(
		    LOG_WARN, "config_warning", &settings->found.warnings[i]);
}

/* Read everything anew, or log what is wrong with it. */
static struct settings *
read_anew(const struct forwarder *forwarder)
{
	const struct forwarder_options *options = forwarder->options;
	struct fault fault = { 0 };
	struct settings *settings;
	size_t i;

	settings = settings_read(options->config_file, options->queue, &fault);
	if (settings != NULL && settings->credentials != NULL)
		return settings;
	if (settings == NULL || settings->found.problem_count == 0)
		log_fault(LOG_ERROR, "reload_failed", &fault);
	else
		for (i = 0; i < settings->found.problem_count; i++)
			log_fault(LOG_ERROR, "reload_failed",
			    &settings->found.problems[i]);
	settings_free(settings);
	return NULL;
}

/* Writers go by the copy in the queue. */
static void
publish(struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	char text[300];

	if (forwarder->db == NULL)
		return;
	db_set_busy_timeout(forwarder->db, config->queue.busy_timeout_ms);
	if (db_limit_bytes(forwarder->db, config->queue.max_size) ||
	    setting_store(forwarder->db, config))
		log_event(LOG_WARN, "settings_not_stored", "error=%s",
		    log_text(text, sizeof(text), db_error(forwarder->db)));
}

static void
set_poll(struct forwarder *forwarder)
{
	int64_t poll_ms = forwarder->settings->config.forwarder.idle_poll_ms;

	if (poll_ms < LEAST_POLL_MS)
		poll_ms = LEAST_POLL_MS;
	forwarder->poll.repeat = (double)poll_ms / 1000.0;
	ev_timer_again(forwarder->loop, &forwarder->poll);
}

/* Put ${settings} in force; the core no longer uses the old ones. */
static void
replace_settings(struct forwarder *forwarder, struct settings *settings)
{
	struct settings *old = forwarder->settings;

	if (strcmp(settings->config.queue.path, old->config.queue.path) != 0)
		log_event(LOG_WARN, "reload_partial",
		    "message=\"another queue.path needs a restart\"");
	memcpy(settings->config.queue.path, old->config.queue.path,
	    sizeof(old->config.queue.path));
	forwarder->settings = settings;
	settings_free(old);
	http_configure(forwarder->http, &settings->config.receiver);
	if (forwarder->housekeeping != NULL)
		housekeeping_configure(
		    forwarder->housekeeping, &settings->config);
	set_log(forwarder);
	set_poll(forwarder);
	publish(forwarder);
}

static void
on_reload(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct forwarder *forwarder = signal->data;
	struct fault fault = { 0 };
	struct settings *settings;

	(void)loop;
	(void)events;
	if ((settings = read_anew(forwarder)) == NULL)
		return;
	if (core_reload(forwarder->core, &settings->config,
		settings->credentials, &fault)) {
		log_fault(LOG_ERROR, "reload_failed", &fault);
		settings_free(settings);
		return;
	}
	replace_settings(forwarder, settings);
	log_warnings(settings);
	log_event(
	    LOG_INFO, "reloaded", "endpoint=%s", settings->config.receiver.url);
}

/* Forget back-off: the same settings, put in force anew. */
static void
on_retry(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct forwarder *forwarder = signal->data;
	struct settings *settings = forwarder->settings;
	struct fault fault = { 0 };

	(void)loop;
	(void)events;
	if (core_reload(forwarder->core, &settings->config,
		settings->credentials, &fault))
		log_fault(LOG_ERROR, "retry_failed", &fault);
	else
		log_event(LOG_INFO, "retrying", "signal=%d", signal->signum);
}

static void
log_status(const struct forwarder *forwarder, const char *event)
{
	struct core_stats stats;
	struct ledger_row ledger = { 0 };

	core_stats(forwarder->core, &stats);
	if (forwarder->db != NULL)
		(void)ledger_read(forwarder->db, &ledger);
	log_event(LOG_INFO, event,
	    "requests=%lld delivered=%lld dead=%lld ambiguous=%lld"
	    " pending=%lld in_flight=%lld lanes=%lld held_lanes=%lld",
	    (long long)stats.requests, (long long)stats.delivered,
	    (long long)stats.dead, (long long)stats.ambiguous,
	    (long long)ledger.pending, (long long)stats.in_flight,
	    (long long)stats.lanes, (long long)stats.held_lanes);
}

static void
on_status(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	log_status(signal->data, "status");
}

static const struct {
	int number;
	void (*heard)(struct ev_loop *, ev_signal *, int);
} SIGNALS[] = {
	{ SIGTERM, on_terminate },
	{ SIGINT, on_terminate },
	{ SIGHUP, on_reload },
	{ SIGUSR1, on_status },
	{ SIGUSR2, on_retry },
};

/* ---- start and end ---- */

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
		    log_text(text, sizeof(text), fault.message));
}

static int
make_core(struct forwarder *forwarder, struct fault *fault)
{
	const struct config *config = &forwarder->settings->config;

	forwarder->http = http_new(forwarder->loop, &config->receiver, fault);
	if (forwarder->http == NULL)
		return -1;
	forwarder->world = (struct world){ forwarder->http, wall_ms, steady_ms,
		random_bits, http_post, http_cancel };
	forwarder->core = core_new(&forwarder->world, forwarder->db, config,
	    forwarder->settings->credentials, forwarder->options->mode, fault);
	if (forwarder->core == NULL)
		return -1;
	forwarder->housekeeping = housekeeping_new(
	    forwarder->db, config, clock_steady_ms());
	if (forwarder->housekeeping == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	return 0;
}

static void
watch_signals(struct forwarder *forwarder)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	size_t i;

	sigaction(SIGPIPE, &ignore, NULL);
	for (i = 0; i < sizeof(SIGNALS) / sizeof(SIGNALS[0]); i++) {
		ev_signal_init(&forwarder->signals[i], SIGNALS[i].heard,
		    SIGNALS[i].number);
		forwarder->signals[i].data = forwarder;
		ev_signal_start(forwarder->loop, &forwarder->signals[i]);
	}
}

static void
watch(struct forwarder *forwarder)
{
	int64_t drain_ms = forwarder->options->drain_ms;

	ev_prepare_init(&forwarder->turn, on_turn);
	ev_timer_init(&forwarder->wake, on_wake, 0.0, 0.0);
	ev_timer_init(&forwarder->poll, on_poll, 0.0, 0.0);
	ev_timer_init(
	    &forwarder->drain, on_drain, (double)drain_ms / 1000.0, 0.0);
	ev_io_init(&forwarder->ring, on_ring, forwarder->bell, EV_READ);
	forwarder->turn.data = forwarder->wake.data = forwarder->poll.data =
	    forwarder->drain.data = forwarder->ring.data = forwarder;
	ev_prepare_start(forwarder->loop, &forwarder->turn);
	if (forwarder->bell != -1)
		ev_io_start(forwarder->loop, &forwarder->ring);
	if (drain_ms > 0)
		ev_timer_start(forwarder->loop, &forwarder->drain);
	set_poll(forwarder);
	watch_signals(forwarder);
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
	set_log(forwarder);
	if (open_queue(forwarder, fault))
		return -1;
	if ((forwarder->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)) == NULL)
		return fault_set(
		    fault, FAULT_INTERNAL, "cannot make an event loop");
	hang_bell(forwarder);
	publish(forwarder);
	if (make_core(forwarder, fault))
		return -1;
	watch(forwarder);
	return 0;
}

static void
log_start(const struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	char queue[300], endpoint[300], region[150];

	log_warnings(forwarder->settings);
	log_event(LOG_INFO, "start",
	    "version=%s queue=%s endpoint=%s region=%s pid=%ld",
	    MONSPOOL_VERSION,
	    log_text(queue, sizeof(queue), config->queue.path),
	    log_text(endpoint, sizeof(endpoint), config->receiver.url),
	    log_text(region, sizeof(region), config->accounts[0].region),
	    (long)getpid());
}

/* Why --once or --drain ends with rows left. */
static int
tell_left(const struct forwarder *forwarder, enum core_progress progress,
    struct fault *fault)
{
	struct status_forwarder told = { .failing_since = -1 };
	struct ledger_row ledger = { 0 };

	if (forwarder->db != NULL) {
		(void)ledger_read(forwarder->db, &ledger);
		(void)status_forwarder_read(forwarder->db, &told);
	}
	if (progress == CORE_LEFT_ENDPOINT ||
	    (progress == CORE_WORKING && told.failing_since >= 0)) {
		fault_set(fault, FAULT_UNREACHABLE,
		    "the receiver could not be reached; %lld rows are left",
		    (long long)ledger.pending);
		fault_why(fault, "%s", told.last_error);
	} else
		fault_set(fault, FAULT_ROWS_LEFT, "%lld rows are left",
		    (long long)ledger.pending);
	fault_hint(fault, "monspool status");
	return fault_exit(fault->kind);
}

static int
outcome(const struct forwarder *forwarder, struct fault *fault)
{
	enum core_progress progress;

	if (forwarder->options->mode == CORE_RUN)
		return 0;
	progress = core_progress(forwarder->core);
	if (progress == CORE_EMPTY)
		return 0;
	return tell_left(forwarder, progress, fault);
}

/* In the order in which one uses the other. */
static void
end(struct forwarder *forwarder)
{
	core_free(forwarder->core);
	http_free(forwarder->http);
	housekeeping_free(forwarder->housekeeping);
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
	log_status(&forwarder, "stop");
	end(&forwarder);
	return exit_code;
}
