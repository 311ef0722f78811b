/* links: forward; bench: shim spool simplan simair simreceiver simasks simbounds simcases simtrips simlanes simbooks simqueue sim */
#define _POSIX_C_SOURCE 200809L
/*
 * simulate: the forwarder's core under everything that can befall it (C2 to
 * C6, C11, C13 to C15).  A seed draws settings, rows, a receiver and a
 * history; after each step the queue is held against the books.
 *   simulate             4,000 seeds (MONSPOOL_TORTURE=1: 1,000,000)
 *   simulate SEED        one, with a trace
 *   simulate SEED COUNT  so many from that one on
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/log.h"
#include "queue/db.h"

#include "bench/shim.h"
#include "bench/sim.h"

#define FAILURES_TOLD 10
#define TURNS_MOST 60000
#define HEAL_HOURS 8

/* ---- the core ---- */

static const struct credentials *
keys(const struct sim *sim)
{
	return sim->key_is_wrong ? sim->wrong : sim->right;
}

static void
note_limits(struct sim *sim)
{
	const struct config_batch *batch = &sim->config.batch;
	int64_t bytes = config_batch_bytes(&sim->config);

	if (sim->most_rows < batch->max_rows)
		sim->most_rows = (int)batch->max_rows;
	if (sim->most_flights < batch->in_flight)
		sim->most_flights = (int)batch->in_flight;
	if (sim->most_bytes < bytes)
		sim->most_bytes = bytes;
}

static void
start_core(struct sim *sim)
{
	struct fault fault = { 0 };

	if (sim->wished)
		simqueue_let_go(
		    sim); /* what is wished for is written at once */
	sim->in_force[sim->in_use] = sim->config;
	note_limits(sim);
	simbounds_start(sim);
	sim->core = core_new(&sim->world, sim->spool.db,
	    &sim->in_force[sim->in_use], keys(sim), sim->mode, &fault);
	if (sim->core == NULL)
		bench_die("seed %llu: cannot start: %s",
		    (unsigned long long)sim->seed, fault.message);
}

static void
end_core(struct sim *sim)
{
	simbooks_check(sim);
	core_free(sim->core);
	sim->core = NULL;
	sim->began_anew = true;
	simbooks_crashed(sim);
}

static void
reopen(struct sim *sim)
{
	sim_say(sim, "the queue is opened anew");
	sim->commit_unknown = true;
	spool_close(&sim->spool);
	simqueue_open(sim);
	core_use_db(sim->core, sim->spool.db);
}

static int
fail_call(void *cookie, struct shim_event *event)
{
	struct sim *sim = cookie;

	if (sim->io_left == 0 || (int)event->call != sim->io_call)
		return SQLITE_OK;
	sim->io_left--;
	sim->io_failed = true;
	return sim->io_code;
}

/* Whether the connection is good for nothing more; the program finds that by
 * its poll, if not by the core. */
static bool
is_lost(struct sim *sim)
{
	return core_broken(sim->core) ||
	    (sim->io_failed && db_data_version(sim->spool.db) < 0);
}

static void
turn(struct sim *sim)
{
	if (sim->io_left > 0)
		shim_hook(fail_call, NULL, sim);
	core_turn(sim->core);
	shim_hook(NULL, NULL, NULL);
	if (is_lost(sim))
		reopen(sim);
	simlanes_turned(sim);
	if (sim->turns > TURNS_MOST)
		sim_complain(sim, "%d turns, and no end", TURNS_MOST);
	if (sim_odds(sim, 5))
		simbooks_check(sim);
}

static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	if (a_ms < 0)
		return b_ms;
	return b_ms >= 0 && b_ms < a_ms ? b_ms : a_ms;
}

static int64_t
next_ms(const struct sim *sim)
{
	return sooner(sooner(core_next_ms(sim->core), simair_next_ms(sim)),
	    sim->foreign_until_ms);
}

