#ifndef QUEUE_OPERATION_GROUP_H
#define QUEUE_OPERATION_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/*
 * The groups of a replay, and the dead rows each has still to move.  See
 * operation_group in schema/0001-queue.sql for which state may follow which.
 */
enum operation_group_state {
	GROUP_WAITING,
	GROUP_CANARY,
	GROUP_MOVING,
	GROUP_MOVED,
	GROUP_REFUSED
};

struct operation_group_row {
	int64_t id, operation_id, lane_id, code; /* code -1: none */
	enum operation_group_state state;
	int64_t matched, replayed, delivered, refused_again;
};

/** In the caller's bracket: make a group of ${row} and set its id.  0 or -1. */
int operation_group_new(
    struct db *db, struct operation_group_row *row, const char *metric);
/** In the caller's bracket: name rows that it is to move.  0 or -1. */
int operation_group_add(
    struct db *db, int64_t id, const int64_t *row_ids, size_t count);
/** Those of an operation that wait, try canaries or move, with an id above
 * ${after}: how many, or -1. */
int operation_group_list(struct db *db, int64_t operation_id, int64_t after,
    struct operation_group_row *rows, int count);

/**
 * operation_group_move(db, group, most, now_ms):
 * In a bracket of its own, replay the next ${most} of its rows (at most
 * OPERATION_ROWS) and take the group on: a waiting one tries canaries then,
 * and what it moves goes alone; one that moves its last row is moved.  Rows
 * that are dead no longer are passed over, and counted as skipped.  Return
 * how many were replayed, or -1.
 */
int64_t operation_group_move(struct db *db,
    const struct operation_group_row *group, int64_t most, int64_t now_ms);
/** In a bracket of its own: its canaries were accepted, so it moves on; or
 * one was not, and its rows stay dead.  0 or -1. */
int operation_group_judge(
    struct db *db, const struct operation_group_row *group, bool accepted);

/** Whether rows that it replayed are pending: 1, 0, -1. */
int operation_group_pends(
    struct db *db, const struct operation_group_row *group);

/** Whether the operation has rows to move, or that pend: 1, 0, -1. */
int operation_group_left(struct db *db, int64_t operation_id);
/** In the caller's bracket: its groups have nothing more to move.  0 or -1. */
int operation_group_forget(struct db *db, int64_t operation_id);
/** In the caller's bracket, before the operation goes: its groups go.  0 or -1. */
int operation_group_remove(struct db *db, int64_t operation_id);

/** In the caller's bracket, before the rows go: count the replayed ones among
 * those of the lane from ${first} to ${last} as delivered.  0 or -1. */
int operation_group_delivered(
    struct db *db, int64_t lane_id, int64_t first, int64_t last);
/** In the caller's bracket: the row died; if it was replayed, it was refused
 * again.  0 or -1. */
int operation_group_refused(struct db *db, int64_t id);

#endif
