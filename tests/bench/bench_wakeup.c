/* links: queue base */
/*
 * bench_wakeup QUEUE ROUNDS PORT_FILE: from a commit to the connection that a
 * forwarder makes because of it.  It is writer and receiver in one; the
 * forwarder is started by the caller once the port is known.  Prints a line a
 * round, in milliseconds.
 */
#include <stdint.h>

#include "put.h"
#include "sink.h"

static int64_t
pending(sqlite3 *db)
{
	static sqlite3_stmt *stmt;
	int64_t rows;

	if (stmt == NULL)
		stmt = bench_prepare(db, "SELECT pending FROM ledger");
	bench_need(sqlite3_step(stmt) == SQLITE_ROW, "pending");
	rows = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rows;
}

/* The forwarder has settled, and turns its back. */
static void
await_idle(sqlite3 *db)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	do
		nanosleep(&pause, NULL);
	while (pending(db) > 0);
	nanosleep(&pause, NULL);
}

static double
one_round(struct bench_writer *writer, int sink, char *text)
{
	double committed, seen;
	int client;

	bench_put(writer, "cpu", 1.5);
	committed = bench_ms();
	bench_need((client = accept(sink, NULL, NULL)) != -1, "accept");
	seen = bench_ms();
	bench_need(sink_read(client, text) > 0, "a request");
	sink_answer(client);
	return seen - committed;
}

int
main(int argc, char *argv[])
{
	static struct bench_writer writer;
	char *text = malloc(SINK_ROOM);
	sqlite3 *reader;
	int sink;

	bench_need(argc == 4 && text != NULL, "usage");
	bench_writer_open(&writer, argv[1], 5000);
	reader = bench_open(argv[1], 5000);
	sink = sink_listen(argv[3]);
	one_round(&writer, sink, text); /* waits for the forwarder's start */
	for (long rounds = atol(argv[2]); rounds > 0; rounds--) {
		await_idle(reader);
		printf("%.4f\n", one_round(&writer, sink, text));
	}
	await_idle(reader);
	free(text);
	return 0;
}
