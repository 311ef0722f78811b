#ifndef QUEUE_SUSPECT_H
#define QUEUE_SUSPECT_H

#include <stdint.h>

struct db;

/** See suspect in schema/0001-queue.sql. */
struct suspect_row {
	int64_t series_id, doomed_through, code, attempt_id, since_at;
	char message[264];
};

/** So many are remembered, and forgotten so many at a time: the oldest.  One
 * that is forgotten though it is still bad costs another bisection. */
#define SUSPECT_MOST 10000
#define SUSPECT_FORGOTTEN 1000

/** In the caller's bracket: store or replace.  How many others were forgotten
 * for it, or -1. */
int suspect_store(struct db *db, const struct suspect_row *row);
int suspect_clear(struct db *db, int64_t series_id);
/** An operator released ${lane_id}: no row of its suspects dies any more before
 * another one was refused.  0 or -1. */
int suspect_pardon(struct db *db, int64_t lane_id);
/** 1 found, 0 not, -1. */
int suspect_load(struct db *db, int64_t series_id, struct suspect_row *row);
/** Those with series_id > ${after}, ascending; how many, or -1. */
int suspect_list(
    struct db *db, int64_t after, struct suspect_row *rows, int count);

#endif
