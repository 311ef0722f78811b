/* links: forward */
#include "forward/housekeeping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/config.h"
#include "queue/ballast.h"
#include "queue/deadletter.h"
#include "queue/enqueue_key.h"
#include "queue/lane.h"
#include "queue/ledger.h"
#include "queue/metric.h"
#include "queue/series.h"
#include "queue/upkeep.h"

#include "queue_fixture.h"

#define WIRE "{\"dimensions\":{},\"metricName\":\"m\",\"value\":"
#define MINUTE_MS 60000
#define DEAD_LOOK_MS 60000
#define HOUR_MS 3600000
#define YEARS_MS (INT64_C(3652) * 24 * HOUR_MS)
#define WALL_MS (INT64_C(1760000000) * 1000 / MINUTE_MS * MINUTE_MS)

struct house {
	struct spool spool;
	struct db *db, *other; /* the forwarder's, and somebody's */
	struct config config;
	struct housekeeping *housekeeping;
	int64_t lane_id, series_id;
};

static int
set_up(void **state)
{
	struct house *house = calloc(1, sizeof(*house));

	assert_non_null(house);
	spool_make(&house->spool);
	house->db = spool_open(&house->spool, DB_WRITER);
	house->other = spool_open(&house->spool, DB_WRITER);
	config_defaults(&house->config);
	house->config.queue.reserve = 0;
	house->housekeeping = housekeeping_new(house->db, &house->config, 0);
	assert_non_null(house->housekeeping);
	*state = house;
	return 0;
}

static int
tear_down(void **state)
{
	struct house *house = *state;

	housekeeping_free(house->housekeeping);
	db_close(house->db);
	db_close(house->other);
	spool_remove(&house->spool);
	free(house);
	return 0;
}

/* Queue ${count} rows in one commit. */
static void
put(struct house *house, struct db *db, int count)
{
	struct metric_new row = { .value = "0.12345678901234567",
		.value_len = 19,
		.accepted_at = WALL_MS,
		.observed_at = -1,
		.expires_at = -1 };
	int64_t first_id;
	int i;

	assert_int_equal(db_begin(db), 0);
	assert_int_equal(
	    lane_intern(db, "cvm", "", "default", &house->lane_id), 0);
	assert_int_equal(series_intern(db, house->lane_id, "m", "{}", WIRE,
			     strlen(WIRE), &house->series_id),
	    0);
	assert_int_equal(ledger_accept(db, count, &first_id), 0);
	assert_int_equal(lane_count(db, house->lane_id, count), 0);
	row.lane_id = house->lane_id;
	row.series_id = house->series_id;
	for (i = 0; i < count; i++) {
		row.id = first_id + i;
		assert_int_equal(metric_insert(db, &row, 1), 0);
	}
	assert_int_equal(db_commit(db), 0);
}

/* Deliver the rows up to ${last}. */
static void
deliver_to(struct house *house, int64_t last)
{
	int64_t gone;

	assert_int_equal(db_begin(house->db), 0);
	gone = metric_remove_range(house->db, house->lane_id, 1, last);
	assert_true(gone > 0);
	assert_int_equal(lane_count(house->db, house->lane_id, -gone), 0);
	assert_int_equal(
	    ledger_move(house->db, LEDGER_PENDING, LEDGER_DELIVERED, gone), 0);
	assert_int_equal(db_commit(house->db), 0);
}

/* Deliver all rows. */
static void
deliver(struct house *house)
{
	deliver_to(house, 1000000);
}

static int64_t
turn(struct house *house, bool idle, int64_t steady_ms)
{
	int64_t next_ms = housekeeping_turn(
	    house->housekeeping, idle, steady_ms, WALL_MS);

	assert_true(next_ms > steady_ms);
	return next_ms;
}

static int64_t
file_size(const struct house *house)
{
	return place_size(house->spool.place.file);
}

static int64_t
count(struct house *house, const char *sql)
{
	struct sqlite3_stmt *stmt = db_prepare(house->other, sql);
	int64_t value;

	assert_non_null(stmt);
	assert_int_equal(db_step(house->other, stmt), DB_ROW);
	value = db_column_int(stmt, 0);
	db_reset(stmt);
	return value;
}

