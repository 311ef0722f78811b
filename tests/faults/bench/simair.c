#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/lane.h"
#include "protocol/batch.h"
#include "protocol/request.h"

static int64_t
air_wall(void *cookie)
{
	return ((struct sim *)cookie)->wall_ms;
}

static int64_t
air_steady(void *cookie)
{
	return ((struct sim *)cookie)->steady_ms;
}

static uint64_t
air_random(void *cookie)
{
	return bench_random(&((struct sim *)cookie)->chance);
}

/* The core's pointer to a request under way. */
static struct flight *
handle(struct sim_flight *flight)
{
	return (struct flight *)(void *)flight;
}

static struct flight *
air_post(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	struct sim *sim = cookie;
	struct sim_flight *flight = calloc(1, sizeof(*flight));

	if (flight == NULL)
		return NULL;
	flight->request = request;
	flight->done = done;
	flight->trip = owner;
	flight->due_ms = sim->steady_ms + 1 + sim_below(sim, sim->delay_ms);
	simtrips_sent(sim, flight);
	simreceiver_hear(sim, flight);
	if (flight->heard.taken)
		simtrips_taken(sim, flight);
	flight->next = sim->flights;
	sim->flights = flight;
	sim->turns_here = 0;
	return handle(flight);
}

static void
unlink_flight(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_flight **link;

	for (link = &sim->flights; *link != flight; link = &(*link)->next)
		;
	*link = flight->next;
}

static void
air_cancel(void *cookie, struct flight *cancelled)
{
	struct sim_flight *flight = (struct sim_flight *)(void *)cancelled;

	unlink_flight(cookie, flight);
	simtrips_lost(cookie, flight);
	free(flight);
}

void
simair_set_up(struct sim *sim)
{
	sim->world = (struct world){ sim, air_wall, air_steady, air_random,
		air_post, air_cancel };
}

/* The one whose answer comes next. */
static struct sim_flight *
first_due(const struct sim *sim)
{
	struct sim_flight *flight, *first = sim->flights;

	for (flight = sim->flights; flight != NULL; flight = flight->next)
		if (flight->due_ms < first->due_ms)
			first = flight;
	return first;
}

int64_t
simair_next_ms(const struct sim *sim)
{
	const struct sim_flight *first = first_due(sim);

	return first != NULL ? first->due_ms : -1;
}

void
simair_answer(struct sim *sim)
{
	struct sim_flight *flight = first_due(sim);
	const struct sim_heard *heard = &flight->heard;
	struct reply reply = { .error = "", .location = "" };
	char body[128];

	snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"said %d\"}",
	    heard->code, heard->code);
	reply.transfer = heard->transfer;
	reply.http_status = heard->http;
	reply.request_size = heard->unsent
	    ? 0
	    : (int64_t)flight->request->bytes + 100;
	reply.retry_after_ms = heard->retry_after_ms;
	reply.date_ms = heard->date_ms;
	reply.body = heard->body != NULL ? heard->body : body;
	if (heard->transfer != 0) {
		reply.error = "it broke";
		reply.body = heard->body != NULL ? heard->body : "";
	}
	reply.len = strlen(reply.body);
	reply.took_ms = 3;
	unlink_flight(sim, flight);
	simtrips_told(sim, flight);
	flight->done(flight->trip, &reply);
	simlanes_see(sim);
	free(flight);
	sim->turns_here = 0;
}

void
simair_pass(struct sim *sim, int64_t to_ms)
{
	if (to_ms <= sim->steady_ms)
		return;
	sim->wall_ms += to_ms - sim->steady_ms;
	sim->steady_ms = to_ms;
	sim->turns_here = 0;
}

/* The rows' highest time, before the clock goes back. */
static void
note_high(struct sim *sim)
{
	int i;

	for (i = 0; i < sim->row_count; i++)
		if (sim->rows[i].high_at < sim->wall_ms)
			sim->rows[i].high_at = sim->wall_ms;
}

void
simair_set_wall(struct sim *sim, int64_t wall_ms)
{
	note_high(sim);
	sim->began_anew = true;
	sim_say(
	    sim, "clock set by %lld ms", (long long)(wall_ms - sim->wall_ms));
	sim->wall_ms = wall_ms;
	note_high(sim);
}

int
simair_count(const struct sim *sim, int lane)
{
	const struct sim_flight *flight;
	int count = 0;

	for (flight = sim->flights; flight != NULL; flight = flight->next)
		count += flight->lane == lane;
	return count;
}
