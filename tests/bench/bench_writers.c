/* links: queue base */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
/*
 * bench_writers gate|plain QUEUE WRITERS ROWS: processes that each commit
 * ROWS rows, one a transaction: through our writer, or as an SQLite program
 * that relies on busy_timeout.  Prints the milliseconds of every commit, then
 * "writer" and the seconds of each process.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "put.h"

enum {
	PATIENCE_MS = 60000
};

/* Shared with the children. */
struct tally {
	int go;
	double took[];
};

/* Between commits a writer does something else; without it the one that has
 * the lock makes all its commits before any other wakes. */
static void
think(void)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	nanosleep(&pause, NULL);
}

static void
put_gate(const char *path, int rows, double *took)
{
	static struct bench_writer writer;

	bench_writer_open(&writer, path, PATIENCE_MS);
	for (int i = 0; i < rows; i++) {
		double begun = bench_ms();

		bench_put(&writer, "cpu", 1.5);
		took[i] = bench_ms() - begun;
		think();
	}
}

static void
put_plain(const char *path, int rows, double *took)
{
	sqlite3 *db = bench_open(path, PATIENCE_MS);
	sqlite3_stmt *begin = bench_prepare(db, "BEGIN IMMEDIATE");
	sqlite3_stmt *commit = bench_prepare(db, "COMMIT");
	sqlite3_stmt *count = bench_prepare(db,
	    "UPDATE ledger SET last_id = last_id + 1, accepted = accepted + 1,"
	    " pending = pending + 1");
	sqlite3_stmt *insert = bench_prepare(db,
	    "INSERT INTO metric (lane_id, id, series_id, value, accepted_at)"
	    " SELECT 1, last_id, 1, '1.5', 1700000000000 FROM ledger");

	for (int i = 0; i < rows; i++) {
		double begun = bench_ms();

		bench_step(begin);
		bench_step(count);
		bench_step(insert);
		bench_step(commit);
		took[i] = bench_ms() - begun;
		think();
	}
}

static void
child(const char *how, const char *path, int rows, struct tally *tally,
    double *took)
{
	struct timespec pause = { .tv_nsec = 100000 };

	while (!__atomic_load_n(&tally->go, __ATOMIC_ACQUIRE))
		nanosleep(&pause, NULL);
	(strcmp(how, "gate") == 0 ? put_gate : put_plain)(path, rows, took);
	_exit(0);
}

static void
print(const struct tally *tally, int writers, int rows)
{
	for (int i = 0; i < writers; i++) {
		double sum = 0;

		for (int j = 0; j < rows; j++) {
			printf("%.4f\n", tally->took[i * rows + j]);
			sum += tally->took[i * rows + j];
		}
		printf("writer %.4f\n", sum / 1e3);
	}
}

int
main(int argc, char *argv[])
{
	int writers, rows, status;
	struct tally *tally;
	size_t size;

	bench_need(argc == 5, "usage");
	writers = atoi(argv[3]);
	rows = atoi(argv[4]);
	size = sizeof(*tally) + sizeof(double) * (size_t)(writers * rows);
	tally = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bench_need(tally != MAP_FAILED, "mmap");
	for (int i = 0; i < writers; i++)
		if (fork() == 0)
			child(argv[1], argv[2], rows, tally,
			    &tally->took[i * rows]);
	__atomic_store_n(&tally->go, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < writers; i++)
		bench_need(wait(&status) > 0 && status == 0, "a writer");
	print(tally, writers, rows);
	return 0;
}