/* What is due now. */
static void
happen(struct sim *sim)
{
	int64_t air_ms;

	if (sim->foreign_until_ms >= 0 &&
	    sim->foreign_until_ms <= sim->steady_ms)
		simqueue_let_go(sim);
	while (
	    (air_ms = simair_next_ms(sim)) >= 0 && air_ms <= sim->steady_ms) {
		simair_answer(sim);
		if (sim_odds(sim, 50))
			return;
	}
}

typedef bool goal(struct sim *sim);

/* Until ${ms} have passed, or ${reached} says so. */
static void
run_for(struct sim *sim, int64_t ms, goal *reached)
{
	int64_t until_ms = sim->steady_ms + ms, at_ms;

	while (!sim->failed) {
		turn(sim);
		if (reached != NULL && reached(sim))
			return;
		at_ms = next_ms(sim);
		if (at_ms < 0 || at_ms > until_ms)
			break;
		simair_pass(sim, at_ms);
		happen(sim);
	}
	simair_pass(sim, until_ms);
}

/* ---- what befalls it ---- */

static void
befall_put(struct sim *sim)
{
	simqueue_put(sim, 1 + sim_below(sim, sim_odds(sim, 90) ? 12 : 100));
}

static void
befall_mood(struct sim *sim)
{
	simplan_mood(sim);
	if (sim_odds(sim, 70))
		simqueue_put(sim, 1 + sim_below(sim, 8));
}

static void
befall_clock(struct sim *sim)
{
	static const int64_t YEARS_MS = 3652 * 24 * SIM_HOUR_MS;
	const int64_t times[] = { sim->wall_ms + YEARS_MS,
		sim->wall_ms - YEARS_MS, 1000, 2147483647000, 4102444800000,
		sim->wall_ms + SIM_HOUR_MS, sim->wall_ms - SIM_HOUR_MS,
		SIM_START_MS + sim->steady_ms };
	int64_t to_ms = times[sim_below(sim, 8)];

	simair_set_wall(sim, to_ms > 1000 ? to_ms : 1000);
}

static void
befall_crash(struct sim *sim)
{
	sim_say(sim, "crash");
	end_core(sim);
	if (sim_odds(sim, 20)) {
		spool_close(&sim->spool);
		simqueue_open(sim);
	}
	start_core(sim);
}

static bool
is_quiet(struct sim *sim)
{
	return core_quiet(sim->core);
}

static void
befall_stop(struct sim *sim)
{
	bool locked = sim->foreign_until_ms >= 0;

	sim_say(sim, "stop");
	sim->io_left = 0;
	core_stop(sim->core);
	run_for(sim, SIM_MINUTE_MS, is_quiet);
	if (!locked && !sim->failed && !is_quiet(sim))
		sim_complain(sim, "it does not stop");
	end_core(sim);
	start_core(sim);
}

static void
reload_with(struct sim *sim, const struct config *config)
{
	struct fault fault = { 0 };

	sim->in_use = 1 - sim->in_use;
	sim->in_force[sim->in_use] = sim->config = *config;
	note_limits(sim);
	simbounds_start(sim);
	sim_say(sim, "reload, %s keys, %zu accounts",
	    sim->key_is_wrong ? "wrong" : "right", config->account_count);
	if (core_reload(
		sim->core, &sim->in_force[sim->in_use], keys(sim), &fault))
		bench_die("cannot reload: %s", fault.message);
	sim->released = true;
}

static void
befall_reload(struct sim *sim)
{
	struct config *config = malloc(sizeof(*config));

	if (config == NULL)
		bench_die("out of memory");
	simplan_draw_reload(sim, config);
	if (sim_odds(sim, 30))
		sim->key_is_wrong = !sim->key_is_wrong;
	reload_with(sim, config);
	free(config);
}

