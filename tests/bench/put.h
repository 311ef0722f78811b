#ifndef BENCH_PUT_H
#define BENCH_PUT_H

#include "base/clock.h"
#include "base/config.h"
#include "base/fault.h"
#include "queue/entry.h"
#include "queue/queue.h"
#include "queue/writer.h"

#include "bench.h"

/* A writer of ours, and one row put through it. */
struct bench_writer {
	struct config config;
	struct db *db;
	struct writer *writer;
	struct entry_wire wire;
};

static inline void
bench_writer_open(
    struct bench_writer *bench, const char *path, int64_t busy_timeout_ms)
{
	struct fault fault = { 0 };

	bench->db = queue_open(
	    path, DB_WRITER, busy_timeout_ms, &bench->config, &fault);
	bench_need(bench->db != NULL, fault.message);
	bench->writer = writer_new(bench->db, &bench->config, &fault);
	bench_need(bench->writer != NULL, fault.message);
	bench->wire = (struct entry_wire){ 0 };
}

/* One row, one commit. */
static inline void
bench_put(struct bench_writer *bench, const char *metric, double value)
{
	struct entry entry = { .ns = "cvm",
		.metric = metric,
		.value = value,
		.observed_at = -1,
		.max_age_ms = -1 };
	struct writer_result result;
	struct fault fault = { 0 };
	int64_t id;

	bench_need(
	    entry_check(&entry, &bench->config.checks, true, &fault) == 0 &&
		entry_render(
		    &entry, &bench->config.checks, &bench->wire, &fault) == 0 &&
		writer_begin(bench->writer, &fault) == 0 &&
		writer_add(bench->writer, &entry, &bench->wire, clock_wall_ms(),
		    &id, &fault) == 0 &&
		writer_commit(bench->writer, &result, &fault) == 0,
	    fault.message);
}

#endif
