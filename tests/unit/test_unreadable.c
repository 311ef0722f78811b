/* links: forward */
/* A lane whose rows cannot be read, in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "queue/checkpoint.h"

#include "sim.h"

#define HOUR_MS (60 * 60 * 1000)
#define PAGE 4096

/* ---- damage ---- */

/* The ${number}th leaf of the table of pending rows, from 0. */
static int64_t
leaf(struct sim *sim, int number)
{
	struct sqlite3_stmt *stmt;
	struct sqlite3 *other;
	int64_t page;

	assert_int_equal(sqlite3_open(sim->path, &other), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(other,
		"SELECT pageno FROM dbstat WHERE name = 'metric'"
		" AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET ?",
		-1, &stmt, NULL),
	    SQLITE_OK);
	sqlite3_bind_int(stmt, 1, number);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	page = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(
	    sqlite3_db_config(other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	return page;
}

/* Stop it, and start it anew on a file whose leaf is no page any more. */
static void
damage(struct sim *sim, int number, enum core_mode mode)
{
	static const unsigned char NOTHING[PAGE];
	char log[128];
	int64_t page;
	int fd;

	assert_int_equal(checkpoint_guarded(sim->db, false), CHECKPOINT_DONE);
	stop(sim);
	page = leaf(sim, number);
	assert_true((fd = open(sim->path, O_WRONLY)) != -1);
	assert_int_equal(
	    pwrite(fd, NOTHING, PAGE, (off_t)(page - 1) * PAGE), PAGE);
	close(fd);
	snprintf(log, sizeof(log), "%s-wal", sim->path);
	assert_int_equal(truncate(log, 0), 0); /* all is copied back */
	start(sim, mode);
}

/* ---- what is proved ---- */

static void
is_not_probed_without_a_pause(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1014;
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 90 * 1000);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	damage(sim, 0, CORE_RUN);
	run_for(sim, 10 * HOUR_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
}

static void
does_not_keep_a_hold_that_others_could_end(void **state)
{
	struct sim *sim = *state;

	sim->receiver = says_code;
	sim->bad_code = 1011;
	put(sim, (struct put){ "bad", 1000, 4, 0 });
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	run_for(sim, 1000);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
	assert_int_equal(lane(sim, 1).state, LANE_HELD);
	damage(sim, 0, CORE_RUN);
	sim->receiver = takes_all;
	run_for(sim, HOUR_MS);
	assert_int_equal(lane(sim, 1).state, LANE_READY);
}

static void
is_not_probed_again_and_again_as_asked(void **state)
{
	struct sim *sim = *state;
	static const struct wish HOLD = {
		.ask = LANE_ASK_HOLD, .reason = "mine", .until = -1
	};
	static const struct wish PROBE = { .ask = LANE_ASK_PROBE };

	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	assert_int_equal(wish_store(sim->db, lane(sim, 0).id, &HOLD), 0);
	core_wake(sim->core);
	run_for(sim, 1000);
	damage(sim, 0, CORE_RUN);
	assert_int_equal(wish_store(sim->db, lane(sim, 0).id, &PROBE), 0);
	core_wake(sim->core);
	run_for(sim, HOUR_MS);
	assert_int_equal(lane(sim, 0).state, LANE_HELD);
}

static void
is_tried_less_and_less_often(void **state)
{
	struct sim *sim = *state;

	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_RUN);
	damage(sim, 0, CORE_RUN);
	run_for(sim, HOUR_MS);
	assert_int_equal(lane(sim, 0).state, LANE_WAITING);
	assert_in_range(lane(sim, 0).failures, 10, 40);
}

/* Whether a drain ends that cannot read any further, and says why. */
static void
ends_a_drain(struct sim *sim)
{
	struct fault fault = { 0 };

	run_for(sim, HOUR_MS);
	assert_int_not_equal(core_progress(sim->core), CORE_WORKING);
	assert_true(core_damaged(sim->core, &fault));
	assert_int_equal(fault.kind, FAULT_CORRUPT);
}

static void
ends_a_drain_with_a_share_for_new_rows(void **state)
{
	struct sim *sim = *state;

	sim->config.late.fresh_share = 50;
	put(sim, (struct put){ "cvm", 4, 4, 0 });
	start(sim, CORE_PREVIEW);
	damage(sim, 0, CORE_DRAIN);
	ends_a_drain(sim);
}

static void
ends_a_drain_that_drops_late_rows(void **state)
{
	struct sim *sim = *state;

	sim->config.late.policy = CONFIG_LATE_LATEST_ONLY;
	put(sim, (struct put){ "cvm", 900, 900, 0 });
	sim->wall_ms += HOUR_MS;
	start(sim, CORE_PREVIEW);
	damage(sim, 1, CORE_DRAIN);
	ends_a_drain(sim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_not_probed_without_a_pause),
		TEST(is_tried_less_and_less_often),
		TEST(does_not_keep_a_hold_that_others_could_end),
		TEST(is_not_probed_again_and_again_as_asked),
		TEST(ends_a_drain_with_a_share_for_new_rows),
		TEST(ends_a_drain_that_drops_late_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
