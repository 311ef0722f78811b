/* links: forward */
/* Replays, carried out by the core in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/edit.h"
#include "queue/operation.h"
#include "queue/operation_group.h"
#include "queue/reshape.h"

#include "sim.h"

#include "disk_fixture.h"

#define MISSPELT "\"Namespace\":\"cvm_prdo\""
#define ROWS_MOST 1024

/* ---- what operators do ---- */

struct ids {
	int64_t ids[ROWS_MOST];
	size_t count;
	int64_t lane_id;
};

static int
take(void *cookie, const struct deadletter_row *row)
{
	struct ids *ids = cookie;

	assert_true(ids->count < ROWS_MOST);
	ids->ids[ids->count++] = row->id;
	ids->lane_id = row->lane_id;
	return 0;
}

/* All dead rows of a namespace; NULL: of all. */
static void
choose(struct sim *sim, const char *ns, struct ids *ids)
{
	const struct deadletter_filter filter = { .ns_glob = ns,
		.since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };

	ids->count = 0;
	assert_true(deadletter_list(sim->db, &filter, DEADLETTER_BY_ID, -1,
			take, ids) >= 0);
}

static int64_t
begin(struct sim *sim, int64_t canary, double rate)
{
	struct operation_row row = { .kind = OPERATION_REPLAY,
		.state = OPERATION_CHOOSING,
		.asked_by = "me",
		.selection = "all",
		.asked_at = sim->wall_ms,
		.canary = canary,
		.rate = rate };

	assert_int_equal(db_begin(sim->db), 0);
	assert_int_equal(operation_new(sim->db, &row), 0);
	assert_int_equal(db_commit(sim->db), 0);
	return row.id;
}

/* A group of the dead rows of a namespace. */
static void
add_group(struct sim *sim, int64_t id, const char *ns, bool canaries)
{
	struct operation_group_row group = { .operation_id = id,
		.code = 1016,
		.state = canaries ? GROUP_WAITING : GROUP_MOVING };
	struct ids ids = { 0 };

	choose(sim, ns, &ids);
	group.lane_id = ids.lane_id;
	assert_int_equal(db_begin(sim->db), 0);
	assert_int_equal(operation_group_new(sim->db, &group, "diskusage"), 0);
	assert_int_equal(
	    operation_group_add(sim->db, group.id, ids.ids, ids.count), 0);
	assert_int_equal(db_commit(sim->db), 0);
}

static void
release(struct sim *sim, int64_t id)
{
	assert_int_equal(db_begin(sim->db), 0);
	assert_int_equal(
	    operation_set(sim->db, id, OPERATION_WAITING, sim->wall_ms), 1);
	assert_int_equal(db_commit(sim->db), 0);
	core_wake(sim->core);
}

/* Ask for a replay of all dead rows of ${ns}. */
static int64_t
ask(struct sim *sim, const char *ns, int64_t canary, double rate)
{
	int64_t id = begin(sim, canary, rate);

	add_group(sim, id, ns, canary > 0);
	release(sim, id);
	return id;
}

static struct operation_row
operation(struct sim *sim, int64_t id)
{
	struct operation_row row;

	assert_int_equal(operation_load(sim->db, id, &row), 1);
	return row;
}

/* Give all dead rows of ${from} another namespace. */
static void
correct(struct sim *sim, const char *from, const char *to)
{
	const struct reshape_change change = { .verb = RESHAPE_NAMESPACE,
		.value = to };
	struct edit edit = { .changes = &change,
		.change_count = 1,
		.config = &sim->config,
		.operation_id = 1,
		.edited_by = "me",
		.now_ms = sim->wall_ms };
	struct ids ids = { 0 };

	choose(sim, from, &ids);
	assert_int_equal(db_begin(sim->db), 0);
	assert_int_equal(edit_rows(sim->db, &edit, ids.ids, ids.count), 0);
	assert_int_equal(db_commit(sim->db), 0);
	assert_int_equal(edit.edited, (int64_t)ids.count);
}

