#ifndef CLI_STATUS_VIEW_H
#define CLI_STATUS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "queue/lock.h"
#include "queue/operation.h"
#include "queue/status.h"
#include "lanes.h"

struct cli;
struct fault;
struct text;

#define STATUS_AGES 6
#define STATUS_OPERATIONS 16
#define STATUS_CODES 5

/** Everything status tells, gathered before a word is printed. */
struct status_view {
	const char *path;
	struct config config; /* the queue's copy */
	struct status status;
	int schema;
	bool running;
	struct lock_holder holder;
	struct lanes lanes;
	int64_t now_ms;
	/* Hundredths of rows a second over the last minutes; -1: not known. */
	int64_t in_rate, out_rate;
	struct operation_row operations[STATUS_OPERATIONS]; /* the open ones */
	int operation_count;
	bool want_ages; /* to be set before reading; they take counting */
	int64_t ages[STATUS_AGES]; /* rows from status_age_ms(i) on */
	/* Dead rows by code, the most frequent first; for people alone. */
	struct status_code {
		int64_t code, rows; /* code -1: none */
	} codes[STATUS_CODES];
	int code_count;
};

/** Gather it.  0, or -1 with ${fault}. */
int status_view_read(
    struct status_view *view, const struct cli *cli, struct fault *fault);
void status_view_free(struct status_view *view);

/** The least age of the rows counted in ages[${i}], each from there to the next. */
int64_t status_age_ms(int i);
/** Seconds since ${at}, 0 when it is none or to come. */
int64_t status_age_seconds(const struct status_view *view, int64_t at);

/** Add the JSON object, or the screen for people. */
void status_json(struct text *text, const struct status_view *view);
void status_text(struct text *text, const struct status_view *view,
    bool colored, bool lanes);

#endif
