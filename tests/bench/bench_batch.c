/* links: capi */
/*
 * bench_batch QUEUE ROWS SERIES: a bulk put through the C API, 8000 metrics a
 * call, as bench_insert commits them.  Prints the seconds.
 */
#include <stdint.h>

#include "monspool.h"

#include "bench.h"

#define BATCH 8000

/* What an application has at hand: a host and a metric for each series. */
struct names {
	char ip[24], metric[16];
	msp_dim dim;
};

static struct names *
make_names(int64_t series)
{
	struct names *names = calloc((size_t)series, sizeof(*names));

	bench_need(names != NULL, "memory");
	for (int64_t i = 0; i < series; i++) {
		snprintf(names[i].ip, sizeof(names[i].ip), "10.0.%d.%d",
		    (int)(i / 50 % 256), (int)(i / 12800));
		snprintf(names[i].metric, sizeof(names[i].metric), "cpu%d",
		    (int)(i % 50));
		names[i].dim = (msp_dim){ "ip", names[i].ip };
	}
	return names;
}

static size_t
fill(msp_metric *metrics, const struct names *names, int64_t first,
    int64_t rows, int64_t series)
{
	size_t count = 0;

	for (int64_t id = first; id <= rows && count < BATCH; id++, count++) {
		const struct names *name = &names[id % series];
		msp_metric metric = MSP_METRIC_INIT;

		metric.ns = "cvm";
		metric.metric = name->metric;
		metric.dims = &name->dim;
		metric.ndims = 1;
		metric.value = (double)(id % 100000) + 0.5;
		metrics[count] = metric;
	}
	return count;
}

int
main(int argc, char *argv[])
{
	static msp_metric metrics[BATCH];
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;
	struct names *names;
	int64_t rows, series;
	msp_queue *queue;
	msp_error error;
	double begun;
	size_t count;

	bench_need(argc == 4, "usage");
	opts.path = argv[1];
	rows = atoll(argv[2]);
	series = atoll(argv[3]);
	names = make_names(series);
	bench_need(msp_open(&opts, &queue, &error) == MSP_OK, error.message);
	begun = bench_ms();
	for (int64_t id = 1; id <= rows; id += (int64_t)count) {
		count = fill(metrics, names, id, rows, series);
		bench_need(msp_put_batch(queue, metrics, count, MSP_ATOMIC,
			       NULL, &error) == MSP_OK,
		    error.message);
	}
	printf("%.4f\n", (bench_ms() - begun) / 1e3);
	msp_close(queue);
	free(names);
	return 0;
}
