/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>

#include <cmocka.h>

#include "queue_fixture.h"

#include "base/clock.h"
#include "queue/lock.h"

static int
take_and_die(void *cookie)
{
	return lock_take(cookie, NULL) == NULL; /* exits holding it */
}

static int
is_refused(void *cookie)
{
	struct fault fault = { 0 };
	char pid[32];

	if (lock_take(cookie, &fault) != NULL)
		return 1;
	snprintf(pid, sizeof(pid), "process %ld ", (long)getppid());
	return fault.kind == FAULT_FORWARDER_RUNNING &&
		strstr(fault.message, pid) != NULL
	    ? 0
	    : 2;
}

static void
is_held_by_one_and_names_it(void **state)
{
	struct spool spool;
	struct lock_holder holder;
	struct lock *lock;
	int64_t before = clock_wall_ms();

	(void)state;
	spool_empty(&spool);
	assert_false(lock_held(spool.place.lock, &holder));
	lock = lock_take(spool.place.lock, NULL);
	assert_non_null(lock);
	assert_true(lock_held(spool.place.lock, &holder));
	assert_int_equal(holder.pid, getpid());
	assert_in_range(holder.since_ms, before, clock_wall_ms());
	assert_int_equal(in_child(is_refused, spool.place.lock), 0);
	assert_null(lock_take(spool.place.lock, NULL)); /* nor again by us */
	lock_release(lock);
	assert_false(lock_held(spool.place.lock, NULL));
	lock_release(NULL);
	spool_remove(&spool);
}

static void
survives_the_close_of_another_descriptor(void **state)
{
	struct spool spool;
	struct lock *lock;
	int fd;

	(void)state;
	spool_empty(&spool);
	lock = lock_take(spool.place.lock, NULL);
	fd = open(spool.place.lock, O_RDWR);
	assert_true(fd >= 0);
	close(fd); /* a POSIX lock would be gone now */
	assert_int_equal(in_child(is_refused, spool.place.lock), 0);
	lock_release(lock);
	spool_remove(&spool);
}

static void
is_free_after_its_holder_died(void **state)
{
	struct spool spool;
	struct lock_holder holder;
	struct lock *lock;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(in_child(take_and_die, spool.place.lock), 0);
	assert_true(place_size(spool.place.lock) > 0); /* the name stayed */
	assert_false(lock_held(spool.place.lock, &holder));
	lock = lock_take(spool.place.lock, NULL);
	assert_non_null(lock);
	assert_true(lock_held(spool.place.lock, &holder));
	assert_int_equal(holder.pid, getpid());
	lock_release(lock);
	spool_remove(&spool);
}

static void
believes_the_lock_and_not_the_content(void **state)
{
	struct spool spool;
	struct lock_holder holder;
	struct lock *lock;

	(void)state;
	spool_empty(&spool);
	spool_write(spool.place.lock, "1 1\n", 4);
	assert_false(lock_held(spool.place.lock, &holder));
	lock = lock_take(spool.place.lock, NULL);
	assert_non_null(lock);
	spool_write(spool.place.lock, "rubbish", 7);
	assert_true(lock_held(spool.place.lock, &holder));
	assert_int_equal(holder.pid, 0);
	lock_release(lock);
	spool_remove(&spool);
}

static void
takes_no_link(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(symlink("elsewhere", spool.place.lock), 0);
	assert_null(lock_take(spool.place.lock, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_false(lock_held(spool.place.lock, NULL));
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_held_by_one_and_names_it),
		cmocka_unit_test(survives_the_close_of_another_descriptor),
		cmocka_unit_test(is_free_after_its_holder_died),
		cmocka_unit_test(believes_the_lock_and_not_the_content),
		cmocka_unit_test(takes_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