/* A misspelt namespace, all of whose ${rows} are dead; the lane is doomed. */
static void
let_die(struct sim *sim, int rows)
{
	sim->receiver = refuses_bad;
	sim->bad_code = 1016;
	sim->bad[0] = MISSPELT;
	put(sim, (struct put){ "cvm_prdo", rows, 6, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, rows);
	sim->requests = 0;
}

/* ---- what is proved ---- */

static void
sends_a_canary_first_and_the_rest_at_its_rate(void **state)
{
	struct sim *sim = *state;
	struct operation_row row;
	int64_t id, second;

	let_die(sim, 500);
	sim->receiver = takes_all;
	id = ask(sim, NULL, 1, 50);
	run_for(sim, 5);
	assert_int_equal(sim->requests, 1);
	assert_int_equal(sim->accepted_rows, 1);
	for (second = 1; second <= 10; second++) {
		run_for(sim, 1000);
		assert_in_range(sim->accepted_rows, 1 + 50 * (second - 1),
		    1 + 50 * (second + 1));
	}
	run_for(sim, 2000);
	row = operation(sim, id);
	assert_int_equal(row.state, OPERATION_DONE);
	assert_int_equal(row.replayed, 500);
	assert_int_equal(row.delivered, 500);
	assert_int_equal(row.refused_again, 0);
	assert_int_equal(ledger(sim).delivered, 500);
	assert_int_equal(ledger(sim).dead, 0);
	assert_int_equal(ledger(sim).replayed, 500);
}

static void
leaves_a_group_dead_whose_canary_is_refused(void **state)
{
	struct sim *sim = *state;
	struct operation_row row;
	int64_t id;

	let_die(sim, 500);
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 5000);
	assert_int_equal(sim->requests, 1);
	row = operation(sim, id);
	assert_int_equal(row.state, OPERATION_DONE);
	assert_int_equal(row.canaries_refused, 1);
	assert_int_equal(row.replayed, 1);
	assert_int_equal(row.refused_again, 1);
	assert_int_equal(ledger(sim).dead, 500);
	assert_int_equal(ledger(sim).replayed, 1);
}

static void
goes_on_with_one_group_though_another_is_refused(void **state)
{
	struct sim *sim = *state;
	struct operation_row row;
	int64_t id;

	let_die(sim, 100);
	sim->bad[1] = "\"Namespace\":\"other\"";
	put(sim, (struct put){ "other", 100, 6, 0 });
	run_for(sim, 1000);
	sim->bad[0] = "\"Namespace\":\"other\"";
	id = begin(sim, 2, 0);
	add_group(sim, id, "cvm_prdo", true);
	add_group(sim, id, "other", true);
	release(sim, id);
	run_for(sim, 5000);
	row = operation(sim, id);
	assert_int_equal(row.state, OPERATION_DONE);
	assert_int_equal(row.groups, 2);
	assert_int_equal(row.canaries_refused, 1);
	assert_int_equal(row.delivered, 100);
	assert_int_equal(row.refused_again, 2);
	assert_int_equal(ledger(sim).dead, 100);
}

static void
drains_a_namespace_that_was_doomed_and_is_right_now(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 300);
	assert_true(lane(sim, 0).doomed_through > 0);
	stop(sim);
	start(sim, CORE_RUN); /* the doom is in the queue */
	sim->receiver = takes_all;
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 2000);
	assert_int_equal(operation(sim, id).delivered, 300);
	assert_int_equal(ledger(sim).delivered, 300);
	assert_int_equal(lane(sim, 0).doomed_through, -1);
}

static void
delivers_rows_whose_namespace_was_corrected(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 500);
	correct(sim, "cvm_prdo", "cvm_prod");
	id = ask(sim, "cvm_prod", 1, 0);
	run_for(sim, 2000);
	assert_int_equal(operation(sim, id).delivered, 500);
	assert_int_equal(ledger(sim).delivered, 500);
	assert_int_equal(ledger(sim).dead, 0);
	assert_true(sim->requests <= 8);
}

static void
sends_a_series_that_is_a_suspect(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	sim->receiver = refuses_bad;
	sim->bad_code = 1017;
	sim->bad[0] = "disk1x";
	put(sim, (struct put){ "cvm", 100, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 25);
	stop(sim);
	start(sim, CORE_RUN);
	sim->bad[0] = NULL;
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 2000);
	assert_int_equal(operation(sim, id).delivered, 25);
	assert_int_equal(ledger(sim).dead, 0);
}

