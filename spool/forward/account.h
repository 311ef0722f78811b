#ifndef FORWARD_ACCOUNT_H
#define FORWARD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct credential;

/** What all lanes of one account share: who signs, and at what pace. */
struct account {
	const struct credential *credential;
	double per_second, burst; /* 0 per second: unlimited */
	double tokens;            /* requests that may go now */
	int64_t filled_ms;        /* steady: when tokens was right */
	int64_t paused_until_ms;  /* steady: a throttle's end, -1: none */
	unsigned request_throttles, row_throttles; /* in a row */
	int64_t accepted_ms; /* steady: the latest answer 0, -1: none lately */
	int64_t accepted_attempt_bytes; /* of the request it belonged to */
};

void account_start(struct account *account, const struct credential *credential,
    const struct config *config, int64_t steady_ms);
/** New settings: the pace is the configured one again, and what was accepted
 * under the old ones is no contrast any more. */
void account_configure(struct account *account,
    const struct credential *credential, const struct config *config,
    int64_t steady_ms);

/** When the next request may go, steady; a time that has come means now. */
int64_t account_ready_at(struct account *account, int64_t steady_ms);
/** One request goes. */
void account_spend(struct account *account, int64_t steady_ms);

/** 1006, 429: wait for ${wait_ms}; 1018: 60 s, doubling to 300 s. */
void account_throttle_requests(
    struct account *account, int64_t steady_ms, int64_t wait_ms);
int64_t account_throttle_rows(struct account *account, int64_t steady_ms);
/** An answer 0. */
void account_accepted(
    struct account *account, int64_t steady_ms, int64_t bytes);
/** Whether another request of the account was accepted within the contrast
 * window (protocol.md section 8, Contrast rule). */
bool account_has_contrast(const struct account *account, int64_t steady_ms);

#endif
