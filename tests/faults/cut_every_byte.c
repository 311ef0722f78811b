/* links: forward; bench: spool world cutter */
/*
 * cut_every_byte [SEED]: the connection is cut at each byte of a request and
 * of its answer, by FIN and by RST (contract.md C13); at some it falls silent
 * instead.  The transport is the real one, and so is the core; only its clock
 * jumps to the next event.  Rows must be delivered by whole answers alone,
 * which come in three kinds (their length told, in chunks, or ended by the
 * close); and the table attempt must name every request of which the server
 * saw a byte, and no other (C3, C6), so that none was resent unseen.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "forward/http.h"
#include "queue/checkpoint.h"
#include "queue/db.h"

#include "bench/cutter.h"
#include "bench/spool.h"
#include "bench/world.h"

#define TIMEOUT_MS 150 /* of a silent connection */
#define STALL_EVERY 97 /* bytes */
#define TURNS_MOST 100000

#define BODY "{\"code\":0,\"message\":\"\",\"sequence\":1}"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define ANSWER_MOST 256

enum answer_kind {
	ANSWER_LENGTH,  /* its length is told */
	ANSWER_CHUNKED, /* it comes in two chunks */
	ANSWER_CLOSE,   /* it is over when the connection is */
	ANSWER_KINDS
};
static char answers[ANSWER_KINDS][ANSWER_MOST];

struct bench {
	uint64_t seed;
	struct spool spool;
	struct world_bench world;
	struct ev_loop *loop;
	struct http *http;
	struct cutter *cutter;
	struct cutter_plan plan;
	int rows;                   /* of a batch */
	int64_t cuts, whole_before; /* answers given before this batch size */
};

static struct bench bench;