/* A canary that is refused costs the rows beside it nothing. */
static void
mixes_no_canary_with_other_rows(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	sim->receiver = refuses_bad;
	sim->bad_code = 1009; /* of a row, so that no suspect goes alone */
	sim->bad[0] = "disk1x";
	put(sim, (struct put){ "cvm", 40, 40, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 1);
	sim->requests = 0;
	id = ask(sim, NULL, 1, 0);
	put(sim, (struct put){ "cvm", 1, 1, 0 });
	run_for(sim, 1000);
	assert_int_equal(operation(sim, id).refused_again, 1);
	assert_int_equal(ledger(sim).delivered, 40);
	assert_int_equal(sim->requests, 2);
}

static void
goes_on_where_it_was_killed(void **state)
{
	struct sim *sim = *state;
	struct operation_row row;
	int64_t id;
	int kills;

	let_die(sim, 600);
	sim->receiver = takes_all;
	id = ask(sim, NULL, 3, 20);
	for (kills = 0; kills < 500; kills++) {
		/* Some die before a turn ends, some amid a request. */
		core_turn(sim->core);
		if (kills % 3 != 0 && sim->flights != NULL)
			answer_first(sim);
		if (kills % 2 != 0)
			run_for(sim, 1 + kills % 40);
		stop(sim);
		start(sim, CORE_RUN);
		(void)ledger(sim); /* audits */
		row = operation(sim, id);
		if (row.state == OPERATION_DONE)
			break;
	}
	assert_true(kills > 10);
	run_for(sim, 60000);
	row = operation(sim, id);
	assert_int_equal(row.state, OPERATION_DONE);
	assert_int_equal(row.replayed, 600);
	assert_int_equal(row.delivered, 600);
	assert_int_equal(ledger(sim).delivered, 600);
	assert_int_equal(ledger(sim).replayed, 600);
}

static void
keeps_its_rate_though_it_is_begun_anew(void **state)
{
	struct sim *sim = *state;
	int64_t id;
	int starts;

	let_die(sim, 500);
	sim->receiver = takes_all;
	id = ask(sim, NULL, 0, 50);
	for (starts = 0; starts < 40; starts++) {
		run_for(sim, 100);
		stop(sim);
		start(sim, CORE_RUN);
	}
	run_for(sim, 0);
	assert_in_range(operation(sim, id).replayed, 200, 250); /* in 4 s */
	/* A clock that was set back makes it wait no longer than that. */
	stop(sim);
	sim->wall_ms -= 3600 * 1000;
	start(sim, CORE_RUN);
	run_for(sim, 6000);
	assert_int_equal(operation(sim, id).replayed, 500);
}

static void
moves_no_more_once_it_is_cancelled(void **state)
{
	struct sim *sim = *state;
	struct operation_row row;
	int64_t id;

	let_die(sim, 500);
	sim->receiver = takes_all;
	id = ask(sim, NULL, 1, 50);
	run_for(sim, 2000);
	assert_int_equal(operation_cancel(sim->db, id, sim->wall_ms), 1);
	assert_int_equal(operation_cancel(sim->db, id, sim->wall_ms), 0);
	row = operation(sim, id);
	assert_in_range(row.replayed, 50, 200);
	run_for(sim, 20000);
	assert_int_equal(operation(sim, id).replayed, row.replayed);
	assert_int_equal(operation(sim, id).state, OPERATION_CANCELLED);
	assert_int_equal(ledger(sim).dead, 500 - row.replayed);
	assert_int_equal(ledger(sim).delivered, row.replayed);
}

static void
ignores_an_operation_whose_rows_are_still_being_named(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 10);
	sim->receiver = takes_all;
	id = begin(sim, 1, 0);
	add_group(sim, id, NULL, true);
	core_wake(sim->core);
	run_for(sim, 60000);
	assert_int_equal(sim->requests, 0);
	release(sim, id);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, 10);
}

static void
sends_rows_that_late_policy_would_bury(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	sim->config.late.policy = CONFIG_LATE_DEAD_LETTER;
	sim->config.late.after_ms = 1000;
	put(sim, (struct put){ "cvm", 20, 2, 0 });
	sim->wall_ms += 60000;
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).dead, 20);
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 1000);
	assert_int_equal(operation(sim, id).delivered, 20);
	assert_int_equal(ledger(sim).delivered, 20);
}

static void
sends_every_row_though_only_the_latest_would_go(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 20);
	stop(sim);
	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	sim->config.late.after_ms = 1000;
	sim->wall_ms += 60000;
	sim->receiver = takes_all;
	start(sim, CORE_RUN);
	put(sim, (struct put){ "cvm_prdo", 20, 2, 0 });
	sim->wall_ms += 60000;
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 1000);
	assert_int_equal(operation(sim, id).delivered, 20);
	assert_int_equal(ledger(sim).dropped, 18);
	assert_int_equal(ledger(sim).delivered, 22);
}

/* A canary that expires proves nothing: its group stays dead. */
static void
takes_an_expired_canary_for_no_yes(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 10);
	sim->receiver = takes_all;
	stop(sim);
	sim->config.queue.max_age_ms = 60000;
	start(sim, CORE_RUN);
	sim->wall_ms += 600000;
	id = ask(sim, NULL, 1, 0);
	run_for(sim, 5000);
	assert_int_equal(operation(sim, id).state, OPERATION_DONE);
	assert_int_equal(operation(sim, id).canaries_refused, 1);
	assert_int_equal(ledger(sim).expired, 1);
	assert_int_equal(ledger(sim).dead, 9);
}

static void
a_run_that_ends_by_itself_waits_for_its_replays(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 200);
	sim->receiver = takes_all;
	id = ask(sim, NULL, 1, 50);
	stop(sim);
	start(sim, CORE_ONCE);
	while (core_progress(sim->core) == CORE_WORKING)
		run_for(sim, 10);
	assert_int_equal(core_progress(sim->core), CORE_EMPTY);
	assert_int_equal(operation(sim, id).state, OPERATION_DONE);
	assert_int_equal(ledger(sim).delivered, 200);
}

