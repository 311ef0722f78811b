/* links: queue; bench: spool program */
/*
 * kill_rounds [SEED [ROUNDS]]: SIGKILL at any moment (contract.md C2, C3).
 * In each round writers, which are forks of this process or `monspool put`,
 * put rows while monspoold delivers what is there to monspool-receiver, which
 * now and then cuts, garbles or resets.  After a random time some of them are
 * killed, and the queue is audited.  What was acknowledged is noted in shared
 * memory, which outlives a kill.  In the end all is drained, and counted
 * against what the receiver wrote down: nothing acknowledged may be missing,
 * nothing may come from nowhere, and rows may have come twice only where an
 * outcome was unknown, a batch each time.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, prctl() */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "queue/db.h"
#include "queue/lock.h"

#include "bench/program.h"
#include "bench/spool.h"

#define WRITERS 4      /* the last is a program of its own in each round */
#define ROWS_MOST 9    /* of a put */
#define PUTS_MOST 12   /* of a writer in a round */
#define VALUES 1000000 /* of a writer, in all rounds */
#define BATCH 20
#define LANES 2
#define LATEST_US 9000

/* In shared memory. */
struct tally {
	int64_t started[WRITERS]; /* values below it may be in the queue */
	unsigned char acknowledged[WRITERS][VALUES];
};

struct bench {
	uint64_t seed, chance;
	struct spool spool;
	struct tally *tally;
	char conf[BENCH_DIR + 16], record[BENCH_DIR + 16];
	pid_t receiver, forwarder, writers[WRITERS];
	int64_t rounds, writer_kills, forwarder_kills, starts;
	unsigned char *seen[WRITERS]; /* times a value reached the receiver */
	int64_t rows, lost, twice, strange;
};

static struct bench bench;

static void
fail(const char *what, const char *why)
{
	bench_die("kill_rounds: round %" PRId64 ": %s: %s, seed %" PRIu64,
	    bench.rounds, what, why, bench.seed);
}

/* ---- the stage ---- */

static void
write_conf(int port)
{
	char key[BENCH_DIR + 16];
	FILE *file;

	snprintf(key, sizeof(key), "%s/key", bench.spool.dir);
	if ((file = fopen(key, "w")) == NULL || chmod(key, 0600))
		bench_die("cannot write %s", key);
	fputs("tsPHxrAB8fhffaGNmHZDjNSsBm3Ewdm\n", file);
	fclose(file);
	snprintf(bench.conf, sizeof(bench.conf), "%s/conf", bench.spool.dir);
	if ((file = fopen(bench.conf, "w")) == NULL)
		bench_die("cannot write %s", bench.conf);
	fprintf(file,
	    "[queue]\npath = %s\nreserve = 0\n"
	    "[receiver]\nurl = http://127.0.0.1:%d/v2/index.php\n"
	    "[account]\nsecret_id = AKID\nregion = gz\nsecret_key_file = %s\n"
	    "[rate]\nrequests_per_second = 0\n"
	    "[retry]\nbase = 1ms\nmax = 10ms\n"
	    "[batch]\nmax_rows = %d\nlinger = 0\n",
	    bench.spool.path, port, key, BATCH);
	fclose(file);
}

static void
start_receiver(void)
{
	char record[] = "--record", fault[] = "--fault", seed[] = "--seed";
	char close[] = "close-before-reply,p=0.02", reset[] = "reset,p=0.02";
	char garbage[] = "garbage,p=0.02", delay[] = "delay=0s..3ms,p=0.5";
	char number[24];
	char *const args[] = { record, bench.record, seed, number, fault, close,
		fault, reset, fault, garbage, fault, delay, NULL };
	int port;

	snprintf(
	    bench.record, sizeof(bench.record), "%s/record", bench.spool.dir);
	snprintf(number, sizeof(number), "%" PRIu64, bench.seed);
	bench.receiver = program_receiver(bench.spool.dir, args, &port);
	write_conf(port);
}

static void
start_forwarder(char *mode)
{
	char program[] = BUILD_DIR "/cli/monspoold", option[] = "-C";
	char *const args[] = { program, option, bench.conf, mode, NULL };

	bench.forwarder = program_start(args);
	bench.starts++;
}

