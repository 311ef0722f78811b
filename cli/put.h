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

/** Good lines a transaction of --per-line (contract.md H23). */
#define PUT_CHUNK 5000

/* The two shapes of put: one metric from the command line, or many from
 * input. */

enum put_format {
	PUT_AUTO,
	PUT_NDJSON,
	PUT_API,
	PUT_CSV,
	PUT_INFLUX,
	PUT_PROM
};

/** What the command line asked for. */
struct put_options {
	const char *ns, *region, *account, *metric, *value;
	int64_t observed_at, max_age_ms; /* -1: not given */
	struct option_list dimensions, defaults;
	int format; /* enum put_format */
	bool atomic, check, strict, lenient;
	const char *key, *key_prefix;
	bool per_line;
	int64_t chunk;
	const char *rejects;
	int64_t max_errors; /* -1: any number */
	const char *csv_columns, *map;
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
	int64_t valid, rejected;     /* out: rows that passed, bad records */
	struct writer_result result; /* out */
	const char *through_file;    /* out: all records up to this line are */
	long through_line;           /* dealt with; NULL: none */
};

/** The options of put, which are read into ${PUT_OPTIONS_TARGET}. */
extern const struct option PUT_OPTIONS[];
extern struct put_options PUT_OPTIONS_TARGET;

/** One metric is asked for by naming it. */
bool put_is_one(const struct put_options *options);
/** Whether options and words make sense together; takes VALUE from the words.
 * 0, or -1 with ${fault}. */
int put_check_options(
    const struct cli *cli, struct put_options *options, struct fault *fault);
/** Whether ${key} (NULL: none was given) may be one, before anything is done.  0,
 * or -1 with ${fault}, which names ${option}. */
int put_check_key(const char *option, const char *key, struct fault *fault);
/** Split the pairs "K=V" of ${list}, given with ${option}, into an array with
 * room for ${more} besides; all lives as long as the process.  0, or -1 with
 * ${fault}. */
int put_split_pairs(const char *option, const struct option_list *list,
    size_t more, struct entry_dimension **dimensions, struct fault *fault);
/** Split the pairs "K=V" of the options.  0, or -1 with ${fault}. */
int put_split_dimensions(struct put *put, struct fault *fault);

/** Put the one metric of the command line.  0, or -1 with ${fault}. */
int put_one(struct put *put, struct fault *fault);

/** Put what the named inputs hold, all or nothing or, with --per-line, what is
 * good of it.  0, or -1 with ${fault}. */
int put_many(struct put *put, struct fault *fault);

#endif
