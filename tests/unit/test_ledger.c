/* links: queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/deadletter.h"
#include "queue/gate.h"
#include "queue/lane.h"
#include "queue/metric.h"

#include "store_fixture.h"

#define BRACKET(db, call) \
	do { \
		assert_int_equal(db_begin(db), 0); \
		assert_int_equal(call, 0); \
		assert_int_equal(db_commit(db), 0); \
	} while (0)

static void
gives_ids_that_follow_one_another(void **state)
{
	struct store *store = *state;
	int64_t first;

	BRACKET(store->db, ledger_accept(store->db, 3, &first));
	assert_int_equal(first, 1);
	BRACKET(store->db, ledger_accept(store->db, 2, &first));
	assert_int_equal(first, 4);
	assert_int_equal(store_ledger(store).last_id, 5);
	assert_int_equal(store_ledger(store).pending, 5);
	assert_true(ledger_balanced(
	    &(struct ledger_row){ .last_id = 5, .accepted = 5, .pending = 5 }));
}

static void
gives_an_id_again_only_after_a_rollback(void **state)
{
	struct store *store = *state;
	int64_t first, again;

	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(ledger_accept(store->db, 3, &first), 0);
	db_rollback(store->db);
	BRACKET(store->db, ledger_accept(store->db, 1, &again));
	assert_int_equal(again, first);
}

static void
moves_from_pending_to_every_end(void **state)
{
	static const enum ledger_column ENDS[] = { LEDGER_DELIVERED,
		LEDGER_DEAD, LEDGER_EXPIRED, LEDGER_DROPPED, LEDGER_PURGED };
	struct store *store = *state;
	struct ledger_row row;
	int64_t first;
	size_t i;

	BRACKET(store->db, ledger_accept(store->db, 15, &first));
	for (i = 0; i < 5; i++)
		BRACKET(store->db,
		    ledger_move(
			store->db, LEDGER_PENDING, ENDS[i], (int64_t)i + 1));
	row = store_ledger(store);
	assert_int_equal(row.delivered, 1);
	assert_int_equal(row.dead, 2);
	assert_int_equal(row.expired, 3);
	assert_int_equal(row.dropped, 4);
	assert_int_equal(row.purged, 5);
	assert_int_equal(row.pending, 0);
	assert_true(ledger_balanced(&row));
}

static void
never_goes_below_zero(void **state)
{
	struct store *store = *state;
	int64_t first;

	BRACKET(store->db, ledger_accept(store->db, 1, &first));
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_PENDING, LEDGER_DELIVERED, 2), -1);
	db_rollback(store->db);
	assert_int_equal(db_fault(store->db)->kind, FAULT_LEDGER_BROKEN);
	assert_int_equal(store_ledger(store).pending, 1);
	assert_int_equal(store_ledger(store).delivered, 0);
}

static void
refuses_moves_that_are_none(void **state)
{
	struct store *store = *state;
	int64_t first;

	BRACKET(store->db, ledger_accept(store->db, 5, &first));
	assert_int_equal(db_begin(store->db), 0);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_ACCEPTED, LEDGER_DEAD, 1), -1);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_DEAD, LEDGER_PENDING, 1), -1);
	assert_int_equal(
	    ledger_move(store->db, LEDGER_PENDING, LEDGER_DEAD, -1), -1);
	assert_int_equal(db_fault(store->db)->kind, FAULT_INTERNAL);
	db_rollback(store->db);
}

static void
replays_under_new_ids(void **state)
{
	struct store *store = *state;
	struct ledger_row row;
	int64_t first;

	BRACKET(store->db, ledger_accept(store->db, 4, &first));
	BRACKET(
	    store->db, ledger_move(store->db, LEDGER_PENDING, LEDGER_DEAD, 3));
	BRACKET(store->db, ledger_replay(store->db, 2, &first));
	row = store_ledger(store);
	assert_int_equal(first, 5);
	assert_int_equal(row.last_id, 6);
	assert_int_equal(row.dead, 1);
	assert_int_equal(row.pending, 3);
	assert_int_equal(row.replayed, 2);
	assert_true(ledger_balanced(&row));
}

static void
counts_beside_the_law(void **state)
{
	struct store *store = *state;
	struct ledger_row row;

	BRACKET(store->db, ledger_count_duplicates(store->db, 3));
	BRACKET(store->db, ledger_count_ambiguous(store->db, 2));
	row = store_ledger(store);
	assert_int_equal(row.duplicates, 3);
	assert_int_equal(row.ambiguous, 2);
	assert_true(ledger_balanced(&row));
}

/* H9: the gate's mark knows more than the file. */
static void
names_lost_ids_and_goes_on_above_them(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };
	struct ledger_row row;
	int64_t id;

	store_put(store, "cvm", "cpu", 1);
	assert_int_equal(gate_enter(db_gate(store->db), 5000, &fault), GATE_IN);
	gate_set_mark(db_gate(store->db), 7);
	gate_leave(db_gate(store->db));
	id = store_put(store, "cvm", "cpu", 2);
	row = store_ledger(store);
	assert_int_equal(id, 8);
	assert_int_equal(row.missing, 6);
	assert_int_equal(row.accepted, 2);
	assert_true(ledger_balanced(&row));
	assert_int_equal(store_ask(store, "SELECT first_id FROM gap"), 2);
	assert_int_equal(store_ask(store, "SELECT last_id FROM gap"), 7);
	assert_int_equal(store_put(store, "cvm", "cpu", 3), 9);
	assert_int_equal(store_ask(store, "SELECT count(*) FROM gap"), 1);
	store_audit(store);
}

