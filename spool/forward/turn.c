#define _DEFAULT_SOURCE /* getrandom() */
#include "forwarder_state.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "housekeeping.h"
#include "http.h"
#include "queue/bell.h"
#include "queue/db.h"
#include "queue/queue.h"
#include "settings.h"

#define REOPEN_MS 1000
#define LEAST_POLL_MS 50

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

void
turn_make_world(struct forwarder *forwarder)
{
	forwarder->world = (struct world){ forwarder->http, wall_ms, steady_ms,
		random_bits, http_post, http_cancel };
}

/* ---- turns ---- */

/* A commit failed so that its outcome is unknown: what the old connection
 * knows counts no more (contract.md H12).  It is closed when there is another,
 * so that nobody ever holds none. */
static int
reopen(struct forwarder *forwarder)
{
	const struct config *config = &forwarder->settings->config;
	struct db *old = forwarder->db, *db;
	struct config copy;
	struct fault fault = { 0 };
	char text[300];

	db = queue_open(config->queue.path, DB_WRITER, -1, &copy, &fault);
	if (db == NULL) {
		if (forwarder->reopen_ms == 0) /* said once */
			log_event(LOG_ERROR, "queue_lost", "error=%s",
			    log_reason(text, sizeof(text), &fault));
		forwarder->reopen_ms = clock_steady_ms() + REOPEN_MS;
		return -1;
	}
	forwarder->db = db;
	forwarder->lost = false;
	forwarder->reopen_ms = 0;
	housekeeping_use_db(forwarder->housekeeping, db);
	core_use_db(forwarder->core, db);
	db_close(old);
	/* once a trouble, not a try */
	log_event(forwarder->reopened ? LOG_DEBUG : LOG_WARN, "queue_reopened",
	    "queue=%s", log_text(text, sizeof(text), config->queue.path));
	forwarder->reopened = true;
	if (forwarder->unpublished)
		reload_publish(forwarder);
	return 0;
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

/* Whether there was no work for as long as was asked for. */
static bool
idled_out(struct forwarder *forwarder, enum core_progress progress)
{
	int64_t most_ms = forwarder->options->until_idle_ms;

	if (progress == CORE_WORKING)
		forwarder->busy_ms = clock_steady_ms();
	return most_ms > 0 && clock_steady_ms() - forwarder->busy_ms >= most_ms;
}

/* --once and --drain end by themselves; a stop when all is settled. */
static bool
is_over(struct forwarder *forwarder)
{
	enum core_progress progress;

	if (forwarder->stopping)
		return core_quiet(forwarder->core);
	progress = core_progress(forwarder->core);
	if (forwarder->options->mode == CORE_RUN)
		return progress == CORE_BOUND || idled_out(forwarder, progress);
	return progress != CORE_WORKING;
}

/* When is_over() wants to be asked again although nothing happens; -1: then
 * something does. */
static int64_t
over_ms(const struct forwarder *forwarder)
{
	int64_t most_ms = forwarder->options->until_idle_ms;

	return most_ms > 0 ? forwarder->busy_ms + most_ms : -1;
}

static int64_t
keep_house(struct forwarder *forwarder)
{
	return housekeeping_turn(forwarder->housekeeping,
	    core_idle(forwarder->core), clock_steady_ms(), clock_wall_ms());
}

/* -1 is never. */
static int64_t
sooner(int64_t one_ms, int64_t other_ms)
{
	return other_ms >= 0 && other_ms < one_ms ? other_ms : one_ms;
}

/* Whether the queue is out of reach, now that it was tried. */
static bool
is_lost(struct forwarder *forwarder)
{
	if (!core_broken(forwarder->core) && !forwarder->lost)
		return false;
	if (clock_steady_ms() >= forwarder->reopen_ms && reopen(forwarder) == 0)
		return false;
	wake_at(forwarder, forwarder->reopen_ms);
	return true;
}

static void
take_turn(struct forwarder *forwarder)
{
	struct fault fault;
	int64_t next_ms;

	if (is_lost(forwarder))
		return;
	core_turn(forwarder->core);
	if (core_hopeless(forwarder->core, &fault)) {
		ev_break(forwarder->loop, EVBREAK_ALL);
		return;
	}
	if (is_lost(forwarder))
		return;
	forwarder->reopened &= core_troubled(forwarder->core);
	if (is_over(forwarder)) {
		ev_break(forwarder->loop, EVBREAK_ALL);
		return;
	}
	next_ms = keep_house(forwarder);
	next_ms = sooner(next_ms, core_next_ms(forwarder->core));
	next_ms = sooner(next_ms, over_ms(forwarder));
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

/* A queue that cannot even say this much is of no use any more: a commit that
 * was not the core's broke the connection, or worse. */
static void
on_poll(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct forwarder *forwarder = timer->data;
	int64_t version;

	(void)loop;
	(void)events;
	version = db_data_version(forwarder->db);
	if (version == -1)
		forwarder->lost = true;
	else if (version != forwarder->data_version)
		look(forwarder);
	if (version != -1 && forwarder->unpublished)
		reload_publish(forwarder);
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

void
turn_stop(struct forwarder *forwarder)
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
		turn_stop(forwarder);
}

void
turn_set_poll(struct forwarder *forwarder)
{
	int64_t poll_ms = forwarder->settings->config.forwarder.idle_poll_ms;

	if (poll_ms < LEAST_POLL_MS)
		poll_ms = LEAST_POLL_MS;
	forwarder->poll.repeat = (double)poll_ms / 1000.0;
	ev_timer_again(forwarder->loop, &forwarder->poll);
}

void
turn_watch(struct forwarder *forwarder)
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
	forwarder->busy_ms = clock_steady_ms();
	ev_prepare_start(forwarder->loop, &forwarder->turn);
	if (forwarder->bell != -1)
		ev_io_start(forwarder->loop, &forwarder->ring);
	if (drain_ms > 0)
		ev_timer_start(forwarder->loop, &forwarder->drain);
	turn_set_poll(forwarder);
}
