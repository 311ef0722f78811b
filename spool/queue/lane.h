#ifndef QUEUE_LANE_H
#define QUEUE_LANE_H

#include <stdbool.h>
#include <stdint.h>

struct db;

#define LANE_TEXT 256

/* The scope of a hold that only an operator ends, though the forwarder made it. */
#define LANE_BRAKE "brake"

/* See lane in schema/0001-queue.sql for which state may follow which. */
enum lane_state {
	LANE_READY,
	LANE_WAITING,
	LANE_HELD
};

/* What an operator may ask of a lane, see wish.h. */
enum lane_ask {
	LANE_ASK_NOTHING,
	LANE_ASK_HOLD,
	LANE_ASK_RELEASE,
	LANE_ASK_PROBE
};

/** Mirrors the table; -1 for NULL numbers, "" for NULL texts. */
struct lane_row {
	int64_t id;
	char ns[LANE_TEXT], region[LANE_TEXT], account[LANE_TEXT];
	int64_t pending;
	enum lane_state state;
	int64_t since_at, wake_at;
	int64_t failures;
	char scope[32], held_by[16], reason[LANE_TEXT];
	int64_t held_until;
	int64_t code;
	int64_t row_cap, byte_cap;
	int64_t doomed_through, doomed_code, doomed_attempt;
	char doomed_message[LANE_TEXT + 8];
	enum lane_ask asked;
};

/** Find or make the lane; its id into ${id}.  In the caller's bracket when it
 * may be new.  0 or -1. */
int lane_intern(struct db *db, const char *ns, const char *region,
    const char *account, int64_t *id);
/** 1 found, 0 not, -1 failed; a name longer than LANE_TEXT is FAULT_CORRUPT,
 * here and in lane_list(). */
int lane_load(struct db *db, int64_t id, struct lane_row *row);
/** All lanes in id order, after ${after}; at most ${count}.  Return how many, or -1. */
int lane_list(struct db *db, int64_t after, struct lane_row *rows, int count);
/** Store state, since, wake, failures, scope, held_*, reason, code, caps and
 * doomed_* of ${row}; never pending, the name or what is asked.  0 or -1. */
int lane_store(struct db *db, const struct lane_row *row);
/** Whether an operator holds the lane, or has to end its hold. */
bool lane_is_operators(const struct lane_row *row);
/** Add ${delta} to pending.  0 or -1 (below zero: FAULT_LEDGER_BROKEN). */
int lane_count(struct db *db, int64_t id, int64_t delta);

/** In a bracket of its own: the lane goes, if it is ready and nothing in the
 * queue is of it any more, rows, series or requests.  That with the highest
 * id stays, so that none is given twice.  1 it went, 0 it did not, -1. */
int lane_collect(struct db *db, int64_t id);

const char *lane_state_name(enum lane_state state);
/** The state called ${name}; LANE_HELD where there is none. */
enum lane_state lane_state_named(const char *name);

#endif
