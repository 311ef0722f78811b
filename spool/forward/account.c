#include "account.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "queue/account.h"

#include "key.h"

#define CONTRAST_MS (5 * 60 * 1000)
#define ROW_PAUSE_MS (60 * 1000)
#define ROW_PAUSE_MOST_MS (300 * 1000)
/* Failures of some requests while others are taken are no outage. */
#define OUTAGE_MS (5 * 1000)
#define MINUTE_MS (60 * 1000)
/* Below so many rows a second the pauses alone do it: rows of a refused batch
 * are owed as well, and at a lower pace would be so for hours. */
#define ROWS_LEAST 0.5
/* Growth by less is not stored: that would be a write a turn. */
#define WORTH_NOTING 1.1

void
account_start(struct account *account, const struct credential *credential,
    const struct config *config, const struct account_row *learned,
    int64_t steady_ms)
{
	double rows = config->rate.rows_per_minute / 60;

	*account = (struct account){ .credential = credential,
		.paused_until_ms = -1,
		.accepted_ms = -1 };
	pace_start(&account->requests, config->rate.requests_per_second,
	    config->rate.burst, 1000, steady_ms);
	pace_start(&account->rows, rows, rows * 10, MINUTE_MS, steady_ms);
	account->rows.least = ROWS_LEAST;
	if (learned != NULL) {
		account->requests.learned = learned->requests_per_second;
		account->rows.learned = learned->rows_per_minute / 60;
		account->noted_requests = account->requests.learned;
		account->noted_rows = account->rows.learned;
	}
}

void
account_go_on(struct account *account, const struct account *former)
{
	account->requests.ceiling = former->requests.ceiling;
	account->rows.ceiling = former->rows.ceiling;
	account->paused_until_ms = former->paused_until_ms;
	account->request_throttles = former->request_throttles;
	account->row_throttles = former->row_throttles;
	account->request_throttled_ms = former->request_throttled_ms;
	account->row_throttled_ms = former->row_throttled_ms;
	account->changed = former->changed;
}

void
account_learned(const struct account *account, struct account_row *row)
{
	snprintf(
	    row->name, sizeof(row->name), "%s", account->credential->account);
	row->requests_per_second = account->requests.learned;
	row->rows_per_minute = account->rows.learned * 60;
}

int64_t
account_ready_at(struct account *account, int64_t steady_ms)
{
	int64_t requests_ms = pace_ready_at(&account->requests, steady_ms);
	int64_t rows_ms = pace_ready_at(&account->rows, steady_ms);
	int64_t ready_ms = requests_ms > rows_ms ? requests_ms : rows_ms;

	return ready_ms > account->paused_until_ms ? ready_ms
						   : account->paused_until_ms;
}

void
account_spend(struct account *account, int64_t steady_ms, int64_t rows)
{
	pace_spend(&account->requests, steady_ms, 1);
	pace_spend(&account->rows, steady_ms, (double)rows);
}

/* What was learned is to be stored. */
static void
note(struct account *account)
{
	account->noted_requests = account->requests.learned;
	account->noted_rows = account->rows.learned;
	account->changed = true;
}

/* Whether a rate has grown by so much that it is worth storing, or is no
 * longer needed. */
static bool
is_news(double learned, double noted)
{
	return learned > noted * WORTH_NOTING || (learned <= 0 && noted > 0);
}

/* Whether a throttle is another one: see account_throttle_requests(). */
static bool
is_another(unsigned in_a_row, int64_t latest_ms, int64_t sent_ms)
{
	return in_a_row == 0 || sent_ms > latest_ms;
}

unsigned
account_throttle_requests(
    struct account *account, int64_t steady_ms, int64_t sent_ms)
{
	if (!is_another(account->request_throttles,
		account->request_throttled_ms, sent_ms))
		return 0;
	account->request_throttled_ms = steady_ms;
	pace_throttled(&account->requests, steady_ms);
	note(account);
	return ++account->request_throttles;
}

void
account_throttle_rows(
    struct account *account, int64_t steady_ms, int64_t sent_ms)
{
	int64_t wait_ms = ROW_PAUSE_MS;
	unsigned i;

	if (is_another(
		account->row_throttles, account->row_throttled_ms, sent_ms)) {
		for (i = 0;
		     i < account->row_throttles && wait_ms < ROW_PAUSE_MOST_MS;
		     i++)
			wait_ms *= 2;
		account->row_throttles++;
		account->row_throttled_ms = steady_ms;
		pace_throttled(&account->rows, steady_ms);
		note(account);
	}
	if (wait_ms > ROW_PAUSE_MOST_MS)
		wait_ms = ROW_PAUSE_MOST_MS;
	account_pause(account, steady_ms, wait_ms);
}

void
account_pause(struct account *account, int64_t steady_ms, int64_t wait_ms)
{
	if (steady_ms + wait_ms > account->paused_until_ms)
		account->paused_until_ms = steady_ms + wait_ms;
}

void
account_pause_ends(struct account *account)
{
	account->paused_until_ms = -1;
}

int64_t
account_pause_ms(const struct account *account, int64_t steady_ms)
{
	return account->paused_until_ms > steady_ms
	    ? account->paused_until_ms - steady_ms
	    : 0;
}

void
account_accepted(
    struct account *account, int64_t steady_ms, int64_t rows, int64_t bytes)
{
	bool was_away = account->failing &&
	    (account->accepted_ms < 0 ||
		steady_ms - account->accepted_ms > OUTAGE_MS);

	account->accepted_ms = steady_ms;
	account->accepted_bytes = bytes;
	if (bytes >= account->largest_bytes ||
	    steady_ms - account->largest_ms > CONTRAST_MS) {
		account->largest_bytes = bytes;
		account->largest_ms = steady_ms;
	}
	account->request_throttles = 0;
	account->row_throttles = 0;
	if (was_away)
		pace_ramp(&account->requests, steady_ms);
	account->failing = false;
	pace_accepted(&account->requests, steady_ms, 1);
	pace_accepted(&account->rows, steady_ms, (double)rows);
	if (is_news(account->requests.learned, account->noted_requests) ||
	    is_news(account->rows.learned, account->noted_rows))
		note(account);
}

void
account_failed(struct account *account)
{
	account->failing = true;
}

bool
account_has_contrast(const struct account *account, int64_t steady_ms)
{
	return account->accepted_ms >= 0 &&
	    steady_ms - account->accepted_ms <= CONTRAST_MS;
}

bool
account_took_bytes(
    const struct account *account, int64_t steady_ms, int64_t bytes)
{
	if (!account_has_contrast(account, steady_ms))
		return false;
	return account->accepted_bytes >= bytes ||
	    (account->largest_bytes >= bytes &&
		steady_ms - account->largest_ms <= CONTRAST_MS);
}

void
account_note_rows(
    struct account *account, int64_t rows, int64_t first_id, int64_t last_id)
{
	account->accepted_rows = rows;
	account->accepted_first = first_id;
	account->accepted_last = last_id;
}

void
account_say_contrast(
    const struct account *account, const char *when, char *words, size_t size)
{
	if (account->accepted_rows == 1)
		snprintf(words, size, "row %lld accepted %s",
		    (long long)account->accepted_first, when);
	else
		snprintf(words, size, "%lld rows, %lld to %lld, accepted %s",
		    (long long)account->accepted_rows,
		    (long long)account->accepted_first,
		    (long long)account->accepted_last, when);
}