static void
a_run_that_ends_by_itself_does_not_wait_for_a_held_canary(void **state)
{
	struct sim *sim = *state;
	int64_t id;

	let_die(sim, 20);
	sim->receiver = says_code;
	sim->bad_code = 1011;
	id = ask(sim, NULL, 1, 50);
	stop(sim);
	start(sim, CORE_ONCE);
	run_for(sim, 100);
	assert_int_equal(core_progress(sim->core), CORE_LEFT);
	assert_int_equal(operation(sim, id).state, OPERATION_RUNNING);
	assert_int_equal(ledger(sim).pending, 1);
	assert_int_equal(ledger(sim).dead, 19);
}

static void
carries_out_two_at_a_time(void **state)
{
	struct sim *sim = *state;
	int64_t slow, fast;

	let_die(sim, 100);
	sim->bad[1] = "\"Namespace\":\"other\"";
	put(sim, (struct put){ "other", 300, 6, 0 });
	run_for(sim, 1000);
	sim->receiver = takes_all;
	slow = ask(sim, "cvm_prdo", 1, 1);
	fast = ask(sim, "other", 1, 0);
	run_for(sim, 2000);
	assert_int_equal(operation(sim, fast).delivered, 300);
	assert_in_range(operation(sim, slow).delivered, 2, 5);
	run_for(sim, 110000);
	assert_int_equal(operation(sim, slow).delivered, 100);
	assert_int_equal(operation(sim, slow).state, OPERATION_DONE);
}

/* run_for() notices a core that wants its next turn at once, for ever. */
static void
waits_for_a_canary_beside_a_slow_one(void **state)
{
	struct sim *sim = *state;
	int64_t slow;

	let_die(sim, 100);
	sim->bad[1] = "\"Namespace\":\"other\"";
	put(sim, (struct put){ "other", 300, 6, 0 });
	run_for(sim, 1000);
	sim->bad[0] = sim->bad[1];
	sim->bad[1] = NULL;
	sim->bad_code = 1002;
	slow = ask(sim, "cvm_prdo", 0, 1);
	(void)ask(sim, "other", 1, 0);
	run_for(sim, 10000);
	assert_in_range(operation(sim, slow).delivered, 9, 12);
}

/* What there is would do for a commit, not for thousands of rows that move. */
static void
a_run_that_ends_by_itself_fails_where_a_replay_has_no_room(void **state)
{
	struct sim *sim = *state;
	struct fault fault = { 0 };
	struct db *reader;

	let_die(sim, 500);
	stop(sim);
	sim->receiver = takes_all;
	start(sim, CORE_DRAIN);
	reader = hold_log(sim, 3000);
	disk_left = growth(sim) + 2 * 1024 * 1024;
	(void)ask(sim, "cvm_prdo", 1, 0);
	run_for(sim, 5000);
	assert_int_equal(ledger(sim).delivered, 3000);
	assert_int_equal(core_progress(sim->core), CORE_WORKING);
	assert_false(core_hopeless(sim->core, &fault));
	run_for(sim, 10000);
	assert_true(core_hopeless(sim->core, &fault));
	assert_int_equal(fault.kind, FAULT_DISK_FULL);
	let_go(reader);
	run_for(sim, 5000);
	assert_int_equal(ledger(sim).delivered, 3500);
	assert_false(core_hopeless(sim->core, &fault));
	disk_left = DISK_WIDE;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sends_a_canary_first_and_the_rest_at_its_rate),
		CASE(leaves_a_group_dead_whose_canary_is_refused),
		CASE(goes_on_with_one_group_though_another_is_refused),
		CASE(drains_a_namespace_that_was_doomed_and_is_right_now),
		CASE(delivers_rows_whose_namespace_was_corrected),
		CASE(sends_a_series_that_is_a_suspect),
		CASE(mixes_no_canary_with_other_rows),
		CASE(goes_on_where_it_was_killed),
		CASE(keeps_its_rate_though_it_is_begun_anew),
		CASE(moves_no_more_once_it_is_cancelled),
		CASE(ignores_an_operation_whose_rows_are_still_being_named),
		CASE(sends_rows_that_late_policy_would_bury),
		CASE(sends_every_row_though_only_the_latest_would_go),
		CASE(takes_an_expired_canary_for_no_yes),
		CASE(a_run_that_ends_by_itself_waits_for_its_replays),
		CASE(a_run_that_ends_by_itself_does_not_wait_for_a_held_canary),
		CASE(
		    a_run_that_ends_by_itself_fails_where_a_replay_has_no_room),
		CASE(carries_out_two_at_a_time),
		CASE(waits_for_a_canary_beside_a_slow_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