static void
a_mark_that_no_id_can_be_above_is_none(void **state)
{
	struct store *store = *state;
	int64_t first;

	gate_set_mark(db_gate(store->db), INT64_MAX);
	assert_int_equal(ledger_mark(store->db), -1);
	BRACKET(store->db, ledger_accept(store->db, 1, &first));
	assert_int_equal(first, 1);
	assert_int_equal(gate_mark(db_gate(store->db)), 1);
}

static void
a_mark_below_the_file_is_harmless(void **state)
{
	struct store *store = *state;
	struct fault fault = { 0 };

	store_fill(store, "cvm", "cpu", 5);
	assert_int_equal(gate_enter(db_gate(store->db), 5000, &fault), GATE_IN);
	gate_set_mark(db_gate(store->db), 2);
	gate_leave(db_gate(store->db));
	assert_int_equal(store_put(store, "cvm", "cpu", 9), 6);
	assert_int_equal(store_ledger(store).missing, 0);
}

/*
 * Random operations, beside a reference of a few numbers; both laws and every
 * count are compared after each, and the rows are counted now and then.
 */
#define MODEL_LANES 3
#define MODEL_ROWS 4096

struct model {
	struct ledger_row ledger;
	int64_t lane_ids[MODEL_LANES];
	int64_t pending[MODEL_ROWS], lanes[MODEL_ROWS];
	int pending_count;
	uint64_t seed;
};

static int
roll(struct model *model, int sides)
{
	model->seed = model->seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((model->seed >> 33) % (uint64_t)sides);
}

static void
put_some(struct store *store, struct model *model, bool abandon)
{
	static const char *const NAMES[MODEL_LANES] = { "a", "b", "c" };
	int count = roll(model, 20), lane = roll(model, MODEL_LANES), i;
	int kept = model->pending_count;
	struct entry entry;
	int64_t id;

	if (kept + count > MODEL_ROWS)
		return;
	store_begin(store);
	for (i = 0; i < count; i++) {
		entry = store_entry(
		    NAMES[lane], roll(model, 2) ? "cpu" : "mem", i);
		assert_int_equal(store_add(store, &entry, 1000, &id), 0);
		model->pending[model->pending_count] = id;
		model->lanes[model->pending_count++] = lane;
	}
	if (abandon) {
		writer_abandon(store->writer);
		model->pending_count = kept;
		return;
	}
	store_commit(store);
	model->ledger.accepted += count;
	model->ledger.pending += count;
	model->ledger.last_id += count;
}

