#ifndef QUEUE_OPERATION_H
#define QUEUE_OPERATION_H

#include <stdint.h>

struct db;

enum operation_kind {
	OPERATION_REPLAY,
	OPERATION_EDIT,
	OPERATION_PURGE,
	OPERATION_IMPORT
};

/* See operation in schema/0001-queue.sql for which state may follow which. */
enum operation_state {
	OPERATION_CHOOSING,
	OPERATION_WAITING,
	OPERATION_RUNNING,
	OPERATION_DONE,
	OPERATION_CANCELLED
};

#define OPERATION_TEXT 256
/** Rows a transaction of an operation moves at most (contract.md H23). */
#define OPERATION_ROWS 5000

struct operation_row {
	int64_t id;
	enum operation_kind kind;
	enum operation_state state;
	char asked_by[64], selection[OPERATION_TEXT];
	int64_t asked_at, moved_at, ended_at; /* ended_at -1: it is open */
	int64_t matched, done, skipped;
	/* Of a replay: how it is to be done, and the sums of its groups. */
	int64_t canary;
	double rate; /* rows a second, 0: at once */
	int64_t groups, canaries_refused, replayed, delivered, refused_again;
};

const char *operation_kind_name(enum operation_kind kind);
const char *operation_state_name(enum operation_state state);

/** An ended operation is remembered while it is one of the latest so many, or
 * ended no longer ago than that; and in any case not beyond so many. */
#define OPERATION_KEPT 1000
#define OPERATION_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)
#define OPERATION_KEPT_MOST 100000

/** In the caller's bracket: store kind, state, asked_by, asked_at, selection,
 * matched, skipped, canary and rate of ${row}, whose id is set.  Open ones
 * that their asker left behind a minute ago are cancelled: choosing, and all but
 * replays.  A few that are past remembering are removed.  0 or -1. */
int operation_new(struct db *db, struct operation_row *row);
/** 1 found, 0 not, -1. */
int operation_load(struct db *db, int64_t id, struct operation_row *row);
/** The open ones with an id above ${after}; how many, or -1. */
int operation_list(
    struct db *db, int64_t after, struct operation_row *rows, int count);
/** In the caller's bracket: it goes from one state to the next.  An open one
 * alone is changed.  1 changed, 0 not, -1. */
int operation_set(
    struct db *db, int64_t id, enum operation_state state, int64_t now_ms);
/** In the caller's bracket: so many more are done, and skipped.  0 or -1. */
int operation_count(
    struct db *db, int64_t id, int64_t done, int64_t skipped, int64_t now_ms);

/** In a bracket of its own: a replay of which nothing is left to do is done.
 * 1 it is over, 0 not yet, -1. */
int operation_settle(struct db *db, int64_t id, int64_t now_ms);
/** In a bracket of its own: end it; what it moved stays moved.  1, 0 if it
 * was not open, -1. */
int operation_cancel(struct db *db, int64_t id, int64_t now_ms);

/** In the caller's bracket: one that was cut short runs again.  0 or -1. */
int operation_reopen(struct db *db, int64_t id, int64_t now_ms);
/** The latest import of ${selection}, finished or not: 1, 0, -1. */
int operation_find_import(
    struct db *db, const char *selection, struct operation_row *row);

#endif
