#ifndef QUEUE_ATTEMPT_H
#define QUEUE_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

struct attempt_row {
	int64_t id; /* set by attempt_record() */
	int64_t lane_id, first_id, last_id;
	const char *ids; /* NULL: all of the lane's rows in between */
	int64_t rows, bytes, started_at, took_ms;
	int http_status; /* 0: none */
	int code;        /* -1: none */
	const char *message, *outcome;
	bool counted;
};

/** Record one request in the caller's bracket; the ring drops records more
 * than ${kept} behind.  0 or -1. */
int attempt_record(struct db *db, struct attempt_row *row, int64_t kept);

typedef int attempt_visit(void *cookie, const struct attempt_row *row);
/** The requests that carried row ${id} of the lane, oldest first; no read
 * transaction is open while ${visit} runs.  How many, or -1. */
int attempt_list(struct db *db, int64_t lane_id, int64_t id,
    attempt_visit *visit, void *cookie);

/** Write ascending ${ids} as "104-110,120" where they follow one another.
 * Return a string to free(), or NULL. */
char *attempt_ids(const int64_t *ids, size_t count);
/** Whether ${id} is in such a text. */
bool attempt_ids_hold(const char *ids, int64_t id);

#endif
