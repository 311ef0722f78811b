#define _POSIX_C_SOURCE 200809L
#include "cuts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "forward/http.h"
#include "queue/checkpoint.h"
#include "queue/db.h"

#include "spool.h"
#include "world.h"

#define TIMEOUT_MS 150 /* of a silent connection */
#define TURNS_MOST 100000

#define BODY "{\"code\":0,\"message\":\"\",\"sequence\":1}"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static char answers[CUTS_ANSWERS][CUTS_ANSWER];

static struct bench {
	const char *test;
	struct spool spool;
	struct world_bench world;
	struct ev_loop *loop;
	struct http *http;
	struct cutter *cutter;
	struct cutter_plan plan;
	int port, rows; /* rows of a batch */
	bool tls;
	int64_t cuts, attempts;
	struct cutter_count before; /* as of start() */
} bench;

static void
fail(const char *what)
{
	static const char *const HOWS[CUTTER_HOWS] = { "FIN", "RST",
		"silence" };

	bench_die("%s: %s at byte %zu of %s, %d rows, %s%s: %s", bench.test,
	    HOWS[bench.plan.how], bench.plan.at,
	    bench.plan.in_answer ? "the answer" : "the request", bench.rows,
	    bench.world.config.receiver.get ? "GET" : "POST",
	    bench.tls ? ", TLS" : "", what);
}

/* ---- the world: a true transport, and a clock that jumps ---- */

static struct flight *
post(void *cookie, const struct request *request, reply_fn *done, void *owner)
{
	(void)cookie;
	return http_post(bench.http, request, done, owner);
}

static void
cancel(void *cookie, struct flight *flight)
{
	(void)cookie;
	http_cancel(bench.http, flight);
}

/* Time to send again: nobody waits for it. */
static void
jump(void)
{
	struct world_bench *world = &bench.world;
	int64_t next_ms = core_next_ms(world->core);

	if (next_ms < 0)
		fail("the forwarder has nothing to do");
	if (next_ms > world->steady_ms) {
		world->wall_ms += next_ms - world->steady_ms;
		world->steady_ms = next_ms;
	}
}

/* One request, up to the commit of what came of it. */
static void
send_once(void)
{
	struct core *core = bench.world.core;
	struct core_stats stats;
	int64_t requests;
	int turns = 0;

	core_stats(core, &stats);
	requests = stats.requests;
	while (stats.requests == requests || !core_quiet(core)) {
		if (turns++ > TURNS_MOST)
			fail("the forwarder does not come to an end");
		core_turn(core);
		core_stats(core, &stats);
		if (stats.in_flight > 0)
			ev_run(bench.loop, EVRUN_ONCE);
		else if (stats.requests == requests)
			jump();
	}
}

/* ---- cuts ---- */

static void
check(void)
{
	int64_t whole = cutter_count(bench.cutter)->whole - bench.before.whole;
	struct core_stats stats;

	core_stats(bench.world.core, &stats);
	if (stats.delivered > whole * bench.rows)
		fail("rows were delivered without a whole answer");
	if (stats.delivered < whole * bench.rows)
		fail("a whole answer did not deliver");
	if (stats.dead > 0)
		fail("rows died");
}

/* A batch that waits. */
static void
put(void)
{
	struct spool_rows rows = { .ns = "cvm",
		.rows = bench.rows,
		.series = 7,
		.first = bench.cuts };
	struct writer_result result;
	struct fault fault = { 0 };

	if (spool_put(&bench.spool, &rows, &result, &fault))
		fail(fault.message);
	core_wake(bench.world.core);
}

/* One request, cut there; true if it was answered whole. */
static bool
cut(const struct cutter_plan *plan)
{
	int64_t whole = cutter_count(bench.cutter)->whole;

	bench.plan = *plan;
	cutter_plan(bench.cutter, plan);
	send_once();
	check();
	bench.cuts++;
	if (cutter_count(bench.cutter)->whole == whole)
		return false;
	put();
	return true;
}

void
cuts_requests(enum cutter_how how, size_t step)
{
	struct cutter_plan plan = { .how = how,
		.answer = answers[CUTS_LENGTH] };

	for (plan.at = 1; !cut(&plan); plan.at += step)
		;
	if (!cutter_count(bench.cutter)->beyond)
		fail("a request cut short was answered");
}

/* The line feed behind the last chunk is the one byte that libcurl can do
 * without; by TLS none comes without its record. */
void
cuts_answers(enum cutter_how how, enum cuts_answer kind, size_t step)
{
	struct cutter_plan plan = { .in_answer = true,
		.how = how,
		.answer = answers[kind],
		.spare = kind == CUTS_CHUNKED ? 1 : 0 };

	for (plan.at = 0; !cut(&plan); plan.at += step)
		;
}

