/* links: base queue; alone */
/*
 * fair_writers [PROCESSES [COMMITS]]: many writers at once (contract.md H5),
 * each making its commits one after another, first behind the gate, then with
 * SQLite's busy_timeout alone.  Every commit must be there; behind the gate
 * the 99th percentile of a commit's time must be at most a quarter of that of
 * the plain run, and the slowest writer at least an eighth as fast as the
 * fastest.  (40 commits each: with more, the few plain writers that never
 * wait make so many that the starved fall out of the 99th percentile.)
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fault.h"
#include "queue/db.h"
#include "queue/queue.h"

#define BUSY_MS 60000

static const char COUNT_ONE[] = "UPDATE ledger SET duplicates = duplicates + 1";

struct run {
	bool gate;
	int processes, commits;
	int64_t *took;   /* of every commit, in microseconds */
	int64_t *totals; /* of every process */
	int64_t counted; /* commits found in the queue */
	double cpu;
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
write_once(struct db *db, bool gate)
{
	struct sqlite3 *handle = db_handle(db);

	if (gate)
		return db_begin(db) || db_run(db, COUNT_ONE) || db_commit(db);
	return sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) ||
	    sqlite3_exec(handle, COUNT_ONE, NULL, NULL, NULL) ||
	    sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
}

static int
write_all(const struct run *run, const struct place *place, int64_t *took)
{
	struct fault fault = { 0 };
	struct db *db = db_open(place, DB_WRITER, BUSY_MS, &fault);
	int i;

	if (db == NULL)
		return 1;
	for (i = 0; i < run->commits; i++) {
		int64_t since = now_us();

		if (write_once(db, run->gate))
			return 1;
		took[i] = now_us() - since;
	}
	db_close(db);
	return 0;
}

static void *
shared(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		exit(1);
	return at;
}

static double
cpu_of_children(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int
start_and_wait(struct run *run, const struct place *place)
{
	int i, status, failed = 0;
	double cpu = cpu_of_children();

	for (i = 0; i < run->processes; i++)
		if (fork() == 0) {
			int64_t since = now_us();

			failed = write_all(
			    run, place, run->took + (int64_t)i * run->commits);
			run->totals[i] = now_us() - since;
			_exit(failed);
		}
	for (i = 0; i < run->processes; i++) {
		wait(&status);
		failed |= status;
	}
	run->cpu = cpu_of_children() - cpu;
	return failed;
}

static int64_t
count(const struct place *place)
{
	static const char COUNTED[] = "SELECT duplicates FROM ledger";
	struct db *db = db_open(place, DB_READER, BUSY_MS, NULL);
	struct sqlite3_stmt *stmt;
	int64_t counted = -1;

	if (db != NULL && (stmt = db_prepare(db, COUNTED)) != NULL &&
	    db_step(db, stmt) == DB_ROW)
		counted = db_column_int(stmt, 0);
	db_close(db);
	return counted;
}

static int
by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
go(struct run *run)
{
	/* On the build's file system: /tmp may be memory, which syncs nothing. */
	char dir[] = BUILD_DIR "/monspool.XXXXXX";
	char path[sizeof(dir) + 16], command[sizeof(dir) + 16];
	struct queue_init init = { .path = path, .any_filesystem = true };
	size_t all = (size_t)run->processes * (size_t)run->commits;
	struct place place;

	run->took = shared(all * sizeof(*run->took));
	run->totals = shared((size_t)run->processes * sizeof(*run->totals));
	if (mkdtemp(dir) == NULL)
		exit(1);
	snprintf(path, sizeof(path), "%s/queue.db", dir);
	if (queue_init(&init, NULL, NULL) || place_of(&place, path, NULL))
		exit(1);
	if (start_and_wait(run, &place) == 0)
		run->counted = count(&place);
	qsort(run->took, all, sizeof(*run->took), by_size);
	qsort(
	    run->totals, (size_t)run->processes, sizeof(*run->totals), by_size);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		exit(1);
}

static double
percentile(const struct run *run, int percent)
{
	int64_t all = (int64_t)run->processes * run->commits;
	int64_t at = all * percent / 100;

	return (double)run->took[at < all ? at : all - 1] / 1e3;
}

static void
tell(const struct run *run, const char *name)
{
	printf(" %s: %lld commits, p50 %.1f ms, p99 %.1f ms, worst %.1f ms, "
	       "writers %.2f..%.2f s, cpu %.2f s;",
	    name, (long long)run->counted, percentile(run, 50),
	    percentile(run, 99), percentile(run, 100),
	    (double)run->totals[0] / 1e6,
	    (double)run->totals[run->processes - 1] / 1e6, run->cpu);
}

/* Whether the commits are all there, and the waits as they must be. */
static bool
compare(struct run *gate, struct run *plain)
{
	int64_t all = (int64_t)gate->processes * gate->commits;
	bool fair;

	go(gate);
	go(plain);
	printf("fair_writers: H5, %d writers:", gate->processes);
	tell(gate, "gate");
	tell(plain, "plain");
	if (gate->counted != all || plain->counted != all) {
		printf(" COMMITS ARE MISSING\n");
		exit(1);
	}
	fair = percentile(gate, 99) * 4 <= percentile(plain, 99) &&
	    gate->totals[0] * 8 >= gate->totals[gate->processes - 1];
	printf("%s\n", fair ? "" : " NOT AS IT MUST BE");
	return fair;
}

/* Times are disturbed by whatever else runs: the best of three rounds. */
int
main(int argc, char **argv)
{
	struct run gate = { .gate = true }, plain = { .gate = false };
	int round;

	gate.processes = plain.processes = argc > 1 ? atoi(argv[1]) : 64;
	gate.commits = plain.commits = argc > 2 ? atoi(argv[2]) : 40;
	for (round = 0; round < 3; round++)
		if (compare(&gate, &plain))
			return 0;
	return 1;
}
