#include "receiver_pace.h"

#include <stdlib.h>
#include <string.h>

struct bucket {
	double tokens;
	int64_t at_ms; /* when that many were there */
};

struct pace_account {
	struct pace_account *next;
	struct bucket requests, rows;
	char secret_id[];
};

static double
most_requests(const struct pace *pace)
{
	double burst = pace->requests_per_second;

	return burst > 1.0 ? burst : 1.0;
}

/* The account of ${secret_id}, with full buckets if it is new, or NULL. */
static struct pace_account *
account_of(struct pace *pace, const char *secret_id, int64_t now_ms)
{
	struct pace_account *account;
	size_t size = strlen(secret_id) + 1;

	for (account = pace->accounts; account != NULL; account = account->next)
		if (strcmp(account->secret_id, secret_id) == 0)
			return account;
	if ((account = malloc(sizeof(*account) + size)) == NULL)
		return NULL;
	memcpy(account->secret_id, secret_id, size);
	account->requests = (struct bucket){ most_requests(pace), now_ms };
	account->rows = (struct bucket){ pace->rows_per_minute, now_ms };
	account->next = pace->accounts;
	pace->accounts = account;
	return account;
}

static bool
take(struct bucket *bucket, double wanted, double per_ms, double most,
    int64_t now_ms)
{
	bucket->tokens += (double)(now_ms - bucket->at_ms) * per_ms;
	bucket->at_ms = now_ms;
	if (bucket->tokens > most)
		bucket->tokens = most;
	if (bucket->tokens < wanted)
		return false;
	bucket->tokens -= wanted;
	return true;
}

bool
pace_take_request(struct pace *pace, const char *secret_id, int64_t now_ms)
{
	struct pace_account *account;

	if (pace->requests_per_second <= 0.0)
		return true;
	account = account_of(pace, secret_id, now_ms);
	return account != NULL &&
	    take(&account->requests, 1.0, pace->requests_per_second / 1e3,
		most_requests(pace), now_ms);
}

bool
pace_take_rows(
    struct pace *pace, const char *secret_id, double rows, int64_t now_ms)
{
	struct pace_account *account;

	if (pace->rows_per_minute <= 0.0)
		return true;
	account = account_of(pace, secret_id, now_ms);
	return account != NULL &&
	    take(&account->rows, rows, pace->rows_per_minute / 60e3,
		pace->rows_per_minute, now_ms);
}

void
pace_free(struct pace *pace)
{
	struct pace_account *account;

	while ((account = pace->accounts) != NULL) {
		pace->accounts = account->next;
		free(account);
	}
}
