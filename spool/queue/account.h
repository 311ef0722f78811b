#ifndef QUEUE_ACCOUNT_H
#define QUEUE_ACCOUNT_H

#include "lane.h"

struct db;

/** What was learned of an account's pace; 0: nothing. */
struct account_row {
	char name[LANE_TEXT];
	double requests_per_second, rows_per_minute;
};

/** 1 found, 0 not (all is 0 then), -1 failed. */
int account_load(struct db *db, const char *name, struct account_row *row);
/** Store or replace.  0 or -1. */
int account_store(struct db *db, const struct account_row *row);

#endif
