#ifndef QUEUE_DEADLETTER_H
#define QUEUE_DEADLETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/** Why a row dies.  The texts stay the caller's; they are copied. */
struct death {
	const char
	    *cause; /* "code", "http", "oversize", "late", "check", ... */
	int code;   /* the receiver's code, -1 when it gave none */
	const char *message; /* the receiver's words, escaped; or ours */
	const char *scope;   /* whose fault it is: "row", "series", ... */
	int http_status;     /* 0: none */
	int64_t attempt_id;  /* the request that decided, -1: none */
	bool alone;          /* it was the only row or series of that request */
	const char *contrast; /* what was accepted beside it, or NULL */
	const char *evidence; /* the request and its answer, one line */
	int64_t died_at;
};

/**
 * deadletter_move(db, lane_id, id, death):
 * Move the queued row ${id} of lane ${lane_id} to the dead letters, giving
 * ${death} as the reason, and move one from pending to dead in the ledger and
 * off the lane's count.  A row that is no longer queued is left alone, and the
 * ledger with it.  Return the rows moved (1 or 0), or -1 with the reason in
 * db_error(${db}); then nothing changed.
 */
int deadletter_move(
    struct db *db, int64_t lane_id, int64_t id, const struct death *death);

/** In the caller's bracket: the lane of the dead row ${id}.  1, 0 (it is dead
 * no longer, or its series is lost), -1. */
int deadletter_lane(struct db *db, int64_t id, int64_t *lane_id);
/** In the caller's bracket: remove it; what belongs to it, and the ledger, are
 * the caller's.  Rows removed, or -1. */
int64_t deadletter_remove(struct db *db, int64_t id);
/** In the caller's bracket: it is of another series now.  Rows changed, or -1. */
int64_t deadletter_set_series(struct db *db, int64_t id, int64_t series_id);

/** A row that comes from outside. */
struct deadletter_new {
	int64_t id, series_id;
	const char *value;
	size_t value_len;
	int64_t accepted_at, observed_at; /* observed_at -1: not told */
	int64_t attempts, died_at;
	int64_t code; /* that it was refused with, -1: none */
	const char *message;
};
/** In the caller's bracket: insert it, cause "import".  0 or -1. */
int deadletter_import(struct db *db, const struct deadletter_new *row);

/** One dead row, as the interface shows it.  -1 and NULL for what is unknown.
 * Texts live until the callback returns. */
struct deadletter_row {
	int64_t id, series_id, lane_id; /* lane_id -1: its series is lost */
	const char *ns, *region, *account, *metric, *dimensions, *value;
	int64_t code;
	const char *cause, *scope, *message;
	int64_t attempts, accepted_at, observed_at, expires_at, died_at;
	int64_t replays, origin_id; /* 0, -1: never replayed */
	int64_t http_status, attempt_id;
	bool alone;
	const char *contrast, *evidence;
};
typedef int deadletter_visit(void *cookie, const struct deadletter_row *row);

/** Which dead rows; every member narrows, NULL or -1 (ids: NULL) does not. */
struct deadletter_filter {
	const char
	    *codes; /* JSON array of integers and null, as "[1016,null]" */
	const char *causes; /* JSON array of strings */
	const char *ns_glob, *region_glob, *account_glob; /* as text_glob() */
	const char *metric_glob;
	const char *dimension_key, *dimension_value; /* both or neither */
	int64_t since, until;                        /* time of death */
	int64_t accepted_before, accepted_after;
	int64_t replays_least;     /* -1: any */
	int64_t first_id, last_id; /* 0: any */
	int64_t operation;         /* that replayed or edited it; 0: any */
};
enum deadletter_order {
	DEADLETTER_BY_ID,
	DEADLETTER_BY_AGE, /* oldest death first */
	DEADLETTER_BY_CODE
};

/** Visit dead rows, at most ${limit} (-1: all): first their ids are taken, 8
 * bytes a row, then one row after the other is read, so that no read
 * transaction is open while ${visit} runs.  What ${visit} returns other than
 * 0 ends the list.  Return the number visited, or -1. */
int64_t deadletter_list(struct db *db, const struct deadletter_filter *filter,
    enum deadletter_order order, int64_t limit, deadletter_visit *visit,
    void *cookie);
/** One by id: 1 visited, 0 none, -1. */
int deadletter_show(
    struct db *db, int64_t id, deadletter_visit *visit, void *cookie);

/** Dead rows that have code, cause, namespace and metric in common.  Texts
 * live until the callback returns. */
struct deadletter_group {
	int64_t code, http_status;                 /* -1, 0: none */
	const char *cause, *ns, *metric, *message; /* message: the example's */
	int64_t rows, first_died_at, last_died_at, example_id;
};
typedef int deadletter_group_visit(
    void *cookie, const struct deadletter_group *group);
/** Visit all groups, largest first, in one snapshot; ${visit} must not wait for
 * anybody.  What it returns other than 0 ends the list.  How many, or -1. */
int64_t deadletter_groups(
    struct db *db, deadletter_group_visit *visit, void *cookie);

typedef void deadletter_recent_visit(
    void *cookie, int64_t lane_id, int64_t rows);
/** Visit the lanes of which rows died after ${after} and not after ${until}, in
 * id order, with how many.  Imported rows do not count, nor what died before a
 * lane became ready.  At most the ${most} latest deaths of the queue are looked
 * at.  0 or -1. */
int deadletter_recent(struct db *db, int64_t after, int64_t until, int64_t most,
    deadletter_recent_visit *visit, void *cookie);

#endif
