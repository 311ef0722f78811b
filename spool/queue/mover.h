#ifndef QUEUE_MOVER_H
#define QUEUE_MOVER_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

/*
 * Brings the rows of an application's outbox (outbox.h) into the queue.  Two
 * files know no common transaction, so each row's token is its idempotency
 * key, for ever until the row is gone: queue first, then delete there, then
 * forget the token.  Wherever the power goes, the next round finds out.
 * The application's file is never checkpointed, and its triggers do not run.
 * It has connections of its own, to both.
 */
struct mover;

/** Nothing is opened yet.  ${uses} of the paths end with mover_free().  NULL
 * when there is no memory. */
struct mover *mover_new(const char *queue, const char *outbox);
void mover_free(struct mover *mover);

struct mover_result {
	int64_t moved;   /* accepted by the queue */
	int64_t known;   /* their key, or their token, was known */
	int64_t refused; /* their "error" says why they stay */
	bool more;       /* another round at once is worth it */
};

/**
 * mover_round(mover, result, fault):
 * Move up to 5,000 rows.  0, or -1 with ${fault}: FAULT_NOT_FOUND while the
 * file or its tables are not there, FAULT_QUEUE_BUSY, FAULT_QUEUE_FULL and so
 * on; to be tried again later, whatever it was.
 */
int mover_round(
    struct mover *mover, struct mover_result *result, struct fault *fault);

#endif
