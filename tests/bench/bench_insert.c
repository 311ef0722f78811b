/* links: base */
/*
 * bench_insert QUEUE ROWS SERIES: the baseline of a bulk put.  A prepared
 * one-row INSERT into the metric table of an empty queue, 8000 a transaction.
 * Prints the seconds.
 */
#include <stdint.h>
#include <string.h>

#include "bench.h"

static const char INSERT[] =
    "INSERT INTO metric (lane_id, id, series_id, value, accepted_at)"
    " VALUES (1, ?1, ?2, ?3, 1700000000000)";

static void
insert(sqlite3_stmt *stmt, int64_t id, int64_t series)
{
	char value[32];

	snprintf(value, sizeof(value), "%lld.5", (long long)(id % 100000));
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, id % series + 1);
	sqlite3_bind_text(stmt, 3, value, -1, SQLITE_TRANSIENT);
	bench_step(stmt);
}

int
main(int argc, char *argv[])
{
	sqlite3_stmt *stmt;
	int64_t rows, series;
	double begun;
	sqlite3 *db;

	bench_need(argc == 4, "usage");
	rows = atoll(argv[2]);
	series = atoll(argv[3]);
	db = bench_open(argv[1], 5000);
	begun = bench_ms();
	stmt = bench_prepare(db, INSERT);
	for (int64_t id = 1; id <= rows; id++) {
		if (id % 8000 == 1)
			bench_run(db, "BEGIN IMMEDIATE");
		insert(stmt, id, series);
		if (id % 8000 == 0 || id == rows)
			bench_run(db, "COMMIT");
	}
	printf("%.4f\n", (bench_ms() - begun) / 1e3);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return 0;
}
