/* links: forward */
/* The forwarder on a disk that is nearly full, in the world of sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/ballast.h"

#include "sim.h"

#include "disk_fixture.h"

#define MIB INT64_C(1048576)
#define ROWS 3000

static int
set_up(void **state)
{
	disk_left = DISK_WIDE;
	disk_ballast = NULL;
	return setup(state);
}

/* ---- what is proved ---- */

static void
copies_the_log_back_while_there_is_room_for_it(void **state)
{
	struct sim *sim = *state;

	start(sim, CORE_RUN);
	put(sim, (struct put){ "cvm", ROWS, 6, 0 });
	assert_true(growth(sim) > 0);
	disk_left = 4 * MIB;
	run_for(sim, 1000);
	assert_int_equal(growth(sim), 0);
	assert_int_equal(ledger(sim).delivered, ROWS);
}

static void
leaves_the_log_alone_where_the_disk_is_wide(void **state)
{
	struct sim *sim = *state;

	start(sim, CORE_RUN);
	put(sim, (struct put){ "cvm", ROWS, 6, 0 });
	run_for(sim, 1000);
	assert_true(growth(sim) > 0);
	assert_int_equal(ledger(sim).delivered, ROWS);
}

static void
writes_nothing_into_the_room_that_the_log_needs(void **state)
{
	struct sim *sim = *state;
	struct fault fault = { 0 };
	struct db *reader;

	start(sim, CORE_DRAIN);
	reader = hold_log(sim, ROWS);
	disk_left = growth(sim) + 1000;
	run_for(sim, 1000);
	assert_int_equal(ledger(sim).pending, ROWS);
	run_for(sim, 60000);
	assert_true(core_hopeless(sim->core, &fault));
	assert_int_equal(fault.kind, FAULT_DISK_FULL);
	assert_non_null(strstr(fault.message, "while a program reads it"));
	let_go(reader);
	run_for(sim, 10000);
	assert_int_equal(ledger(sim).delivered, ROWS);
}

static void
gives_some_of_the_ballast_up_for_a_reader_that_stays(void **state)
{
	struct sim *sim = *state;
	struct db *reader;
	const char *path;

	start(sim, CORE_RUN);
	path = db_place(sim->db)->ballast;
	assert_int_equal(ballast_make(path, 8 * MIB, 0, NULL), 0);
	reader = hold_log(sim, ROWS);
	disk_ballast = path;
	disk_left = 8 * MIB + growth(sim) + 1000;
	run_for(sim, 500);
	assert_int_equal(place_size(path), 8 * MIB);
	run_for(sim, 10000);
	assert_in_range(place_size(path), 5 * MIB, 7 * MIB);
	assert_int_equal(ledger(sim).delivered, ROWS);
	let_go(reader);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(copies_the_log_back_while_there_is_room_for_it),
		CASE(leaves_the_log_alone_where_the_disk_is_wide),
		CASE(writes_nothing_into_the_room_that_the_log_needs),
		CASE(gives_some_of_the_ballast_up_for_a_reader_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