static void
befall_lock(struct sim *sim)
{
	if (sim->foreign_until_ms >= 0)
		return;
	simqueue_ask(sim, "BEGIN IMMEDIATE");
	sim->foreign_until_ms = sim->steady_ms + 1 + sim_below(sim, 60000);
	sim_say(sim, "another program holds the lock");
}

static void
befall_io(struct sim *sim)
{
	static const struct {
		enum shim_call call;
		int code, most;
	} FAILS[] = {
		{ SHIM_WRITE, SQLITE_FULL, 20 },
		{ SHIM_WRITE, SQLITE_IOERR_WRITE, 3 },
		{ SHIM_SYNC, SQLITE_IOERR_FSYNC, 2 },
		{ SHIM_READ, SQLITE_IOERR_READ, 2 },
	};
	int which = sim_below(sim, 4);

	sim->io_call = (int)FAILS[which].call;
	sim->io_code = FAILS[which].code;
	sim->io_left = 1 + sim_below(sim, FAILS[which].most);
	sim_say(sim, "%s fails %d times", shim_call_name(FAILS[which].call),
	    sim->io_left);
}

static void
befall_wish(struct sim *sim)
{
	if (sim->foreign_until_ms < 0)
		simasks_wish(sim);
}

static void
befall_replay(struct sim *sim)
{
	if (sim->foreign_until_ms < 0)
		simasks_replay(sim);
}

static void
befall_something(struct sim *sim)
{
	static const struct {
		int odds; /* in a hundred */
		void (*befall)(struct sim *);
	} EVENTS[] = {
		{ 28, befall_put },
		{ 4, befall_wish },
		{ 4, befall_replay },
		{ 28, befall_mood },
		{ 7, befall_clock },
		{ 8, befall_crash },
		{ 5, befall_stop },
		{ 6, befall_reload },
		{ 5, befall_lock },
		{ 5, befall_io },
	};
	int left = sim_below(sim, 100), i = 0;

	while (left >= EVENTS[i].odds)
		left -= EVENTS[i++].odds;
	if (sim->quiet)
		i = 0;
	EVENTS[i].befall(sim);
}

/* From a millisecond to half an hour, short ones as likely as long ones. */
static int64_t
some_time(struct sim *sim)
{
	int64_t ms = (int64_t)1 << sim_below(sim, 21);

	return ms + sim_below(sim, (int)ms);
}

static void
live(struct sim *sim)
{
	int events = 1 + sim_below(sim, 12);

	while (events-- > 0 && !sim->failed) {
		run_for(sim, some_time(sim), NULL);
		if (!sim->failed)
			befall_something(sim);
	}
}

/* ---- the end ---- */

/* The receiver, the keys, the disk and the clock are well again. */
static void
heal(struct sim *sim)
{
	struct config *config = malloc(sizeof(*config));

	if (config == NULL)
		bench_die("out of memory");
	sim_say(sim, "all is well");
	simqueue_let_go(sim);
	sim->io_left = 0;
	simreceiver_heal(sim);
	if (sim->receiver.strict_clock)
		simair_set_wall(sim, SIM_START_MS + sim->steady_ms);
	if (sim->key_is_wrong ||
	    sim->config.account_count < (size_t)sim->account_count) {
		*config = sim->config;
		config->account_count = (size_t)sim->account_count;
		sim->key_is_wrong = false;
		reload_with(sim, config);
	}
	free(config);
	simasks_release(sim);
}

static bool
has_come_to_something(struct sim *sim)
{
	return core_progress(sim->core) != CORE_WORKING;
}

/* A run that ends by itself, as with --drain or --once. */
static void
run_out(struct sim *sim, enum core_mode mode)
{
	sim_say(sim, mode == CORE_DRAIN ? "drain" : "once");
	end_core(sim);
	sim->mode = mode;
	start_core(sim);
	run_for(sim, HEAL_HOURS * SIM_HOUR_MS, has_come_to_something);
	if (!sim->failed && !has_come_to_something(sim))
		sim_complain(sim, "a run that ends by itself does not");
	if (!sim->failed && core_progress(sim->core) == CORE_EMPTY &&
	    !simbooks_is_empty(sim))
		sim_complain(sim, "said to be empty, and is not");
}

