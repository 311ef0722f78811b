/* links: base queue; bench: spool model modelview modelrun modelputs modelends modeldead */
/*
 * ledger_model [SEED]: nothing is silently gone (contract.md C2, 1.1).  What
 * writers, the forwarder and operators may do is done, drawn by chance, to a
 * queue and to a model of it in memory; after each operation ledger, laws,
 * lanes and all rows in their order are compared, and the audit must pass.
 * The control: a model that does one thing wrong, for each such thing, must
 * be found out.
 */
#include <stdio.h>
#include <string.h>

#include "queue/db.h"
#include "queue/queue.h"

#include "bench/modelrun.h"

#define SEEDS 8
#define CONTROL_MOST 4000 /* operations until it is found out */
#define DEEP_EVERY 200
#define REOPEN_ODDS 1 /* percent */

static const struct model_do *const FAMILIES[] = { MODEL_PUTS, MODEL_ENDS,
	MODEL_DEAD };
#define FAMILY_COUNT ((int)(sizeof(FAMILIES) / sizeof(FAMILIES[0])))

static void
open_queue(struct model_run *run)
{
	struct fault fault = { 0 };
	struct config config;

	if (spool_open(&run->spool, &fault))
		bench_die("cannot open the queue: %s", fault.message);
	run->forwarder = queue_open(
	    run->spool.path, DB_WRITER, 10000, &config, &fault);
	if (run->forwarder == NULL)
		bench_die("cannot open the queue: %s", fault.message);
}

static void
close_queue(struct model_run *run)
{
	db_close(run->forwarder);
	spool_close(&run->spool);
}

static void
set_up(struct model_run *run, uint64_t seed, enum model_wrong wrong)
{
	memset(run, 0, sizeof(*run));
	spool_make(&run->spool);
	open_queue(run);
	run->chance = seed;
	run->model.wrong = wrong;
	run->model.now_ms = 1800000000000;
	run->model.key_memory_ms = run->spool.config.queue.key_memory_ms;
	run->model.replay.number = -1;
}

static void
tear_down(struct model_run *run)
{
	close_queue(run);
	spool_tear_down(&run->spool);
}

static const struct model_do *
draw(struct model_run *run)
{
	const struct model_do *one;
	int total = 0, left, i;

	for (i = 0; i < FAMILY_COUNT; i++)
		for (one = FAMILIES[i]; one->name != NULL; one++)
			total += one->odds;
	left = model_below(run, total);
	for (i = 0;; i++)
		for (one = FAMILIES[i]; one->name != NULL; one++)
			if ((left -= one->odds) < 0)
				return one;
}

/* From a millisecond to a day. */
static void
pass_time(struct model_run *run)
{
	run->model.now_ms += 1 + model_below(run, 1 << model_below(run, 27));
}

/* One operation.  What it was; ${run}->why says what is wrong. */
static const char *
step(struct model_run *run, bool deep)
{
	const struct model_do *one = draw(run);

	pass_time(run);
	run->before = run->model;
	one->run(run);
	if (model_odds(run, REOPEN_ODDS)) {
		close_queue(run);
		open_queue(run);
	}
	if (run->why[0] == '\0')
		model_agrees(&run->model, &run->spool, deep, run->why);
	return one->name;
}

/* Return the operations done until something was found wrong, or ${most}. */
static int64_t
play(struct model_run *run, int64_t most)
{
	const char *name = "";
	int64_t i;

	for (i = 0; i < most && run->why[0] == '\0'; i++)
		name = step(run, i % DEEP_EVERY == 0);
	if (run->why[0] != '\0' && run->model.wrong == MODEL_RIGHT)
		printf("ledger_model: operation %lld, %s: %s\n", (long long)i,
		    name, run->why);
	return i;
}

/* How many wrong models are found out. */
static int
play_controls(uint64_t seed)
{
	static struct model_run run;
	int wrong, found = 0;

	for (wrong = MODEL_RIGHT + 1; wrong < MODEL_WRONGS; wrong++) {
		set_up(&run, seed, (enum model_wrong)wrong);
		play(&run, CONTROL_MOST);
		if (run.why[0] != '\0')
			found++;
		else
			printf(
			    "ledger_model: the wrong model %d agrees\n", wrong);
		tear_down(&run);
	}
	return found;
}

/* What the rows of all seeds came to. */
static void
add_up(struct ledger_row *sum, const struct ledger_row *ledger)
{
	sum->accepted += ledger->accepted;
	sum->delivered += ledger->delivered;
	sum->expired += ledger->expired;
	sum->dropped += ledger->dropped;
	sum->purged += ledger->purged;
	sum->replayed += ledger->replayed;
	sum->missing += ledger->missing;
	sum->duplicates += ledger->duplicates;
}

int
main(int argc, char **argv)
{
	static struct model_run run;
	uint64_t seed = bench_start(argc, argv);
	int64_t each = bench_count(2500, 1000000), operations = 0;
	struct ledger_row sum = { 0 };
	int i, failed = 0, found;

	for (i = 0; i < SEEDS; i++) {
		set_up(&run, seed + (uint64_t)i, MODEL_RIGHT);
		operations += play(&run, each);
		add_up(&sum, &run.model.ledger);
		if (run.why[0] != '\0') {
			failed++;
			printf("seed %llu\n",
			    (unsigned long long)seed + (unsigned)i);
		}
		tear_down(&run);
	}
	found = play_controls(seed);
	printf("ledger_model: C2, %d seeds from %llu, %lld operations, each "
	       "compared: %d differ; %lld rows, %lld duplicates, %lld "
	       "delivered, %lld expired, %lld dropped, %lld purged, %lld "
	       "replayed, %lld ids lost; control: %d of %d wrong models found "
	       "out; %.1f s\n",
	    SEEDS, (unsigned long long)seed, (long long)operations, failed,
	    (long long)sum.accepted, (long long)sum.duplicates,
	    (long long)sum.delivered, (long long)sum.expired,
	    (long long)sum.dropped, (long long)sum.purged,
	    (long long)sum.replayed, (long long)sum.missing, found,
	    MODEL_WRONGS - 1, bench_cpu());
	return failed > 0 || found < MODEL_WRONGS - 1;
}