/* ---- writers ---- */

static double
value_of(int writer, int64_t number)
{
	return (double)(writer * (int64_t)VALUES + number);
}

static void
write_rows(struct spool *spool, int writer, uint64_t *chance)
{
	struct tally *tally = bench.tally;
	int64_t first = tally->started[writer];
	struct spool_rows rows = { .ns = writer % 2 ? "disk" : "cvm",
		.rows = 1 + bench_below(chance, ROWS_MOST),
		.series = 3,
		.first = (int64_t)value_of(writer, first) };
	struct writer_result result;
	struct fault fault = { 0 };

	tally->started[writer] = first + rows.rows;
	if (spool_put(spool, &rows, &result, &fault))
		bench_die("kill_rounds: a writer: %s", fault.message);
	memset(tally->acknowledged[writer] + first, 1, (size_t)rows.rows);
}

/* A fork: it puts a number of times, as a program that lives on. */
static void
be_writer(int writer)
{
	uint64_t chance = bench.chance + (uint64_t)writer;
	int puts = 1 + bench_below(&chance, PUTS_MOST);
	struct spool spool = bench.spool;
	struct fault fault = { 0 };

	if (spool_open(&spool, &fault))
		bench_die("kill_rounds: a writer: %s", fault.message);
	while (puts-- > 0)
		write_rows(&spool, writer, &chance);
	spool_close(&spool);
}

static pid_t
start_fork(int writer)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	be_writer(writer);
	_exit(0);
}

static pid_t
start_put(int writer)
{
	char program[] = BUILD_DIR "/cli/monspool", command[] = "put";
	char queue[] = "-Q", space[] = "-n", name[] = "disk", metric[] = "-m",
	     used[] = "used", value[32];
	char *const args[] = { program, queue, bench.spool.path, command, space,
		name, metric, used, value, NULL };

	snprintf(value, sizeof(value), "%.0f",
	    value_of(writer, bench.tally->started[writer]++));
	return program_start(args);
}

static void
start_writers(void)
{
	int i;

	for (i = 0; i < WRITERS - 1; i++)
		bench.writers[i] = start_fork(i);
	bench.writers[i] = start_put(i);
}

/* Some are killed; the others come to their end. */
static void
end_writers(void)
{
	int i, status, put = WRITERS - 1;
	bool kill;

	for (i = 0; i < WRITERS; i++) {
		kill = bench_below(&bench.chance, 2) == 0;
		status = (kill ? program_kill : program_end)(bench.writers[i]);
		bench.writer_kills += status == -1;
		if (status > 0)
			fail("a writer failed", i == put ? "put" : "fork");
		if (status == 0 && i == put)
			bench.tally
			    ->acknowledged[i][bench.tally->started[i] - 1] = 1;
	}
}

/* ---- rounds ---- */

static void
audit(bool deep)
{
	struct spool *spool = &bench.spool;
	struct fault fault = { 0 };
	char problem[256];

	if (spool_open(spool, &fault))
		fail("the queue does not open", fault.message);
	if (deep && !spool_sound(spool, problem))
		fail("the audit failed", problem);
	if (!deep && !spool_balanced(spool, problem))
		fail("the audit failed", problem);
	spool_close(spool);
}

static void
wait_us(int us)
{
	struct timespec span = { .tv_nsec = (long)us * 1000 };

	nanosleep(&span, NULL);
}

static void
play_round(void)
{
	if (!program_runs(bench.forwarder))
		fail("the forwarder", "it ended by itself");
	start_writers();
	wait_us(bench_below(&bench.chance, LATEST_US));
	if (bench_below(&bench.chance, 3) == 0) {
		program_kill(bench.forwarder);
		bench.forwarder_kills++;
		start_forwarder(NULL);
	}
	end_writers();
	bench.rounds++;
	audit(bench.rounds % 50 == 0);
}

static bool
is_over(int64_t rounds)
{
	int64_t started = 0;
	int i;

	for (i = 0; i < WRITERS; i++)
		if (bench.tally->started[i] > started)
			started = bench.tally->started[i];
	return bench.rounds >= rounds ||
	    started > VALUES - 2 * PUTS_MOST * ROWS_MOST;
}

