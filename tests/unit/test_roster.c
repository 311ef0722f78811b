/* links: forward */
/* Lanes come and go, in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "forward/core_state.h"
#include "forward/lane.h"

#include "sim.h"

#define LANES 40

/* A row in each of lanes "ns0" to "ns39". */
static void
put_everywhere(struct sim *sim)
{
	char ns[16];
	int i;

	for (i = 0; i < LANES; i++) {
		snprintf(ns, sizeof(ns), "ns%d", i);
		put(sim, (struct put){ ns, 1, 1, 0 });
	}
}

static void
run_sql(struct sim *sim, const char *sql)
{
	assert_int_equal(
	    sqlite3_exec(db_handle(sim->db), sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t
stored_lanes(struct sim *sim)
{
	struct lane_row rows[LANES + 1];

	return lane_list(sim->db, 0, rows, LANES + 1);
}

/* As when series were collected, and the ring of requests has gone on. */
static void
forget_all(struct sim *sim)
{
	run_sql(sim, "DELETE FROM series; DELETE FROM attempt");
}

static void
lanes_that_nobody_uses_go(void **state)
{
	struct sim *sim = *state;

	put_everywhere(sim);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).delivered, LANES);
	assert_int_equal(sim->core->lane_count, LANES);
	forget_all(sim);
	put(sim, (struct put){ "ns7", 1, 1, 0 }); /* this one is used */
	while (sim->steady_ms < 3 * 3600 * 1000) {
		core_wake(sim->core); /* as the poll of idle hours does */
		run_for(sim, 1000);
	}
	assert_int_equal(sim->core->lane_count, 2);
	assert_int_equal(stored_lanes(sim), 2);
	assert_string_equal(sim->core->lanes[0]->row.ns, "ns7");
	assert_string_equal(sim->core->lanes[1]->row.ns, "ns39");
	/* They come again, with others' rows on neither. */
	put_everywhere(sim);
	run_for(sim, 1000);
	assert_int_equal(sim->core->lane_count, LANES);
	assert_int_equal(ledger(sim).delivered, 2 * LANES + 1);
}

/* As in a queue that was put back from a backup. */
static void
a_lane_is_told_by_its_id(void **state)
{
	struct sim *sim = *state;
	struct lane *third;

	put_everywhere(sim);
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	third = sim->core->lanes[3];
	forget_all(sim);
	run_sql(sim, "DELETE FROM lane WHERE id IN (1, 2, 20)");
	core_wake(sim->core);
	run_for(sim, 100);
	assert_int_equal(sim->core->lane_count, LANES - 3);
	assert_ptr_equal(sim->core->lanes[1], third);
	run_sql(sim,
	    "INSERT INTO lane (id, namespace, region, account)"
	    " VALUES (20, 'again', '', 'default')");
	core_wake(sim->core);
	run_for(sim, 100);
	assert_string_equal(sim->core->lanes[17]->row.ns, "again");
	put(sim, (struct put){ "again", 5, 1, 0 });
	put(sim, (struct put){ "ns3", 5, 1, 0 });
	run_for(sim, 100);
	assert_int_equal(ledger(sim).delivered, LANES + 10);
}

/* A lane that goes while its request is out is dropped when it is back. */
static void
a_busy_lane_is_not_dropped(void **state)
{
	struct sim *sim = *state;

	put_everywhere(sim);
	start(sim, CORE_RUN);
	run_for(sim, 100);
	put(sim, (struct put){ "ns0", 1, 1, 0 });
	core_turn(sim->core);
	assert_non_null(sim->flights);
	run_sql(
	    sim, "PRAGMA foreign_keys = OFF; DELETE FROM lane WHERE id = 1");
	core_wake(sim->core);
	core_turn(sim->core);
	assert_int_equal(sim->core->lane_count, LANES);
	answer_first(sim); /* the row is not counted anywhere: never settled */
	core_turn(sim->core);
	assert_int_equal(sim->core->lane_count, LANES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lanes_that_nobody_uses_go),
		TEST(a_lane_is_told_by_its_id),
		TEST(a_busy_lane_is_not_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
