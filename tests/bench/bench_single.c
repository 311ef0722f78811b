/* links: capi */
/*
 * bench_single QUEUE OTHER PUTS: durable puts of one metric through the C API
 * into QUEUE, each beside a bare BEGIN IMMEDIATE, INSERT, COMMIT in OTHER.
 * Prints the milliseconds of both, a pair a line.
 */
#include <stdint.h>

#include "monspool.h"

#include "bench.h"

static msp_queue *queue;
static sqlite3_stmt *begin, *insert, *commit;

static double
ours(int64_t id)
{
	static const msp_dim DIM = { "ip", "10.0.0.1" };
	double begun = bench_ms();
	msp_metric metric = MSP_METRIC_INIT;
	msp_error error;

	metric.ns = "cvm";
	metric.metric = "cpu";
	metric.dims = &DIM;
	metric.ndims = 1;
	metric.value = (double)(id % 100000) + 0.5;
	bench_need(
	    msp_put(queue, &metric, NULL, &error) == MSP_OK, error.message);
	return bench_ms() - begun;
}

static double
bare(int64_t id)
{
	double begun = bench_ms();
	char value[32];

	snprintf(value, sizeof(value), "%lld.5", (long long)(id % 100000));
	bench_step(begin);
	sqlite3_bind_int64(insert, 1, id);
	sqlite3_bind_text(insert, 2, value, -1, SQLITE_TRANSIENT);
	bench_step(insert);
	bench_step(commit);
	return bench_ms() - begun;
}

int
main(int argc, char *argv[])
{
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;
	msp_error error;
	double first;
	sqlite3 *db;

	bench_need(argc == 4, "usage");
	opts.path = argv[1];
	bench_need(msp_open(&opts, &queue, &error) == MSP_OK, error.message);
	db = bench_open(argv[2], 5000);
	begin = bench_prepare(db, "BEGIN IMMEDIATE");
	insert = bench_prepare(db,
	    "INSERT INTO metric (lane_id, id, series_id, value, accepted_at)"
	    " VALUES (1, ?1, 1, ?2, 1700000000000)");
	commit = bench_prepare(db, "COMMIT");
	ours(0); /* its statements are prepared */
	for (int64_t id = 1; id <= atoll(argv[3]); id++) {
		first = ours(id);
		printf("%.4f %.4f\n", first, bare(id));
	}
	msp_close(queue);
	sqlite3_finalize(begin);
	sqlite3_finalize(insert);
	sqlite3_finalize(commit);
	sqlite3_close(db);
	return 0;
}