static int64_t
lane_of(struct store *store, int lane)
{
	static const char *const ASK[MODEL_LANES] = {
		"SELECT id FROM lane WHERE namespace = 'a'",
		"SELECT id FROM lane WHERE namespace = 'b'",
		"SELECT id FROM lane WHERE namespace = 'c'",
	};

	return store_ask(store, ASK[lane]);
}

/* Let a row die, or be delivered. */
static void
end_one(struct store *store, struct model *model, bool dies)
{
	const struct death death = { .cause = "code",
		.code = 1017,
		.message = "no",
		.scope = "row",
		.attempt_id = -1,
		.died_at = 2000 };
	int at, last = model->pending_count - 1;
	int64_t lane_id;

	if (last < 0)
		return;
	at = roll(model, last + 1);
	lane_id = lane_of(store, (int)model->lanes[at]);
	if (dies) {
		assert_int_equal(deadletter_move(store->db, lane_id,
				     model->pending[at], &death),
		    1);
		model->ledger.dead++;
	} else {
		assert_int_equal(db_begin(store->db), 0);
		assert_int_equal(
		    metric_remove(store->db, lane_id, model->pending[at]), 1);
		assert_int_equal(lane_count(store->db, lane_id, -1), 0);
		assert_int_equal(
		    ledger_move(store->db, LEDGER_PENDING, LEDGER_DELIVERED, 1),
		    0);
		assert_int_equal(db_commit(store->db), 0);
		model->ledger.delivered++;
	}
	model->ledger.pending--;
	model->pending[at] = model->pending[last];
	model->lanes[at] = model->lanes[last];
	model->pending_count--;
}

static void
agrees_with_a_small_reference(void **state)
{
	struct store *store = *state;
	struct model model = { .seed = 20261124 };
	struct ledger_row row;
	int i;

	for (i = 0; i < 2000; i++) {
		switch (roll(&model, 6)) {
		case 0:
			put_some(store, &model, false);
			break;
		case 1:
			put_some(store, &model, true);
			break;
		case 2:
			end_one(store, &model, true);
			break;
		default:
			end_one(store, &model, false);
		}
		row = store_ledger(store);
		assert_memory_equal(&row, &model.ledger, sizeof(row));
		if (i % 100 == 0)
			store_audit(store);
	}
	store_audit(store);
	assert_true(model.ledger.dead > 100 && model.ledger.delivered > 100);
}

static void
gives_no_id_where_the_last_was_never_given(void **state)
{
	static const char *const IDS[] = { "9223372036854775807",
		"-9223372036854775808", "-1" };
	struct store *store = *state;
	int64_t next;
	char sql[96];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(
		    sql, sizeof(sql), "UPDATE ledger SET last_id = %s", IDS[i]);
		store_run(store, sql);
		assert_int_equal(db_begin(store->db), 0);
		assert_int_equal(ledger_next_id(store->db, &next), -1);
		assert_int_equal(
		    db_fault(store->db)->kind, FAULT_LEDGER_BROKEN);
		db_rollback(store->db);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(gives_ids_that_follow_one_another),
		STORE_TEST(gives_an_id_again_only_after_a_rollback),
		STORE_TEST(moves_from_pending_to_every_end),
		STORE_TEST(never_goes_below_zero),
		STORE_TEST(refuses_moves_that_are_none),
		STORE_TEST(replays_under_new_ids),
		STORE_TEST(counts_beside_the_law),
		STORE_TEST(names_lost_ids_and_goes_on_above_them),
		STORE_TEST(a_mark_that_no_id_can_be_above_is_none),
		STORE_TEST(a_mark_below_the_file_is_harmless),
		STORE_TEST(agrees_with_a_small_reference),
		STORE_TEST(gives_no_id_where_the_last_was_never_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
