#include "trip.h"

#include "protocol/batch.h"

#include "core_state.h"
#include "gather.h"
#include "key.h"
#include "verdict.h"

static void
on_reply(void *owner, const struct reply *reply)
{
	struct trip *trip = owner;
	struct lane *lane = trip->lane;

	trip->flight = NULL;
	lane->out--;
	lane->fresh.out &= trip->errand != ERRAND_FRESH;
	lane->core->stats.in_flight--;
	verdict_apply(trip, reply);
}

static uint32_t
fresh_nonce(struct core *core)
{
	uint32_t nonce;

	do
		nonce = (uint32_t)(core_random(core) % 2147483647U) + 1;
	while (nonce == core->last_nonce);
	return core->last_nonce = nonce;
}

struct trip *
trip_free_one(struct lane *lane)
{
	size_t i;

	for (i = 0; i < lane->trip_count; i++)
		if (lane->trips[i].flight == NULL)
			return &lane->trips[i];
	return NULL;
}

static void
count_start(struct trip *trip)
{
	struct lane *lane = trip->lane;
	const struct batch *batch = trip->batch;

	account_spend(lane->account, trip->sent_ms, (int64_t)batch->count);
	lane->out++;
	lane->taken += (int64_t)batch->count;
	if (trip->errand == ERRAND_DRAIN)
		lane->through_id = batch->rows[batch->count - 1].id;
	else if (trip->errand == ERRAND_FRESH)
		fresh_sent(
		    lane, batch->rows[0].id, batch->rows[batch->count - 1].id);
	else /* nothing goes beside it, though its lane be released */
		lane->rewind = true;
	if (trip->errand == ERRAND_PROBE)
		lane->probe_asked = false;
	lane->core->stats.requests++;
	lane->core->stats.in_flight++;
}

int
trip_start(
    struct trip *trip, struct batch *batch, enum errand errand, bool contiguous)
{
	struct core *core = trip->lane->core;
	struct envelope envelope;
	int64_t signed_at;

	gather_envelope(trip->lane, &envelope);
	signed_at = (core_wall_ms(core) + core->clock_offset_ms) / 1000;
	trip->batch = batch;
	trip->errand = errand;
	trip->contiguous = contiguous;
	trip->started_at = core_wall_ms(core);
	trip->sent_ms = core_steady_ms(core);
	trip->clock_offset_ms = core->clock_offset_ms;
	if (request_build(&trip->request, &envelope, batch, signed_at,
		fresh_nonce(core)) == 0)
		trip->flight = core->world->post(
		    core->world->cookie, &trip->request, on_reply, trip);
	if (trip->flight == NULL) {
		batch_free(trip->batch);
		trip->batch = NULL;
		return -1;
	}
	count_start(trip);
	return 0;
}

void
trip_clear(struct trip *trip)
{
	const struct world *world = trip->lane->core->world;

	if (trip->flight != NULL)
		world->cancel(world->cookie, trip->flight);
	trip->flight = NULL;
	batch_free(trip->batch);
	trip->batch = NULL;
	request_clear(&trip->request);
}
