#include "outboxes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/log.h"
#include "queue/mover.h"

/* Who writes for less than this is no news. */
#define BUSY_TOLD_MS 10000

struct outbox {
	char name[CONFIG_NAME];
	struct mover *mover;
	enum fault_kind trouble; /* said already */
	int64_t busy_since_ms;   /* steady; -1: it is not */
};

struct outboxes {
	size_t count;
	struct outbox all[CONFIG_OUTBOXES];
	struct ev_loop *loop; /* NULL: nothing is watched */
	bool due;
	ev_io ring;
	ev_timer poll, again;
	ev_prepare turn;
};

static int
add(struct outboxes *outboxes, const struct config *config, size_t at)
{
	struct outbox *outbox = &outboxes->all[at];

	outbox->busy_since_ms = -1;
	memcpy(outbox->name, config->outboxes[at].name, sizeof(outbox->name));
	outbox->mover = mover_new(
	    config->queue.path, config->outboxes[at].path);
	return outbox->mover == NULL ? -1 : 0;
}

struct outboxes *
outboxes_new(const struct config *config)
{
	struct outboxes *outboxes = calloc(1, sizeof(*outboxes));

	if (outboxes == NULL)
		return NULL;
	for (; outboxes->count < config->outbox_count; outboxes->count++)
		if (add(outboxes, config, outboxes->count)) {
			outboxes_free(outboxes);
			return NULL;
		}
	return outboxes;
}

static void
unwatch(struct outboxes *outboxes)
{
	if (outboxes->loop == NULL)
		return;
	ev_io_stop(outboxes->loop, &outboxes->ring);
	ev_timer_stop(outboxes->loop, &outboxes->poll);
	ev_timer_stop(outboxes->loop, &outboxes->again);
	ev_prepare_stop(outboxes->loop, &outboxes->turn);
}

void
outboxes_free(struct outboxes *outboxes)
{
	size_t i;

	if (outboxes == NULL)
		return;
	unwatch(outboxes);
	for (i = 0; i < outboxes->count; i++)
		mover_free(outboxes->all[i].mover);
	free(outboxes);
}

/* Whether others write, and not for long. */
static bool
is_busy(struct outbox *outbox, const struct fault *fault)
{
	int64_t now_ms = clock_steady_ms();

	if (fault->kind != FAULT_QUEUE_BUSY) {
		outbox->busy_since_ms = -1;
		return false;
	}
	if (outbox->busy_since_ms == -1)
		outbox->busy_since_ms = now_ms;
	return now_ms - outbox->busy_since_ms < BUSY_TOLD_MS;
}

static void
log_trouble(struct outbox *outbox, const struct fault *fault)
{
	char name[150], message[300], why[200];

	if (is_busy(outbox, fault) || fault->kind == outbox->trouble)
		return;
	outbox->trouble = fault->kind;
	log_event(LOG_WARN, "outbox_failed", "outbox=%s error=%s why=%s",
	    log_text(name, sizeof(name), outbox->name),
	    log_text(message, sizeof(message), fault->message),
	    log_text(why, sizeof(why), fault->why));
}

static void
log_result(struct outbox *outbox, const struct mover_result *result)
{
	char name[150];

	log_text(name, sizeof(name), outbox->name);
	if (outbox->trouble != FAULT_NONE)
		log_event(LOG_INFO, "outbox_works", "outbox=%s", name);
	outbox->trouble = FAULT_NONE;
	outbox->busy_since_ms = -1;
	if (result->refused > 0)
		log_event(LOG_WARN, "outbox_refused",
		    "outbox=%s rows=%lld hint=\"see the column error of"
		    " monspool_outbox\"",
		    name, (long long)result->refused);
	if (result->moved > 0 || result->known > 0)
		log_event(LOG_DEBUG, "outbox_moved",
		    "outbox=%s rows=%lld known=%lld", name,
		    (long long)result->moved, (long long)result->known);
}

static bool
fetch(struct outbox *outbox)
{
	struct mover_result result;
	struct fault fault = { 0 };

	if (mover_round(outbox->mover, &result, &fault)) {
		log_trouble(outbox, &fault);
		return false;
	}
	log_result(outbox, &result);
	return result.more;
}

bool
outboxes_fetch(struct outboxes *outboxes)
{
	bool more = false;
	size_t i;

	for (i = 0; i < outboxes->count; i++)
		more |= fetch(&outboxes->all[i]);
	return more;
}

/* ---- the loop ---- */

static void
on_turn(struct ev_loop *loop, ev_prepare *turn, int events)
{
	struct outboxes *outboxes = turn->data;

	(void)events;
	if (!outboxes->due)
		return;
	outboxes->due = outboxes_fetch(outboxes);
	if (outboxes->due) /* but let others have their turn, too */
		ev_timer_start(loop, &outboxes->again);
}

/* Whoever listens to the bell empties it. */
static void
on_ring(struct ev_loop *loop, ev_io *ring, int events)
{
	struct outboxes *outboxes = ring->data;

	(void)loop;
	(void)events;
	outboxes->due = true;
}

static void
on_poll(struct ev_loop *loop, ev_timer *poll, int events)
{
	struct outboxes *outboxes = poll->data;

	(void)loop;
	(void)events;
	outboxes->due = true;
}

void
outboxes_watch(
    struct outboxes *outboxes, struct ev_loop *loop, int bell, int64_t poll_ms)
{
	double poll = (double)poll_ms / 1000.0;

	if (outboxes->count == 0)
		return;
	outboxes->loop = loop;
	outboxes->due = true;
	ev_prepare_init(&outboxes->turn, on_turn);
	ev_io_init(&outboxes->ring, on_ring, bell, EV_READ);
	ev_timer_init(&outboxes->poll, on_poll, poll, poll);
	ev_timer_init(&outboxes->again, on_poll, 0.0, 0.0);
	outboxes->turn.data = outboxes->ring.data = outboxes->poll.data =
	    outboxes->again.data = outboxes;
	ev_prepare_start(loop, &outboxes->turn);
	ev_timer_start(loop, &outboxes->poll);
	if (bell != -1)
		ev_io_start(loop, &outboxes->ring);
}