static void
copies_the_log_back_after_a_second_of_rest(void **state)
{
	struct house *house = *state;
	int64_t before = file_size(house);

	put(house, house->other, 2000);
	turn(house, true, 10000);
	turn(house, true, 10999);
	assert_int_equal(file_size(house), before);
	turn(house, true, 11000);
	assert_true(file_size(house) > before);
}

static void
lets_the_log_be_while_rows_flow(void **state)
{
	struct house *house = *state;
	int64_t before = file_size(house), now_ms;

	put(house, house->other, 2000);
	for (now_ms = 0; now_ms < 20000; now_ms += 500) {
		turn(house, true, now_ms);
		turn(house, false, now_ms + 1);
	}
	assert_int_equal(file_size(house), before);
}

static void
copies_a_long_log_back_at_once(void **state, struct db *by)
{
	struct house *house = *state;
	int64_t before = file_size(house);

	while (db_wal_bytes(by) < 4 * 1024 * 1024) {
		turn(house, false, 1);
		assert_int_equal(file_size(house), before);
		put(house, by, 5000);
	}
	turn(house, false, 2);
	assert_true(file_size(house) > before);
}

static void
copies_a_long_log_of_its_own_back_though_busy(void **state)
{
	copies_a_long_log_back_at_once(state, ((struct house *)*state)->db);
}

static void
copies_a_long_log_of_others_back_though_busy(void **state)
{
	copies_a_long_log_back_at_once(state, ((struct house *)*state)->other);
}

/* The file stays long when the log begins anew; that is no reason. */
static void
copies_once_and_not_for_the_length_of_the_file(void **state)
{
	struct house *house = *state;
	int64_t copied;

	while (db_wal_bytes(house->db) < 4 * 1024 * 1024)
		put(house, house->db, 5000);
	turn(house, false, 1);
	copied = file_size(house);
	put(house, house->db, 5000);
	assert_true(db_wal_bytes(house->db) >= 4 * 1024 * 1024);
	turn(house, false, 5000);
	assert_int_equal(file_size(house), copied);
}

static void
gives_pages_back_when_a_quarter_is_free_and_it_rests(void **state)
{
	struct house *house = *state;
	int64_t pages, unused, now_ms = 10000, until_ms;

	put(house, house->db, 100000);
	deliver(house);
	turn(house, true, now_ms);
	turn(house, true, now_ms + 4999);
	assert_int_equal(upkeep_pages(house->db, &pages, &unused), 0);
	assert_true(unused > 600 && unused * 4 > pages);
	until_ms = now_ms + 60000;
	for (now_ms += 5000; now_ms < until_ms;)
		now_ms = turn(house, true, now_ms);
	assert_int_equal(upkeep_pages(house->db, &pages, &unused), 0);
	assert_true(unused <= 256);
	assert_true(pages < 400);
}

static int64_t
unused_pages(struct house *house)
{
	int64_t pages, unused;

	assert_int_equal(upkeep_pages(house->db, &pages, &unused), 0);
	return unused;
}

/* A request goes each second. */
static void
gives_pages_back_one_step_in_five_seconds_though_rows_trickle(void **state)
{
	struct house *house = *state;
	int64_t before, now_ms;

	put(house, house->db, 100000);
	deliver(house);
	before = unused_pages(house);
	for (now_ms = 0; now_ms < 20000; now_ms += 1000) {
		turn(house, false, now_ms);
		turn(house, true, now_ms + 10);
	}
	/* at 5, 10 and 15 seconds */
	assert_in_range(before - unused_pages(house), 3 * 240, 3 * 250);
}

/* At a pace that leaves pauses. */
static void
gives_no_pages_back_while_a_backlog_drains(void **state)
{
	struct house *house = *state;
	int64_t unused = 0, pages, now_ms;

	put(house, house->db, 100000);
	for (now_ms = 0; now_ms < 90000; now_ms += 1000) {
		deliver_to(house, now_ms + 1000);
		assert_true(unused_pages(house) >= unused);
		unused = unused_pages(house);
		turn(house, false, now_ms);
		turn(house, true, now_ms + 10);
	}
	assert_int_equal(upkeep_pages(house->db, &pages, &unused), 0);
	assert_true(unused > 512 && unused * 2 > pages);
}

