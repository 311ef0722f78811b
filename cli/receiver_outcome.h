#ifndef RECEIVER_OUTCOME_H
#define RECEIVER_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "receiver_check.h"
#include "receiver_code.h"
#include "receiver_mishap.h"

/** What becomes of a request. */
struct outcome {
	struct mishap *mishap; /* what happens to it, or NULL */
	bool accepted;         /* its rows */
	int http_status;       /* of the answer, 0: there is none */
	int code;              /* in the answer, -1: there is none */
	int64_t date_ms;       /* in its Date; 0: the true time */
};

/** Decide about ${request}: mishaps first, then the checks. */
struct outcome outcome_decide(struct mishaps *mishaps, struct rules *rules,
    const struct request *request);

/** What was seen since the start. */
struct totals {
	int64_t requests, accepted_rows, refused_rows;
	int64_t connections_refused, mishaps;
	int64_t codes[CODE_COUNT + 1]; /* the last: undocumented ones */
	int64_t unanswered;            /* no code was sent */
};

/** Count one request and its outcome. */
void totals_add(struct totals *totals, const struct request *request,
    const struct outcome *outcome);

/** Write the totals to ${fd}: a few lines, or one JSON object. */
void totals_print(const struct totals *totals, int fd, bool json);

#endif