/* Whether the receiver may say for ever that it is too fast. */
static bool
may_be_throttled(const struct sim *sim)
{
	enum sim_mood mood = sim->receiver.mood;

	return mood == SIM_BUSY || mood == SIM_CROWDED || mood == SIM_OUT;
}

static void
one_seed(struct sim *sim, uint64_t seed)
{
	int i;

	sim->seed = seed;
	sim->failed = false;
	sim->row_count = sim->most_rows = sim->most_flights = 0;
	sim->most_bytes = sim->requests = sim->turns = 0;
	sim->wall_ms = SIM_START_MS + 5000;
	sim->steady_ms = sim->began_ms = 5000;
	sim->foreign_until_ms = -1;
	sim->io_left = sim->turns_here = 0;
	sim->key_is_wrong = sim->commit_unknown = sim->released = false;
	sim->wished = sim->io_failed = false;
	sim->held_id = 0;
	sim->began_anew = false;
	for (i = 0; i < SIM_LANES; i++)
		sim->taken_ms[i] = INT64_MIN / 2;
	memset(sim->cases, 0, sizeof(sim->cases));
	simqueue_empty(sim);
	simplan_draw(sim);
	if (!sim->quiet && sim_odds(sim, 50))
		simplan_mood(sim);
	simqueue_put(sim, 1 + sim_below(sim, sim_odds(sim, 90) ? 20 : 200));
	start_core(sim);
	live(sim);
	if (!sim->failed && sim_odds(sim, 10) && !may_be_throttled(sim))
		run_out(sim, CORE_ONCE);
	if (!sim->failed)
		heal(sim);
	if (!sim->failed && sim_odds(sim, 20))
		run_out(sim, sim_odds(sim, 70) ? CORE_DRAIN : CORE_ONCE);
	for (i = 0; i < HEAL_HOURS && !sim->failed; i++) {
		run_for(sim, SIM_HOUR_MS, simbooks_is_over);
		if (simbooks_is_over(sim) || simbooks_is_stuck(sim))
			break;
	}
	if (!sim->failed)
		simbooks_end(sim);
	simqueue_let_go(sim);
	core_free(sim->core);
	sim->core = NULL;
	sim->all_rows += sim->row_count;
	sim->all_requests += sim->requests;
	sim->all_turns += sim->turns;
}

int
main(int argc, char **argv)
{
	static struct sim sim;
	uint64_t first = bench_start(argc, argv);
	int64_t count = bench_count(4000, 1000000), i;
	int failures = 0;

	if (argc > 1)
		count = argc > 2 ? strtoll(argv[2], NULL, 10) : 1;
	sim.trace = argc == 2;
	log_to(sim.trace ? 1 : -1, LOG_PLAIN, LOG_INFO);
	simqueue_set_up(&sim);
	for (i = 0; i < count && failures < FAILURES_TOLD; i++) {
		one_seed(&sim, first + (uint64_t)i);
		if (!sim.failed)
			continue;
		failures++;
		printf("seed %llu: %s\n", (unsigned long long)sim.seed,
		    sim.complaint);
		fflush(stdout);
	}
	printf("simulate: %lld seeds from %llu, %lld rows, %lld requests, "
	       "%lld faults, %lld deaths, %lld turns: %d failed; %.1f s\n",
	    (long long)i, (unsigned long long)first, (long long)sim.all_rows,
	    (long long)sim.all_requests, (long long)sim.all_faults,
	    (long long)sim.all_dead, (long long)sim.all_turns, failures,
	    bench_cpu());
	simqueue_tear_down(&sim);
	return failures > 0;
}
