#ifndef RECEIVER_PACE_H
#define RECEIVER_PACE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Two token buckets for each SecretId.  Requests: one second's worth, at
 * least one, can be saved up.  Rows: one minute's worth, so that any batch
 * up to the limit fits a bucket that is full.
 */
struct pace {
	double requests_per_second; /* 0: no limit */
	double rows_per_minute;     /* 0: no limit */
	struct pace_account *accounts;
};

/** Take one request, or ${rows} rows, of ${secret_id} at the steady time
 * ${now_ms}.  Return false, and take nothing, if that is too fast. */
bool pace_take_request(
    struct pace *pace, const char *secret_id, int64_t now_ms);
bool pace_take_rows(
    struct pace *pace, const char *secret_id, double rows, int64_t now_ms);

void pace_free(struct pace *pace);

#endif
