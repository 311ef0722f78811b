#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/ledger.h"
#include "queue/operation_group.h"

#include "spool.h"

/*
 * What a queue must be, kept in memory: rows in the order of their ids, keys,
 * lanes and the ledger, by the table of contract.md 1.1 and nothing else.
 * A model can be told to do one thing wrong, to show that it is noticed.
 */

#define MODEL_ROWS 400
#define MODEL_KEYS 24
#define MODEL_NAMESPACES 2
#define MODEL_REGIONS 2
#define MODEL_ACCOUNTS 2
#define MODEL_LANES (MODEL_NAMESPACES * MODEL_REGIONS * MODEL_ACCOUNTS)

enum model_wrong {
	MODEL_RIGHT,
	MODEL_COUNTS_DUPLICATES, /* as accepted */
	MODEL_FORGETS_KEYS,
	MODEL_SWAPS_ROWS, /* of a put */
	MODEL_SKIPS_ATTEMPTS,
	MODEL_BURIES_DELIVERED,
	MODEL_DELIVERS_ONE_LESS,
	MODEL_DROPS_NEWEST,
	MODEL_EDITS_NOTHING,
	MODEL_FORGETS_ORIGINS,
	MODEL_REPLAYS_IN_PLACE, /* not at the tail */
	MODEL_SKIPS_REFUSALS,   /* of replayed rows */
	MODEL_PURGES_NEWEST,
	MODEL_IGNORES_GAPS,
	MODEL_IGNORES_HOLDS,
	MODEL_UNDOES_NOTHING, /* when a transaction is rolled back */
	MODEL_WRONGS
};

/** What names a series, as numbers. */
struct model_series {
	int ns, region, account, metric, disk;
};

struct model_row {
	int64_t id, origin_id; /* origin_id -1: never replayed */
	struct model_series series;
	int64_t value, attempts, accepted_at, observed_at, expires_at;
	int64_t replays, edits;
	int group; /* that replayed it, -1: none */
	bool alone, dead;
	int64_t died_at, code; /* of a dead one */
	bool imported;
};

struct model_key {
	int64_t id, expires_at;
};

struct model_lane {
	bool exists, held;
	int64_t until; /* -1: it is held for ever */
};

/** A replay: one group, whose rows are moved bit by bit. */
struct model_replay {
	int64_t operation_id, group_id; /* of the queue; 0: there is none */
	int64_t ids[MODEL_ROWS];
	int count, looked_at; /* of the ids, and how many of them */
	int number;           /* as in model_row.group */
	enum operation_group_state state;
	bool over;
	int64_t replayed, delivered, refused_again, skipped;
};

struct model {
	enum model_wrong wrong;
	int64_t now_ms, key_memory_ms;
	int64_t mark; /* the last id that the gate knows */
	struct ledger_row ledger;
	struct model_row rows[MODEL_ROWS];
	int count;
	struct model_key keys[MODEL_KEYS];
	struct model_lane lanes[MODEL_LANES];
	struct model_replay replay;
	int replays; /* so far */
};

int model_lane_of(const struct model_series *series);
/** Rows of the lane that pend. */
int model_pending(const struct model *model, int lane);
/** The row ${id}, or NULL. */
struct model_row *model_find(struct model *model, int64_t id);

/** A writing transaction begins in which ids may be given: ids that the file
 * does not know are noticed. */
void model_look(struct model *model);
/** Put ${row}, in order, under ${key} (-1: none).  Return its id, or the first
 * one's with ${known}. */
int64_t model_put(
    struct model *model, const struct model_row *row, int key, bool *known);
/** All rows of a put by one key are duplicates. */
bool model_put_known(struct model *model, int key, int rows);
/** What was put last is complete: ${rows} rows. */
void model_put_done(struct model *model, int rows);

/** One attempt more for the pending rows of the lane from one id to another. */
void model_attempted(
    struct model *model, int lane, int64_t first, int64_t last);
void model_delivered(
    struct model *model, int lane, int64_t first, int64_t last);
void model_expired(struct model *model, int64_t id);
void model_died(struct model *model, int64_t id, int64_t code);
/** How many went. */
int model_dropped(struct model *model, int64_t below, int count);

/** Give each of the dead rows ${ids} that is still there the series' parts
 * that are not -1.  How many changed. */
int model_edited(struct model *model, const int64_t *ids, int count,
    const struct model_series *parts);
/** Rows replayed. */
int model_replayed(
    struct model *model, const int64_t *ids, int count, int group, bool alone);
/** The next ${most} rows of the replay.  How many were replayed. */
int model_replay_step(struct model *model, int most);
void model_replay_judged(struct model *model, bool accepted);
/** Whether the replay has rows to move, or that pend. */
bool model_replay_left(const struct model *model);
int model_purged(struct model *model, const int64_t *ids, int count);
int model_purged_bounds(
    struct model *model, int max_rows, int64_t died_before, int most);
int64_t model_imported(struct model *model, const struct model_row *row);

/** What the wire, and the list of dead rows, call it. */
const char *model_namespace(int ns);
const char *model_region(int region);
const char *model_account(int account);

/** Whether the open queue is as ${model} says: ledger, laws, lanes, every row in
 * order, the replay under way, the audit.  If not, ${why} says where. */
bool model_agrees(
    struct model *model, struct spool *spool, bool deep, char why[256]);

#endif
