#include "ledger.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/fault.h"
#include "db.h"
#include "gate.h"

/* In the order of struct ledger_row. */
static const char READ_ROW[] =
    "SELECT last_id, accepted, pending, delivered, dead, expired, dropped,"
    "  purged, replayed, missing, duplicates, ambiguous"
    " FROM ledger WHERE id = 1";

#define LAST_ID_MOST (INT64_MAX / 2)

static const char READ_LAST_ID[] = "SELECT last_id FROM ledger WHERE id = 1";

/* Only pending and dead are ever left; a row that is not there cannot be. */
static const char ADD[] =
    "UPDATE ledger SET last_id = last_id + :last_id,"
    "  accepted = accepted + :accepted, pending = pending + :pending,"
    "  delivered = delivered + :delivered, dead = dead + :dead,"
    "  expired = expired + :expired, dropped = dropped + :dropped,"
    "  purged = purged + :purged, replayed = replayed + :replayed,"
    "  missing = missing + :missing, duplicates = duplicates + :duplicates,"
    "  ambiguous = ambiguous + :ambiguous"
    " WHERE id = 1 AND pending + :pending >= 0 AND dead + :dead >= 0";

static const char ADD_GAP[] =
    "INSERT INTO gap (first_id, last_id, noticed_at, reason)"
    " VALUES (:first_id, :last_id, :now, :reason)";

static const char IN_GAP[] =
    "SELECT 1 FROM gap WHERE :id BETWEEN first_id AND last_id";

#define ROW_MEMBER(row, offset) ((int64_t *)(void *)((char *)(row) + (offset)))

/* The counters, in the order of READ_ROW. */
static const struct counter {
	const char *parameter;
	size_t offset;
} COUNTERS[] = {
	{ ":last_id", offsetof(struct ledger_row, last_id) },
	{ ":accepted", offsetof(struct ledger_row, accepted) },
	{ ":pending", offsetof(struct ledger_row, pending) },
	{ ":delivered", offsetof(struct ledger_row, delivered) },
	{ ":dead", offsetof(struct ledger_row, dead) },
	{ ":expired", offsetof(struct ledger_row, expired) },
	{ ":dropped", offsetof(struct ledger_row, dropped) },
	{ ":purged", offsetof(struct ledger_row, purged) },
	{ ":replayed", offsetof(struct ledger_row, replayed) },
	{ ":missing", offsetof(struct ledger_row, missing) },
	{ ":duplicates", offsetof(struct ledger_row, duplicates) },
	{ ":ambiguous", offsetof(struct ledger_row, ambiguous) },
};
#define COUNTER_COUNT (sizeof(COUNTERS) / sizeof(COUNTERS[0]))

static const size_t COLUMNS[] = {
	[LEDGER_ACCEPTED] = offsetof(struct ledger_row, accepted),
	[LEDGER_PENDING] = offsetof(struct ledger_row, pending),
	[LEDGER_DELIVERED] = offsetof(struct ledger_row, delivered),
	[LEDGER_DEAD] = offsetof(struct ledger_row, dead),
	[LEDGER_EXPIRED] = offsetof(struct ledger_row, expired),
	[LEDGER_DROPPED] = offsetof(struct ledger_row, dropped),
	[LEDGER_PURGED] = offsetof(struct ledger_row, purged),
};

static int
no_row(struct db *db)
{
	struct fault fault = { 0 };

	fault_set(&fault, FAULT_CORRUPT, "the queue has no ledger row");
	fault_hint(&fault, "run: monspool audit --deep");
	return db_fail(db, &fault);
}

int
ledger_read(struct db *db, struct ledger_row *row)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	size_t i;

	if ((stmt = db_prepare(db, READ_ROW)) == NULL)
		return -1;
	if ((stepped = db_step(db, stmt)) == DB_FAILED)
		return -1;
	if (stepped == DB_DONE)
		return no_row(db);
	for (i = 0; i < COUNTER_COUNT; i++)
		*ROW_MEMBER(row, COUNTERS[i].offset) = db_column_int(
		    stmt, (int)i);
	db_reset(stmt);
	return 0;
}

/* Add ${delta} to the counters. */
static int
add(struct db *db, struct ledger_row *delta)
{
	struct sqlite3_stmt *stmt;
	struct fault fault = { 0 };
	size_t i;

	if ((stmt = db_prepare(db, ADD)) == NULL)
		return -1;
	for (i = 0; i < COUNTER_COUNT; i++)
		db_bind_int(db, stmt, COUNTERS[i].parameter,
		    *ROW_MEMBER(delta, COUNTERS[i].offset));
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	if (db_changes(db) == 1)
		return 0;
	fault_set(&fault, FAULT_LEDGER_BROKEN,
	    "the ledger does not know the rows that are to be moved");
	fault_hint(&fault, "run: monspool audit");
	return db_fail(db, &fault);
}

static int
read_last_id(struct db *db, int64_t *last_id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, READ_LAST_ID)) == NULL)
		return -1;
	if ((stepped = db_step(db, stmt)) == DB_FAILED)
		return -1;
	if (stepped == DB_DONE)
		return no_row(db);
	*last_id = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

