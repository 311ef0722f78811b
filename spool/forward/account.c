#include "account.h"

#include "base/config.h"

#define CONTRAST_MS (5 * 60 * 1000)
#define ROW_PAUSE_MS (60 * 1000)
#define ROW_PAUSE_MOST_MS (300 * 1000)

void
account_start(struct account *account, const struct credential *credential,
    const struct config *config, int64_t steady_ms)
{
	*account = (struct account){ .paused_until_ms = -1 };
	account_configure(account, credential, config, steady_ms);
	account->tokens = account->burst;
}

void
account_configure(struct account *account, const struct credential *credential,
    const struct config *config, int64_t steady_ms)
{
	account->credential = credential;
	account->per_second = config->rate.requests_per_second;
	account->burst = config->rate.burst < 1 ? 1 : config->rate.burst;
	if (account->tokens > account->burst)
		account->tokens = account->burst;
	account->filled_ms = steady_ms;
	account->accepted_ms = -1;
}

static void
fill(struct account *account, int64_t steady_ms)
{
	double more = (double)(steady_ms - account->filled_ms) / 1e3 *
	    account->per_second;

	account->filled_ms = steady_ms;
	account->tokens += more;
	if (account->tokens > account->burst)
		account->tokens = account->burst;
}

int64_t
account_ready_at(struct account *account, int64_t steady_ms)
{
	int64_t ready_ms = steady_ms;

	if (account->per_second > 0) {
		fill(account, steady_ms);
		if (account->tokens < 1)
			ready_ms += 1 +
			    (int64_t)((1 - account->tokens) /
				account->per_second * 1e3);
	}
	if (account->paused_until_ms > ready_ms)
		ready_ms = account->paused_until_ms;
	return ready_ms;
}

void
account_spend(struct account *account, int64_t steady_ms)
{
	if (account->per_second <= 0)
		return;
	fill(account, steady_ms);
	account->tokens -= 1;
}

void
account_throttle_requests(
    struct account *account, int64_t steady_ms, int64_t wait_ms)
{
	account->request_throttles++;
	if (steady_ms + wait_ms > account->paused_until_ms)
		account->paused_until_ms = steady_ms + wait_ms;
}

int64_t
account_throttle_rows(struct account *account, int64_t steady_ms)
{
	int64_t wait_ms = ROW_PAUSE_MS;
	unsigned i;

	for (i = 0; i < account->row_throttles && wait_ms < ROW_PAUSE_MOST_MS;
	     i++)
		wait_ms *= 2;
	if (wait_ms > ROW_PAUSE_MOST_MS)
		wait_ms = ROW_PAUSE_MOST_MS;
	account->row_throttles++;
	if (steady_ms + wait_ms > account->paused_until_ms)
		account->paused_until_ms = steady_ms + wait_ms;
	return wait_ms;
}

void
account_accepted(struct account *account, int64_t steady_ms, int64_t bytes)
{
	account->accepted_ms = steady_ms;
	account->accepted_attempt_bytes = bytes;
	account->request_throttles = 0;
	account->row_throttles = 0;
}

bool
account_has_contrast(const struct account *account, int64_t steady_ms)
{
	return account->accepted_ms >= 0 &&
	    steady_ms - account->accepted_ms <= CONTRAST_MS;
}