/* ---- the count ---- */

static void
note_row(double value)
{
	int64_t number = (int64_t)value % VALUES;
	int writer = (int)((int64_t)value / VALUES);

	bench.rows++;
	if (value < 0 || writer >= WRITERS ||
	    number >= bench.tally->started[writer]) {
		bench.strange++;
		return;
	}
	if (bench.seen[writer][number]++ > 0)
		bench.twice++;
}

static void
read_record(void)
{
	FILE *file = fopen(bench.record, "r");
	char line[4096], *value;

	if (file == NULL)
		fail("the record", "cannot be read");
	while (fgets(line, sizeof(line), file) != NULL)
		if ((value = strstr(line, "\"value\":")) != NULL)
			note_row(strtod(value + strlen("\"value\":"), NULL));
	fclose(file);
}

static void
count_lost(void)
{
	int64_t number;
	int i;

	for (i = 0; i < WRITERS; i++)
		for (number = 0; number < bench.tally->started[i]; number++)
			if (bench.tally->acknowledged[i][number] &&
			    bench.seen[i][number] == 0)
				bench.lost++;
}

/* From then on it hears signals. */
static void
await_forwarder(void)
{
	int waited = 0;

	while (!lock_held(bench.spool.place.lock, NULL)) {
		if (waited++ > 30000 || !program_runs(bench.forwarder))
			fail("the forwarder", "it does not take its lock");
		wait_us(1000);
	}
}

static void
drain(void)
{
	char mode[] = "--drain=60s";

	await_forwarder();
	if (program_stop(bench.forwarder) != 0)
		fail("the forwarder", "it did not stop well");
	start_forwarder(mode);
	if (program_end(bench.forwarder) != 0)
		fail("the forwarder", "it did not drain all");
	program_stop(bench.receiver);
}

static void
read_ledger(struct ledger_row *ledger)
{
	struct fault fault = { 0 };

	if (spool_open(&bench.spool, &fault) ||
	    ledger_read(bench.spool.db, ledger))
		fail("the ledger", fault.message);
	spool_close(&bench.spool);
	if (ledger->delivered != bench.rows - bench.twice ||
	    ledger->accepted != ledger->delivered)
		fail("the ledger", "it does not count what was delivered");
}

static double
cpu_of_all(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return bench_cpu() +
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
set_up(void)
{
	int i;

	spool_make(&bench.spool);
	bench.tally = mmap(NULL, sizeof(*bench.tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bench.tally == MAP_FAILED)
		bench_die("out of memory");
	for (i = 0; i < WRITERS; i++)
		if ((bench.seen[i] = calloc(VALUES, 1)) == NULL)
			bench_die("out of memory");
	start_receiver();
	start_forwarder(NULL);
}

int
main(int argc, char **argv)
{
	struct ledger_row ledger;
	int64_t rounds, bound;
	int i;
	bool good;

	bench.seed = bench.chance = bench_start(argc, argv);
	rounds = argc > 2 ? strtoll(argv[2], NULL, 10)
			  : bench_count(500, 200000);
	set_up();
	while (!is_over(rounds))
		play_round();
	drain();
	audit(true);
	read_record();
	count_lost();
	read_ledger(&ledger);
	/* each was a request under way, in each lane */
	bound = (bench.forwarder_kills * LANES + ledger.ambiguous) * BATCH;
	good = bench.lost == 0 && bench.strange == 0 && bench.twice <= bound;
	printf("kill_rounds: C2 C3, %" PRId64 " rounds, %" PRId64
	       " writers and %" PRId64 " forwarders killed, %" PRId64
	       " rows: %" PRId64 " lost, %" PRId64 " from nowhere, %" PRId64
	       " twice (%" PRId64 " unknown outcomes, bound %" PRId64
	       "); %.0f s CPU, seed %" PRIu64 "\n",
	    bench.rounds, bench.writer_kills, bench.forwarder_kills, bench.rows,
	    bench.lost, bench.strange, bench.twice, ledger.ambiguous, bound,
	    cpu_of_all(), bench.seed);
	for (i = 0; i < WRITERS; i++)
		free(bench.seen[i]);
	spool_tear_down(&bench.spool);
	return good ? 0 : 1;
}