static void
makes_the_ballast_soon_when_idle(void **state)
{
	struct house *house = *state;
	const char *path = house->spool.place.ballast;

	ballast_release(path, INT64_MAX);
	house->config.queue.reserve = 1024 * 1024;
	housekeeping_configure(house->housekeeping, &house->config);
	turn(house, false, 1);
	assert_false(ballast_ready(path, 1024 * 1024));
	turn(house, true, 2);
	assert_true(ballast_ready(path, 1024 * 1024));
	ballast_release(path, INT64_MAX); /* by settle */
	turn(house, true, 3);
	assert_false(ballast_ready(path, 1));
	turn(house, true, 60000);
	assert_true(ballast_ready(path, 1024 * 1024));
	house->config.queue.reserve = 0;
	housekeeping_configure(house->housekeeping, &house->config);
	turn(house, true, 60001);
	assert_int_equal(access(path, F_OK), -1);
}

/* A drain may last for days. */
static void
makes_the_ballast_again_though_rows_flow(void **state)
{
	struct house *house = *state;
	const char *path = house->spool.place.ballast;
	int64_t now_ms;

	house->config.queue.reserve = 1024 * 1024;
	housekeeping_configure(house->housekeeping, &house->config);
	turn(house, true, 1);
	assert_true(ballast_ready(path, 1024 * 1024));
	ballast_release(path, INT64_MAX);
	for (now_ms = 2; now_ms < 10000; now_ms += 200)
		turn(house, false, now_ms);
	assert_false(ballast_ready(path, 1));
	turn(house, false, 10001);
	assert_true(ballast_ready(path, 1024 * 1024));
	ballast_release(path, INT64_MAX);
	turn(house, false, 20000);
	assert_false(ballast_ready(path, 1));
	turn(house, false, 20001);
	assert_true(ballast_ready(path, 1024 * 1024));
}

static void
remembers_each_minute_in_which_something_changed(void **state)
{
	struct house *house = *state;
	int64_t minute = WALL_MS / MINUTE_MS, i;

	for (i = 0; i < 5; i++) {
		housekeeping_turn(
		    house->housekeeping, false, i, WALL_MS + i * MINUTE_MS);
		if (i == 1 || i == 3)
			put(house, house->other, 7);
	}
	/* the first is written whatever it says; then minutes 1 and 3 */
	assert_int_equal(count(house, "SELECT count(*) FROM history"), 3);
	assert_int_equal(
	    count(house, "SELECT min(minute) FROM history"), minute);
	assert_int_equal(
	    count(house, "SELECT max(minute) FROM history"), minute + 3);
	assert_int_equal(
	    count(house,
		"SELECT pending FROM history ORDER BY minute DESC LIMIT 1"),
	    14);
}

static void
keeps_as_many_minutes_as_the_ring_has(void **state)
{
	struct house *house = *state;
	struct ledger_row ledger = { 0 };
	int64_t minute;

	for (minute = 1; minute <= 10; minute++)
		assert_int_equal(
		    upkeep_remember(house->db, minute * 3, &ledger, 4), 0);
	assert_int_equal(count(house, "SELECT count(*) FROM history"), 4);
	assert_int_equal(count(house, "SELECT min(minute) FROM history"), 21);
}

static void
collects_series_nobody_uses(void **state)
{
	struct house *house = *state;
	int64_t now_ms = 0;

	put(house, house->db, 10);
	while (now_ms < 1000)
		now_ms = turn(house, true, now_ms);
	assert_int_equal(count(house, "SELECT count(*) FROM series"), 1);
	deliver(house);
	/* the next walk begins ten minutes after the one before */
	while (now_ms < 700000)
		now_ms = turn(house, true, now_ms);
	assert_int_equal(count(house, "SELECT count(*) FROM series"), 0);
}

