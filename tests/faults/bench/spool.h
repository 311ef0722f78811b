#ifndef BENCH_SPOOL_H
#define BENCH_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/fault.h"
#include "queue/ledger.h"
#include "queue/place.h"
#include "queue/writer.h"

#include "bench.h"

struct db;

/** A queue in a directory of its own, and one connection with its writer. */
struct spool {
	char dir[BENCH_DIR], path[BENCH_DIR + 16];
	struct place place;
	struct config settings; /* what init copied in */
	struct config config;   /* what queue_open() read */
	struct db *db;
	struct writer *writer;
};

/** Make the directory, and set ${settings} to the defaults without a reserve
 * on the disk. */
void spool_set_up(struct spool *spool);
/** Make the queue with ${settings}; 0 or -1. */
int spool_init(struct spool *spool, struct fault *fault);
/** Both, or the test ends. */
void spool_make(struct spool *spool);
/** Remove the queue and its directory. */
void spool_tear_down(struct spool *spool);

/** 0 or -1; then nothing is open. */
int spool_open(struct spool *spool, struct fault *fault);
void spool_close(struct spool *spool);

/** Rows to put: row i is of series i % series, and its value is first + i. */
struct spool_rows {
	const char *ns;
	int rows, series;
	int64_t first;
	int width; /* of a dimension's value; 0: as short as can be */
};
/** Put them in one transaction.  0 or -1. */
int spool_put(struct spool *spool, const struct spool_rows *rows,
    struct writer_result *result, struct fault *fault);
/** The same by way of a stage, as `put -f` does. */
int spool_bulk(struct spool *spool, const struct spool_rows *rows,
    struct writer_result *result, struct fault *fault);

/** Whether the open queue passes its audit, SQLite's check included; if not,
 * ${problem} says why. */
bool spool_sound(struct spool *spool, char problem[256]);
/** The same without SQLite's check. */
bool spool_balanced(struct spool *spool, char problem[256]);
/** The first column of the first row of ${sql}, asked of the open queue. */
int64_t spool_ask(struct spool *spool, const char *sql);

#endif
