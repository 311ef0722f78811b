/* links: base queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queue/operation.h"
#include "queue/purge.h"

#include "store_fixture.h"

#define SMALL 20000
#define LARGE 60

/* So many dead, the last of which are ten times as large as the others. */
static void
let_die(struct store *store)
{
	store_fill(store, "cvm", "cpu", SMALL + LARGE);
	store_run(store,
	    "INSERT INTO dead_letter (id, series_id, value, accepted_at,"
	    "  attempts, died_at, cause, scope, message, alone, evidence)"
	    " SELECT id, series_id, value, accepted_at, 1, id, 'code', 'row',"
	    "  'no', 1, hex(zeroblob(iif(id > 20000, 1000, 50)))"
	    " FROM metric");
	store_run(store, "DELETE FROM metric");
	store_run(store, "UPDATE lane SET pending = 0");
	store_run(store, "UPDATE ledger SET pending = 0, dead = accepted");
	store_audit(store);
}

static int64_t
purge(struct store *store, const struct config *config)
{
	int64_t gone;

	assert_int_equal(db_begin(store->db), 0);
	gone = purge_for_room(store->db, config);
	assert_int_equal(db_commit(store->db), 0);
	return gone;
}

/* H23, though the latest tell that four of five have to go. */
static void
lets_no_more_go_for_room_than_a_transaction_holds(void **state)
{
	struct store *store = *state;
	struct config config = store->config;
	int64_t gone;

	let_die(store);
	config.queue.max_size = 8 * 1024 * 1024;
	gone = purge(store, &config);
	assert_in_range(gone, 100, OPERATION_ROWS);
	assert_int_equal(store_ledger(store).dead, SMALL + LARGE - gone);
	store_audit(store);
}

static void
lets_nothing_go_while_all_that_is_stored_fits(void **state)
{
	struct store *store = *state;
	struct config config = store->config;

	let_die(store);
	config.queue.max_size = 32 * 1024 * 1024;
	assert_int_equal(purge(store, &config), 0);
}

static void
lets_nothing_go_where_the_settings_keep_the_dead(void **state)
{
	struct store *store = *state;
	struct config config = store->config;

	let_die(store);
	config.queue.max_size = 8 * 1024 * 1024;
	config.dead.max_rows = config.dead.max_age_ms = 0;
	assert_int_equal(purge(store, &config), 0);
}

/* A purge would free no room that pending rows do not need again. */
static void
lets_some_stay_where_pending_rows_alone_are_too_many(void **state)
{
	struct store *store = *state;
	struct config config = store->config;
	int64_t gone, all = 0;

	let_die(store);
	store_fill(store, "cvm", "cpu", 100000);
	config.queue.max_size = 2 * 1024 * 1024;
	while ((gone = purge(store, &config)) > 0)
		all += gone;
	assert_true(all > 0);
	assert_in_range(store_ledger(store).dead, 50, SMALL);
	store_audit(store);
}

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(lets_no_more_go_for_room_than_a_transaction_holds),
		STORE_TEST(lets_nothing_go_while_all_that_is_stored_fits),
		STORE_TEST(lets_nothing_go_where_the_settings_keep_the_dead),
		STORE_TEST(
		    lets_some_stay_where_pending_rows_alone_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
