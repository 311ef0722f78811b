#ifndef QUEUE_WISH_H
#define QUEUE_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"

struct db;

/*
 * What an operator wants of a lane.  A running forwarder keeps its lanes in
 * memory and stores them as it goes, so nobody else may: the wish is left in
 * the lane's row, and it applies it.  Where none runs, whoever asks applies
 * it as well; to apply it twice changes nothing.
 */
struct wish {
	enum lane_ask ask;
	char reason[LANE_TEXT]; /* LANE_ASK_HOLD: why */
	int64_t until;          /* LANE_ASK_HOLD: when it ends; -1: never */
};

/** Leave ${wish} for the forwarder; LANE_ASK_NOTHING: it was seen.  0 or -1. */
int wish_store(struct db *db, int64_t lane_id, const struct wish *wish);
/** 1 with a wish, 0 none, -1. */
int wish_load(struct db *db, int64_t lane_id, struct wish *wish);

/** Make of ${row} what the wish wants: a held lane, or a ready one none of whose
 * rows is doomed.  A probe is the forwarder's alone and changes nothing here.  The hold of a brake stays
 * one, whoever else holds the lane. */
void wish_apply(const struct wish *wish, struct lane_row *row, int64_t now_ms);
/** Where the clock went back to before the lane was held: the operator's hold lasts
 * from now as long as it was to last in all.  Whether anything changed. */
bool wish_clamp(struct lane_row *row, int64_t now_ms);
/** End an operator's hold whose time has come.  Whether anything changed. */
bool wish_expire(struct lane_row *row, int64_t now_ms);

const char *wish_name(enum lane_ask ask);
/** LANE_ASK_NOTHING where there is no such wish. */
enum lane_ask wish_named(const char *name);

#endif