/* The ids after ${last_id} up to ${mark} were given and acknowledged, and
 * the file does not know them. */
static int
add_gap(struct db *db, int64_t last_id, int64_t mark)
{
	struct ledger_row delta = { .last_id = mark - last_id,
		.missing = mark - last_id };
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, ADD_GAP)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":first_id", last_id + 1);
	db_bind_int(db, stmt, ":last_id", mark);
	db_bind_int(db, stmt, ":now", clock_wall_ms());
	db_bind_text(db, stmt, ":reason",
	    "the file lost these ids after they were acknowledged: damaged or"
	    " removed WAL, or an older copy was put back");
	if (db_step(db, stmt) != DB_DONE)
		return -1;
	return add(db, &delta);
}

/* Ids are added to, so what only a hand in the file can have put there must
 * not come near the end of the numbers. */
static int
check_id(struct db *db, int64_t last_id)
{
	struct fault fault = { 0 };

	if (last_id >= 0 && last_id <= LAST_ID_MOST)
		return 0;
	fault_set(&fault, FAULT_LEDGER_BROKEN,
	    "the ledger's last id, %lld, was never given", (long long)last_id);
	fault_hint(&fault, "run: monspool audit");
	return db_fail(db, &fault);
}

/* One that no id can be above is damage, like one whose CRC is wrong. */
static int64_t
read_mark(struct gate *gate)
{
	int64_t mark = gate_mark(gate);

	return mark <= LAST_ID_MOST ? mark : -1;
}

int
ledger_next_id(struct db *db, int64_t *next_id)
{
	int64_t last_id = 0, mark;

	if (read_last_id(db, &last_id) || check_id(db, last_id))
		return -1;
	if ((mark = read_mark(db_gate(db))) > last_id) {
		if (add_gap(db, last_id, mark))
			return -1;
		db_note_last_id(db, mark);
		last_id = mark;
	}
	*next_id = last_id + 1;
	return 0;
}

int64_t
ledger_mark(struct db *db)
{
	struct gate *gate;

	/* who only looks makes no gate */
	if (place_size(db_place(db)->gate) == 0 || (gate = db_gate(db)) == NULL)
		return -1;
	return read_mark(gate);
}

int
ledger_find_missing(struct db *db, int64_t mark, int64_t *first, int64_t *last)
{
	int64_t last_id;

	*first = *last = 0;
	if (read_last_id(db, &last_id))
		return -1;
	if (mark > last_id) {
		*first = last_id + 1;
		*last = mark;
	}
	return 0;
}

/* Give ids for the rows of ${delta}. */
static int
give_ids(struct db *db, struct ledger_row *delta, int64_t *first_id)
{
	if (ledger_next_id(db, first_id) || add(db, delta))
		return -1;
	db_note_last_id(db, *first_id + delta->last_id - 1);
	return 0;
}

int
ledger_accept(struct db *db, int64_t rows, int64_t *first_id)
{
	struct ledger_row delta = {
		.last_id = rows, .accepted = rows, .pending = rows
	};

	return give_ids(db, &delta, first_id);
}

int
ledger_replay(struct db *db, int64_t rows, int64_t *first_id)
{
	struct ledger_row delta = { .last_id = rows,
		.replayed = rows,
		.dead = -rows,
		.pending = rows };

	return give_ids(db, &delta, first_id);
}

int
ledger_import(struct db *db, int64_t rows, int64_t *first_id)
{
	struct ledger_row delta = {
		.last_id = rows, .accepted = rows, .dead = rows
	};

	return give_ids(db, &delta, first_id);
}

int
ledger_move(
    struct db *db, enum ledger_column from, enum ledger_column to, int64_t rows)
{
	struct ledger_row delta = { 0 };
	struct fault fault = { 0 };

	if (rows == 0)
		return 0;
	if (rows < 0 || (from != LEDGER_PENDING && from != LEDGER_DEAD) ||
	    to == LEDGER_ACCEPTED || to == LEDGER_PENDING || to == from) {
		fault_set(&fault, FAULT_INTERNAL,
		    "a move that the ledger does not know");
		return db_fail(db, &fault);
	}
	*ROW_MEMBER(&delta, COLUMNS[from]) -= rows;
	*ROW_MEMBER(&delta, COLUMNS[to]) += rows;
	return add(db, &delta);
}

int
ledger_count_duplicates(struct db *db, int64_t rows)
{
	struct ledger_row delta = { .duplicates = rows };

	return add(db, &delta);
}

int
ledger_count_ambiguous(struct db *db, int64_t requests)
{
	struct ledger_row delta = { .ambiguous = requests };

	return add(db, &delta);
}

int
ledger_is_missing(struct db *db, int64_t id)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, IN_GAP)) == NULL)
		return -1;
	db_bind_int(db, stmt, ":id", id);
	stepped = db_step(db, stmt);
	db_reset(stmt);
	return (int)stepped;
}

bool
ledger_balanced(const struct ledger_row *row)
{
	return row->accepted ==
	    row->pending + row->delivered + row->dead + row->expired +
		row->dropped + row->purged &&
	    row->last_id == row->accepted + row->replayed + row->missing;
}
