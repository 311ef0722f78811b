#ifndef QUEUE_DOOR_H
#define QUEUE_DOOR_H

#include <stdint.h>

struct db;
struct series_row;

/*
 * Series that came through the SQL door (schema/0002-door.sql).  SQL cannot
 * compute their hash, so it is DOOR_HASH, and what SQL cannot check either is
 * checked here, when they are loaded.
 */

#define DOOR_HASH 0

enum door_verdict {
	DOOR_FAILED = -1, /* see db_fault() */
	DOOR_SOUND,
	DOOR_UNFIT,  /* put would have refused it: no UTF-8, no JSON */
	DOOR_DAMAGED /* its texts do not agree with each other (H10) */
};

/** Judge a loaded series whose hash is DOOR_HASH. */
enum door_verdict door_judge(struct db *db, const struct series_row *row);

#endif
