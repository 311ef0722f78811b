#ifndef PROTOCOL_DISPOSITION_H
#define PROTOCOL_DISPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer;
struct config_code;
struct fault;

/* What is done about an outcome (protocol.md section 8). */
enum verdict {
	VERDICT_DELIVERED,         /* rows leave the queue */
	VERDICT_RETRY,             /* same rows later, nobody blamed */
	VERDICT_THROTTLE_REQUESTS, /* the account sends fewer requests */
	VERDICT_THROTTLE_ROWS,     /* the account sends fewer rows */
	VERDICT_HOLD,              /* the scope waits, probing with one row */
	VERDICT_SPLIT,             /* halve by size */
	VERDICT_ISOLATE,           /* bisect */
	VERDICT_CHECK_ONE,         /* one row alone decides for the lane */
	VERDICT_DEAD_LETTER,       /* the rows leave, with the reason */
	VERDICT_RESIGN             /* sign again at once, once */
};

/* Whose fault it is, and so who bears the consequence. */
enum scope {
	SCOPE_NONE,
	SCOPE_ROW,
	SCOPE_SERIES,
	SCOPE_NAMESPACE,
	SCOPE_SIZE,
	SCOPE_PACE,
	SCOPE_ACCOUNT,
	SCOPE_ENDPOINT,
	SCOPE_CLOCK
};

/* May the receiver have kept the rows? */
enum stored {
	STORED_NO,
	STORED_MAYBE,
	STORED_YES
};

/* What a row that gets this answer alone comes to; asked where the verdict is
 * split, isolate or check-one. */
enum lone {
	LONE_SAME,    /* as the verdict says */
	LONE_HOLD,    /* its lane is held */
	LONE_DEAD,    /* it dies */
	LONE_CONTRAST /* it dies if another request was accepted lately, else
	                  the lane is held */
};

/** One row of the table: a code, an HTTP status or a transport failure. */
struct disposition {
	const char *name; /* "1017", "http-413", "unknown-code", "malformed",
	                     "transfer-refused", ... : stable, for people; of
	                     a judged status always its own ("http-404") */
	int code;         /* of the API, else -1 */
	const char *text; /* in the API's or our words */
	enum verdict verdict;
	enum scope scope;
	enum lone lone;
	enum stored stored;
	bool retry_first; /* the verdict applies from the second time on (1004,
	                     1014); the first time is a retry */
	bool
	    hold_after; /* a retry that holds after retry.hold_after in a row */
	bool slow_probe;    /* hold: retry.blocked_probe applies (1008) */
	const char *causes; /* likely causes, one a line */
	const char *cure;   /* what to type or change, one a line */
};

/** Everything that is known of one finished attempt. */
struct outcome {
	int transfer;         /* CURLcode; 0 when the transfer ended well */
	int64_t request_size; /* bytes of the request that left, headers too */
	int http_status;      /* 0 when no status line came */
	int64_t retry_after_ms; /* 0 when none was given */
	int64_t date_ms;        /* the reply's Date, Unix ms; 0 when none */
	const struct answer *answer; /* NULL when no body is to be judged */
};

/** The table in force: the built-in one with the overrides of [codes]. */
struct dispositions;

/**
 * dispositions_new(codes, count, fault):
 * Return the table with the overrides ${codes} applied, or NULL with
 * ${fault} (no code, status or verdict; code 0).  An override brings
 * the scope and the fate of a lone row that its verdict needs:
 *   retry              the same rows for ever
 *   hold               lone rows hold too
 *   isolate            lone rows need contrast
 *   dead-letter        the guilty are looked for first, so the rest lives:
 *                      as isolate, but without contrast; by one row for the
 *                      whole lane where the scope is the namespace (1014,
 *                      1016), by size where it is the size
 *   split              lone rows need contrast
 *   throttle-requests, throttle-rows, resign: as built in for 1006, 1018, 1021
 * The verdict that a row has anyway changes nothing of it, but one that is
 * retried and then held is retried for ever.  A code that is not in the table
 * gets a row of its own, made from "unknown-code".
 */
struct dispositions *dispositions_new(
    const struct config_code *codes, size_t count, struct fault *fault);
void dispositions_free(struct dispositions *table);

/**
 * disposition_judge(table, outcome):
 * Judge in the order of protocol.md section 7.  Never NULL; owned by ${table}.
 */
const struct disposition *disposition_judge(
    const struct dispositions *table, const struct outcome *outcome);

/** Stored, as section 8 and 9 have it for this very outcome: the row's word,
 * but "maybe" where HTTP was not 200 and the code 0, and by request_size for
 * transfers. */
enum stored disposition_stored(
    const struct disposition *disposition, const struct outcome *outcome);

/** Whether this outcome counts as an attempt of its rows: at least one byte
 * of the request left. */
bool disposition_counts(const struct outcome *outcome);

/** The row for an API code ("1017"), a status ("http-413", "http_413"; not
 * 200, which the body decides) or another row's name, or NULL. */
const struct disposition *disposition_find(
    const struct dispositions *table, const char *name);
/** The rows for people, in order: 0 and 1000 to 1021, the gateway's codes,
 * "unknown-code", "malformed", the statuses ("http-4xx" for all that have no
 * row of their own), the failed transfers, and at last the single statuses
 * that were overridden.  NULL past the end. */
const struct disposition *disposition_at(
    const struct dispositions *table, size_t index);

const char *verdict_name(enum verdict verdict); /* "dead-letter" */
const char *scope_name(enum scope scope);       /* "series" */
const char *stored_name(enum stored stored);    /* "maybe" */

#endif