static void
fail(const char *what)
{
	static const char *const HOWS[CUTTER_HOWS] = { "FIN", "RST",
		"silence" };

	bench_die("cut_every_byte: %s at byte %zu of %s, %d rows, %s: %s",
	    HOWS[bench.plan.how], bench.plan.at,
	    bench.plan.in_answer ? "the answer" : "the request", bench.rows,
	    bench.world.config.receiver.get ? "GET" : "POST", what);
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
	int64_t whole = cutter_count(bench.cutter)->whole - bench.whole_before;
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

/* At each byte of the request, until a request is shorter. */
static void
cut_requests(enum cutter_how how, size_t step)
{
	struct cutter_plan plan = { .how = how,
		.answer = answers[ANSWER_LENGTH] };

	for (plan.at = 1; !cut(&plan); plan.at += step)
		;
	if (!cutter_count(bench.cutter)->beyond)
		fail("a request cut short was answered");
}

/* At each byte of the answer, and then not at all.  The line feed behind the
 * last chunk is the one byte that libcurl can do without. */
static void
cut_answers(enum cutter_how how, enum answer_kind kind, size_t step)
{
	struct cutter_plan plan = { .in_answer = true,
		.how = how,
		.answer = answers[kind],
		.spare = kind == ANSWER_CHUNKED ? 1 : 0 };

	for (plan.at = 0; !cut(&plan); plan.at += step)
		;
}

static void
cut_all(void)
{
	size_t kind;
	int how;

	for (how = 0; how < CUTTER_HOWS; how++) {
		size_t step = how == CUTTER_STALL ? STALL_EVERY : 1;

		cut_requests((enum cutter_how)how, step);
		for (kind = 0; kind < ANSWER_KINDS; kind++)
			cut_answers(
			    (enum cutter_how)how, (enum answer_kind)kind, step);
	}
}

/* ---- batches ---- */

static void
start(int rows, bool get)
{
	struct fault fault = { 0 };

	bench.rows = rows;
	bench.world.config.batch.max_rows = rows;
	bench.world.config.receiver.get = get;
	bench.whole_before = cutter_count(bench.cutter)->whole;
	if (spool_open(&bench.spool, &fault) ||
	    world_start(&bench.world, CORE_RUN, &fault))
		bench_die("cut_every_byte: cannot start: %s", fault.message);
	put();
}

/* The batch that waits is delivered, and all requests are accounted for. */
static void
stop(void)
{
	static const char COUNTED[] =
	    "SELECT count(*) FROM attempt WHERE counted";
	static const char ALL[] = "SELECT count(*) FROM attempt";
	struct cutter_plan plan = { .in_answer = true,
		.at = ANSWER_MOST,
		.answer = answers[ANSWER_LENGTH] };
	int64_t seen;
	char problem[256];

	bench.plan = plan;
	cutter_plan(bench.cutter, &plan);
	send_once();
	check();
	world_stop(&bench.world);
	seen = cutter_count(bench.cutter)->seen;
	if (!spool_sound(&bench.spool, problem))
		fail(problem);
	if (spool_ask(&bench.spool, COUNTED) != seen ||
	    spool_ask(&bench.spool, ALL) != seen)
		fail("the attempts are not the requests that were seen");
	if (spool_ask(&bench.spool, "SELECT pending FROM ledger") != 0)
		fail("rows are left");
	checkpoint_guarded(bench.spool.db, false);
	spool_close(&bench.spool);
}

static void
make_answers(void)
{
	static const char body[] = BODY;
	int first = 16, rest = (int)strlen(body) - first;

	snprintf(answers[ANSWER_LENGTH], ANSWER_MOST,
	    HEAD "Content-Length: %zu\r\n\r\n" BODY, strlen(body));
	snprintf(answers[ANSWER_CHUNKED], ANSWER_MOST,
	    HEAD "Transfer-Encoding: chunked\r\n\r\n"
		 "%x\r\n%.*s\r\n%x\r\n%s\r\n0\r\n\r\n",
	    (unsigned)first, first, body, (unsigned)rest, body + first);
	snprintf(answers[ANSWER_CLOSE], ANSWER_MOST,
	    HEAD "Connection: close\r\n\r\n" BODY);
}

static void
set_up(void)
{
	struct config_receiver *receiver = &bench.world.config.receiver;
	struct fault fault = { 0 };
	int port;

	make_answers();
	spool_make(&bench.spool);
	world_set_up(&bench.world, &bench.spool);
	bench.world.no_housekeeping = true;
	bench.world.world.post = post;
	bench.world.world.cancel = cancel;
	bench.world.config.queue.attempts_kept = 10000000;
	bench.world.config.retry.hold_after = 1000000;
	if ((bench.loop = ev_loop_new(EVFLAG_AUTO)) == NULL)
		bench_die("there is no loop");
	bench.cutter = cutter_new(bench.loop, &port);
	snprintf(receiver->url, sizeof(receiver->url),
	    "http://127.0.0.1:%d/v2/index.php", port);
	receiver->timeout_ms = TIMEOUT_MS;
	bench.http = http_new(bench.loop, receiver, &fault);
	if (bench.http == NULL)
		bench_die("there is no transport: %s", fault.message);
}

int
main(int argc, char **argv)
{
	static const int ROWS[] = { 1, 3, 20, 100, 400 };
	int64_t sizes = bench_count(3, sizeof(ROWS) / sizeof(ROWS[0]));
	const struct cutter_count *count;
	int64_t i;

	bench.seed = bench_start(argc, argv);
	set_up();
	for (i = 0; i < sizes; i++) {
		start(ROWS[i], false);
		cut_all();
		stop();
	}
	start(1, true);
	cut_all();
	stop();
	count = cutter_count(bench.cutter);
	printf("cut_every_byte: C13 C3, %" PRId64 " cuts: %" PRId64
	       " requests seen, as many attempts; %" PRId64
	       " whole answers, as many batches delivered, 0 rows died;"
	       " %.0f s CPU\n",
	    bench.cuts, count->seen, count->whole, bench_cpu());
	http_free(bench.http);
	cutter_free(bench.cutter);
	ev_loop_destroy(bench.loop);
	world_tear_down(&bench.world);
	spool_tear_down(&bench.spool);
	return 0;
}
