/* links: capi */
/*
 * bench_put QUEUE PUTS: metrics put through the C API, with a pause between
 * them.  Prints the milliseconds of each; a first one, for which statements
 * are prepared, is left out.
 */
#include <stdint.h>

#include "monspool.h"

#include "bench.h"

int
main(int argc, char *argv[])
{
	struct timespec pause = { .tv_nsec = 2000000 };
	msp_open_opts opts = MSP_OPEN_OPTS_INIT;
	msp_dim dim = { "ip", "10.0.0.1" };
	msp_metric metric = MSP_METRIC_INIT;
	msp_queue *queue;
	msp_error error;
	double begun;

	bench_need(argc == 3, "usage");
	opts.path = argv[1];
	bench_need(msp_open(&opts, &queue, &error) == MSP_OK, error.message);
	metric.ns = "cvm";
	metric.metric = "cpu";
	metric.dims = &dim;
	metric.ndims = 1;
	metric.value = 1.5;
	for (long i = atol(argv[2]); i >= 0; i--) {
		nanosleep(&pause, NULL);
		begun = bench_ms();
		bench_need(msp_put(queue, &metric, NULL, &error) == MSP_OK,
		    error.message);
		if (i < atol(argv[2]))
			printf("%.4f\n", bench_ms() - begun);
	}
	msp_close(queue);
	return 0;
}