/* ---- batches ---- */

static void
connect_by(struct tls_server *server, const char *ca_file)
{
	struct config_receiver *receiver = &bench.world.config.receiver;
	struct fault fault = { 0 };

	bench.tls = server != NULL;
	cutter_tls(bench.cutter, server);
	snprintf(receiver->url, sizeof(receiver->url),
	    "http%s://127.0.0.1:%d/v2/index.php", bench.tls ? "s" : "",
	    bench.port);
	snprintf(receiver->ca_file, sizeof(receiver->ca_file), "%s",
	    bench.tls ? ca_file : "");
	bench.http = http_new(bench.loop, receiver, &fault);
	if (bench.http == NULL)
		bench_die("there is no transport: %s", fault.message);
}

void
cuts_start(int rows, bool get, struct tls_server *server, const char *ca_file)
{
	struct fault fault = { 0 };

	bench.rows = rows;
	bench.world.config.batch.max_rows = rows;
	bench.world.config.receiver.get = get;
	bench.before = *cutter_count(bench.cutter);
	connect_by(server, ca_file);
	if (spool_open(&bench.spool, &fault) ||
	    world_start(&bench.world, CORE_RUN, &fault))
		bench_die("%s: cannot start: %s", bench.test, fault.message);
	put();
}

/* All attempts so far against all requests so far. */
static void
check_attempts(void)
{
	static const char COUNTED[] =
	    "SELECT count(*) FROM attempt WHERE counted";
	static const char ALL[] = "SELECT count(*) FROM attempt";
	const struct cutter_count *now = cutter_count(bench.cutter);
	int64_t counted = spool_ask(&bench.spool, COUNTED) - bench.attempts;
	int64_t all = spool_ask(&bench.spool, ALL);
	int64_t seen = now->seen - bench.before.seen;
	int64_t met = now->met - bench.before.met;

	if (counted < seen || counted > (bench.tls ? met : seen))
		fail("the attempts are not the requests that were seen");
	bench.attempts += counted;
	if (!bench.tls && all != bench.attempts)
		fail("there are attempts of which nothing was seen");
}

void
cuts_stop(void)
{
	struct cutter_plan plan = { .in_answer = true,
		.at = SIZE_MAX,
		.answer = answers[CUTS_LENGTH] };
	char problem[256];

	bench.plan = plan;
	cutter_plan(bench.cutter, &plan);
	send_once();
	check();
	world_stop(&bench.world);
	if (!spool_sound(&bench.spool, problem))
		fail(problem);
	check_attempts();
	if (spool_ask(&bench.spool, "SELECT pending FROM ledger") != 0)
		fail("rows are left");
	checkpoint_guarded(bench.spool.db, false);
	spool_close(&bench.spool);
	http_free(bench.http);
}

/* ---- the stage ---- */

static void
make_answers(void)
{
	static const char body[] = BODY;
	int first = 16, rest = (int)strlen(body) - first;

	snprintf(answers[CUTS_LENGTH], CUTS_ANSWER,
	    HEAD "Content-Length: %zu\r\n\r\n" BODY, strlen(body));
	snprintf(answers[CUTS_CHUNKED], CUTS_ANSWER,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n"
		 "%x\r\n%.*s\r\n%x\r\n%s\r\n0\r\n\r\n",
	    (unsigned)first, first, body, (unsigned)rest, body + first);
	snprintf(answers[CUTS_CLOSE], CUTS_ANSWER,
	    HEAD "Connection: close\r\n\r\n" BODY);
}

void
cuts_set_up(const char *test)
{
	bench.test = test;
	make_answers();
	spool_make(&bench.spool);
	world_set_up(&bench.world, &bench.spool);
	bench.world.no_housekeeping = true;
	bench.world.world.post = post;
	bench.world.world.cancel = cancel;
	bench.world.config.queue.attempts_kept = 10000000;
	bench.world.config.retry.hold_after = 1000000;
	bench.world.config.receiver.timeout_ms = TIMEOUT_MS;
	if ((bench.loop = ev_loop_new(EVFLAG_AUTO)) == NULL)
		bench_die("there is no loop");
	bench.cutter = cutter_new(bench.loop, &bench.port);
}

void
cuts_tear_down(void)
{
	cutter_free(bench.cutter);
	ev_loop_destroy(bench.loop);
	world_tear_down(&bench.world);
	spool_tear_down(&bench.spool);
}

void
cuts_count(struct cuts_count *count)
{
	const struct cutter_count *now = cutter_count(bench.cutter);

	*count = (struct cuts_count){ .cuts = bench.cuts,
		.seen = now->seen,
		.whole = now->whole,
		.attempts = bench.attempts };
}

void
cuts_path(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%.40s", bench.spool.dir, name);
}
