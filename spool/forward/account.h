#ifndef FORWARD_ACCOUNT_H
#define FORWARD_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pace.h"

struct account_row;
struct config;
struct credential;

/** What all lanes of one account share: who signs, and at what pace. */
struct account {
	const struct credential *credential; /* NULL: nobody */
	struct pace requests, rows;
	int64_t paused_until_ms; /* steady: a throttle's end, -1: none */
	unsigned request_throttles, row_throttles;      /* in a row */
	int64_t request_throttled_ms, row_throttled_ms; /* steady: the latest */
	int64_t accepted_ms; /* steady: the latest answer 0, -1: none lately */
	int64_t accepted_bytes;            /* of the request it belonged to */
	int64_t largest_bytes, largest_ms; /* of those in the window; when */
	int64_t accepted_rows, accepted_first, accepted_last; /* ids */
	bool failing; /* the way was closed, since the latest answer */
	double noted_requests, noted_rows; /* learned, when last marked */
	bool changed; /* what was learned is to be stored */
};

/** ${learned}: what the queue remembers, or NULL. */
void account_start(struct account *account, const struct credential *credential,
    const struct config *config, const struct account_row *learned,
    int64_t steady_ms);
/** Take over from ${former}, the account before a reload, what the queue does
 * not know of it. */
void account_go_on(struct account *account, const struct account *former);
/** What is worth remembering of the account. */
void account_learned(const struct account *account, struct account_row *row);

/** When the next request may go, steady; a time that has come means now. */
int64_t account_ready_at(struct account *account, int64_t steady_ms);
/** One request of ${rows} rows goes. */
void account_spend(struct account *account, int64_t steady_ms, int64_t rows);

/** 1006, 429 to a request sent at ${sent_ms}: fewer requests.  Return how many
 * such answers came in a row; 0 where it was out beside the latest of them,
 * and so is none of its own. */
unsigned account_throttle_requests(
    struct account *account, int64_t steady_ms, int64_t sent_ms);
/** 1018, likewise: fewer rows, and none for 60 s, doubling to 300 s; 60 s
 * where it was out beside the latest. */
void account_throttle_rows(
    struct account *account, int64_t steady_ms, int64_t sent_ms);
/** No request goes for ${wait_ms}, or longer. */
void account_pause(struct account *account, int64_t steady_ms, int64_t wait_ms);
/** They may go again: an operator says so. */
void account_pause_ends(struct account *account);
/** How long none goes now, for a throttle's sake. */
int64_t account_pause_ms(const struct account *account, int64_t steady_ms);
/** An answer 0 to ${rows} rows in ${bytes}. */
void account_accepted(
    struct account *account, int64_t steady_ms, int64_t rows, int64_t bytes);
/** The endpoint failed. */
void account_failed(struct account *account);
/** Whether another request of the account was accepted within the contrast
 * window (protocol.md section 8, Contrast rule). */
bool account_has_contrast(const struct account *account, int64_t steady_ms);
/** Whether one of at least ${bytes} was. */
bool account_took_bytes(
    const struct account *account, int64_t steady_ms, int64_t bytes);
/** The rows of that request were these; what is told of it as evidence. */
void account_note_rows(
    struct account *account, int64_t rows, int64_t first_id, int64_t last_id);
/** "7 rows, 1 to 12, accepted ${when}": what was accepted beside a row. */
void account_say_contrast(
    const struct account *account, const char *when, char *words, size_t size);

#endif
