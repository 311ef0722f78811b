#define _POSIX_C_SOURCE 200809L
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "forward/housekeeping.h"
#include "forward/key.h"
#include "protocol/request.h"
#include "queue/db.h"

#define START_MS 1700000000000
#define CUT 56 /* CURLE_RECV_ERROR */

/* A request under way. */
struct flight {
	const struct request *request;
	reply_fn *done;
	void *owner;
	struct flight *next;
};

static int64_t
world_wall(void *cookie)
{
	return ((struct world_bench *)cookie)->wall_ms;
}

static int64_t
world_steady(void *cookie)
{
	return ((struct world_bench *)cookie)->steady_ms;
}

static uint64_t
world_random(void *cookie)
{
	return bench_random(&((struct world_bench *)cookie)->chance);
}

static struct flight *
world_post(
    void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	struct world_bench *bench = cookie;
	struct flight *flight = malloc(sizeof(*flight)), **end;

	if (flight == NULL)
		return NULL;
	*flight = (struct flight){ request, done, owner, NULL };
	for (end = &bench->flights; *end != NULL; end = &(*end)->next)
		;
	*end = flight;
	bench->requests++;
	return flight;
}

static void
world_cancel(void *cookie, struct flight *flight)
{
	struct world_bench *bench = cookie;
	struct flight **link;

	for (link = &bench->flights; *link != flight; link = &(*link)->next)
		;
	*link = flight->next;
	free(flight);
}

static void
answer_first(struct world_bench *bench)
{
	struct flight *flight = bench->flights;
	struct heard heard = bench->receiver(bench->cookie, flight->request);
	struct reply reply = { .error = "", .location = "", .took_ms = 3 };
	char body[64];

	snprintf(
	    body, sizeof(body), "{\"code\":%d,\"message\":\"\"}", heard.code);
	reply.transfer = heard.transfer;
	reply.request_size = (int64_t)flight->request->bytes;
	if (heard.transfer != 0) {
		reply.error = "the connection was cut";
		reply.body = "";
	} else {
		reply.http_status = 200;
		reply.body = body;
		reply.len = strlen(body);
		if (heard.code == 0)
			bench->taken += (int64_t)flight->request->rows;
	}
	bench->flights = flight->next;
	flight->done(flight->owner, &reply);
	free(flight);
}

/* ---- life ---- */

static void
make_key(struct world_bench *bench)
{
	struct config *config = &bench->config;
	struct fault fault = { 0 };
	char path[BENCH_DIR + 16];
	FILE *key;

	snprintf(path, sizeof(path), "%s/key", bench->spool->dir);
	if ((key = fopen(path, "w")) == NULL || chmod(path, 0600))
		bench_die("cannot make the key file %s", path);
	fputs("tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm\n", key);
	fclose(key);
	snprintf(config->accounts[0].secret_id, CONFIG_NAME, "AKID");
	snprintf(config->accounts[0].region, CONFIG_NAME, "gz");
	snprintf(config->accounts[0].secret_key_file, CONFIG_PATH, "%s", path);
	bench->credentials = credentials_load(config, &fault);
	if (bench->credentials == NULL)
		bench_die("cannot load the key: %s", fault.message);
}

void
world_set_up(struct world_bench *bench, struct spool *spool)
{
	memset(bench, 0, sizeof(*bench));
	log_to(-1, LOG_PLAIN, LOG_ERROR);
	bench->spool = spool;
	bench->config = spool->settings;
	bench->config.rate.requests_per_second = 0;
	bench->config.batch.linger_ms = 0;
	make_key(bench);
	bench->wall_ms = START_MS;
	bench->steady_ms = 5000;
	bench->chance = 42;
	bench->receiver = world_takes_all;
	bench->world = (struct world){ bench, world_wall, world_steady,
		world_random, world_post, world_cancel };
}

void
world_tear_down(struct world_bench *bench)
{
	world_stop(bench);
	credentials_free(bench->credentials);
}

int
world_start(struct world_bench *bench, enum core_mode mode, struct fault *fault)
{
	struct db *db = bench->spool->db;

	bench->core = core_new(
	    &bench->world, db, &bench->config, bench->credentials, mode, fault);
	if (bench->core == NULL)
		return -1;
	if (bench->no_housekeeping)
		return 0;
	bench->housekeeping = housekeeping_new(
	    db, &bench->config, bench->steady_ms);
	if (bench->housekeeping != NULL)
		return 0;
	world_stop(bench);
	return fault_set(fault, FAULT_INTERNAL, "out of memory");
}

void
world_stop(struct world_bench *bench)
{
	housekeeping_free(bench->housekeeping);
	core_free(bench->core);
	bench->housekeeping = NULL;
	bench->core = NULL;
}

bool
world_lost(struct world_bench *bench)
{
	return core_broken(bench->core) ||
	    db_data_version(bench->spool->db) == -1;
}

void
world_closes(struct world_bench *bench)
{
	if (bench->housekeeping != NULL)
		housekeeping_use_db(bench->housekeeping, NULL);
}

void
world_reopened(struct world_bench *bench)
{
	if (bench->housekeeping != NULL)
		housekeeping_use_db(bench->housekeeping, bench->spool->db);
	core_use_db(bench->core, bench->spool->db);
}

/* ---- time ---- */

/* One turn; when the next is wanted, -1: not by itself. */
static int64_t
turn(struct world_bench *bench)
{
	int64_t core_ms, house_ms;

	core_turn(bench->core);
	core_ms = core_next_ms(bench->core);
	if (core_broken(bench->core) || bench->housekeeping == NULL)
		return core_ms;
	house_ms = housekeeping_turn(bench->housekeeping,
	    core_idle(bench->core), bench->steady_ms, bench->wall_ms);
	return core_ms >= 0 && core_ms < house_ms ? core_ms : house_ms;
}

static void
pass(struct world_bench *bench, int64_t to_ms)
{
	if (to_ms <= bench->steady_ms)
		return;
	bench->wall_ms += to_ms - bench->steady_ms;
	bench->steady_ms = to_ms;
}

int
world_run(struct world_bench *bench, int64_t ms, int turns)
{
	int64_t until_ms = bench->steady_ms + ms, next_ms;
	int made = 0;

	while (made < turns) {
		made++;
		next_ms = turn(bench);
		if (core_broken(bench->core))
			return made;
		if (bench->flights != NULL) {
			answer_first(bench);
			continue;
		}
		if (next_ms < 0 || next_ms > until_ms)
			break;
		pass(bench, next_ms);
	}
	pass(bench, until_ms);
	return made;
}

/* ---- receivers ---- */

struct heard
world_takes_all(void *cookie, const struct request *request)
{
	(void)cookie;
	(void)request;
	return (struct heard){ .code = 0 };
}

struct heard
world_takes_most(void *cookie, const struct request *request)
{
	if (bench_below(cookie, 8) == 0)
		return (struct heard){ .transfer = CUT };
	if (strstr(request->body.data, "\"d3\"") != NULL)
		return (struct heard){ .code = 1017 };
	return (struct heard){ .code = 0 };
}