/* Also while rows flow, in small steps, and none that still counts. */
static void
forgets_expired_keys_though_busy(void **state)
{
	struct house *house = *state;
	int64_t now_ms = 0;
	char key[32];
	int i;

	assert_int_equal(db_begin(house->db), 0);
	for (i = 0; i < 1300; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(enqueue_key_add(house->db, key, i,
				     i < 1200 ? WALL_MS - i : WALL_MS + 60000),
		    0);
	}
	assert_int_equal(db_commit(house->db), 0);
	now_ms = turn(house, false, now_ms);
	assert_int_equal(
	    count(house, "SELECT count(*) FROM enqueue_key"), 1100);
	while (now_ms < 1000)
		now_ms = turn(house, false, now_ms);
	assert_int_equal(count(house, "SELECT count(*) FROM enqueue_key"), 100);
}

static void
works_on_with_a_queue_opened_anew(void **state)
{
	struct house *house = *state;

	housekeeping_use_db(house->housekeeping, NULL);
	db_close(house->db);
	house->db = spool_open(&house->spool, DB_WRITER);
	housekeeping_use_db(house->housekeeping, house->db);
	put(house, house->db, 10);
	turn(house, true, 1);
	turn(house, true, 5000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int64_t
count_dead(struct house *house)
{
	struct ledger_row ledger;

	assert_int_equal(ledger_read(house->db, &ledger), 0);
	return ledger.dead;
}

/* Let the rows from ${first} on die, a second apart. */
static void
bury(struct house *house, int64_t first, int count)
{
	struct death death = { .cause = "code",
		.code = 1017,
		.scope = "series",
		.attempt_id = -1 };
	int i;

	for (i = 0; i < count; i++) {
		death.died_at = WALL_MS + i * 1000;
		assert_int_equal(deadletter_move(house->db, house->lane_id,
				     first + i, &death),
		    1);
	}
}

static void
purges_the_longest_dead_over_their_bound(void **state)
{
	struct house *house = *state;
	struct ledger_row ledger;
	int64_t lane_id, steady_ms = 0;

	put(house, house->db, 1200);
	bury(house, 1, 1200);
	house->config.dead.max_rows = 100;
	housekeeping_configure(house->housekeeping, &house->config);
	while (count_dead(house) > 100 && steady_ms < 1000)
		steady_ms = housekeeping_turn(
		    house->housekeeping, false, steady_ms, WALL_MS);
	assert_int_equal(ledger_read(house->db, &ledger), 0);
	assert_int_equal(ledger.dead, 100);
	assert_int_equal(ledger.purged, 1100);
	assert_int_equal(deadletter_lane(house->db, 1100, &lane_id), 0);
	assert_int_equal(deadletter_lane(house->db, 1101, &lane_id), 1);
}

/* At ${steady_ms}, by a clock that is off by ${offset_ms}. */
static void
look_at_dead(struct house *house, int64_t steady_ms, int64_t offset_ms)
{
	housekeeping_configure(house->housekeeping, &house->config); /* look */
	housekeeping_turn(house->housekeeping, false, steady_ms,
	    WALL_MS + steady_ms + offset_ms);
}

static void
purges_the_dead_over_their_age(void **state)
{
	struct house *house = *state;
	int64_t lane_id;

	put(house, house->db, 10);
	bury(house, 1, 10);
	house->config.dead.max_age_ms = 60000;
	housekeeping_configure(house->housekeeping, &house->config);
	look_at_dead(house, 0, 60000 - HOUR_MS);
	look_at_dead(house, HOUR_MS, 60000 - HOUR_MS);
	assert_int_equal(count_dead(house), 10);
	look_at_dead(house, HOUR_MS + DEAD_LOOK_MS, 3500 - HOUR_MS);
	assert_int_equal(count_dead(house), 6);
	assert_int_equal(deadletter_lane(house->db, 4, &lane_id), 0);
	assert_int_equal(deadletter_lane(house->db, 5, &lane_id), 1);
}

/* Of a clock nothing is known at first. */
static void
purges_none_for_their_age_in_its_first_hour(void **state)
{
	struct house *house = *state;

	put(house, house->db, 10);
	bury(house, 1, 10);
	look_at_dead(house, 0, YEARS_MS);
	look_at_dead(house, HOUR_MS - 1, YEARS_MS);
	assert_int_equal(count_dead(house), 10);
	look_at_dead(house, HOUR_MS + DEAD_LOOK_MS, YEARS_MS);
	assert_int_equal(count_dead(house), 0);
}

static void
a_clock_that_jumps_and_comes_back_purges_none(void **state)
{
	struct house *house = *state;
	int64_t steady_ms = 0, offset_ms;

	put(house, house->db, 10);
	bury(house, 1, 10);
	for (; steady_ms < 3 * HOUR_MS; steady_ms += DEAD_LOOK_MS) {
		offset_ms = steady_ms == 2 * HOUR_MS ? YEARS_MS : 0;
		look_at_dead(house, steady_ms, offset_ms);
		look_at_dead(house, steady_ms, -offset_ms);
	}
	assert_int_equal(count_dead(house), 10);
}

static void
a_clock_that_was_set_is_believed_after_a_day(void **state)
{
	struct house *house = *state;

	put(house, house->db, 10);
	bury(house, 1, 10);
	look_at_dead(house, 0, 0);
	look_at_dead(house, 2 * HOUR_MS, YEARS_MS);
	look_at_dead(house, 25 * HOUR_MS, YEARS_MS);
	assert_int_equal(count_dead(house), 10);
	look_at_dead(house, 26 * HOUR_MS, YEARS_MS);
	assert_int_equal(count_dead(house), 0);
}

/* Some died before the machine knew the time, some came while its clock was
 * ahead. */
static void
takes_for_young_what_died_by_a_wrong_clock(void **state)
{
	struct house *house = *state;

	put(house, house->db, 10);
	bury(house, 1, 10);
	assert_int_equal(db_run(house->db,
			     "UPDATE dead_letter SET died_at = 1000 * id,"
			     "  accepted_at = 1000 WHERE id <= 3"),
	    0);
	assert_int_equal(db_run(house->db,
			     "UPDATE dead_letter SET accepted_at = died_at + 1"
			     " WHERE id > 3 AND id <= 5"),
	    0);
	look_at_dead(house, 0, YEARS_MS);
	look_at_dead(house, HOUR_MS, YEARS_MS);
	assert_int_equal(count_dead(house), 5);
}

static void
leaves_the_dead_without_bounds(void **state)
{
	struct house *house = *state;

	put(house, house->db, 10);
	bury(house, 1, 10);
	house->config.dead.max_age_ms = house->config.dead.max_rows = 0;
	housekeeping_configure(house->housekeeping, &house->config);
	housekeeping_turn(house->housekeeping, true, 0, INT64_C(1) << 50);
	assert_int_equal(count_dead(house), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(copies_the_log_back_after_a_second_of_rest),
		CASE(lets_the_log_be_while_rows_flow),
		CASE(copies_a_long_log_of_its_own_back_though_busy),
		CASE(copies_a_long_log_of_others_back_though_busy),
		CASE(copies_once_and_not_for_the_length_of_the_file),
		CASE(gives_pages_back_when_a_quarter_is_free_and_it_rests),
		CASE(
		    gives_pages_back_one_step_in_five_seconds_though_rows_trickle),
		CASE(gives_no_pages_back_while_a_backlog_drains),
		CASE(makes_the_ballast_soon_when_idle),
		CASE(makes_the_ballast_again_though_rows_flow),
		CASE(remembers_each_minute_in_which_something_changed),
		CASE(keeps_as_many_minutes_as_the_ring_has),
		CASE(collects_series_nobody_uses),
		CASE(forgets_expired_keys_though_busy),
		CASE(purges_the_longest_dead_over_their_bound),
		CASE(purges_the_dead_over_their_age),
		CASE(purges_none_for_their_age_in_its_first_hour),
		CASE(a_clock_that_jumps_and_comes_back_purges_none),
		CASE(a_clock_that_was_set_is_believed_after_a_day),
		CASE(takes_for_young_what_died_by_a_wrong_clock),
		CASE(leaves_the_dead_without_bounds),
		CASE(works_on_with_a_queue_opened_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
