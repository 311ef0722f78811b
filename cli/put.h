#ifndef CLI_PUT_H
#define CLI_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "queue/entry.h"
#include "queue/writer.h"
#include "options.h"

struct cli;
struct db;
struct fault;

/* The two shapes of put: one metric from the command line, or many from
 * input. */

enum put_format {
	PUT_AUTO,
	PUT_NDJSON,
	PUT_API
};

/** What the command line asked for. */
struct put_options {
	const char *ns, *region, *account, *metric, *value;
	int64_t observed_at, max_age_ms; /* -1: not given */
	struct option_list dimensions, defaults;
	int format; /* enum put_format */
	bool atomic, check, strict, lenient;
};

/** One put under way. */
struct put {
	struct cli *cli;
	const struct put_options *options;
	struct db *db;
	const struct config *config; /* the queue's copy */
	bool strict;
	int64_t now_ms;
	struct entry_dimension *dimensions, *defaults; /* as split */
	int64_t valid;               /* out: rows that passed */
	struct writer_result result; /* out */
};

/** Put the one metric of the command line.  0, or -1 with ${fault}. */
int put_one(struct put *put, struct fault *fault);

/** Put what the named inputs hold, all or nothing.  0, or -1 with ${fault}. */
int put_many(struct put *put, struct fault *fault);

#endif
