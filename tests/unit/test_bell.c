/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>

#include <cmocka.h>

#include "queue_fixture.h"

#include "queue/bell.h"

static bool
rings(int bell)
{
	struct pollfd poll_for = { .fd = bell, .events = POLLIN };

	return poll(&poll_for, 1, 0) == 1;
}

static void
wakes_the_one_who_listens(void **state)
{
	struct spool spool;
	int bell;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(bell_make(spool.place.bell, 0660, NULL), 0);
	assert_int_equal(bell_make(spool.place.bell, 0660, NULL), 0);
	bell = bell_open(spool.place.bell, NULL);
	assert_true(bell >= 0);
	assert_false(rings(bell));
	bell_ring_path(spool.place.bell);
	bell_ring_path(spool.place.bell);
	assert_true(rings(bell));
	bell_drain(bell);
	assert_false(rings(bell));
	bell_drain(bell); /* does not wait */
	close(bell);
	spool_remove(&spool);
}

static void
harms_no_writer_when_nobody_listens_or_it_is_full(void **state)
{
	struct spool spool;
	int bell, i;

	(void)state;
	spool_empty(&spool);
	errno = 7;
	bell_ring_path(spool.place.bell); /* missing */
	assert_int_equal(bell_make(spool.place.bell, 0660, NULL), 0);
	bell_ring_path(spool.place.bell); /* nobody: no SIGPIPE */
	bell = bell_open(spool.place.bell, NULL);
	for (i = 0; i < 70000; i++)
		bell_ring(bell);
	bell_ring(-1);
	assert_int_equal(errno, 7);
	bell_drain(bell); /* all that a FIFO holds */
	assert_false(rings(bell));
	close(bell);
	spool_remove(&spool);
}

static void
has_its_mode_whatever_the_umask(void **state)
{
	struct spool spool;
	struct stat st;
	mode_t mask;

	(void)state;
	spool_empty(&spool);
	mask = umask(0777);
	assert_int_equal(bell_make(spool.place.bell, 0660, NULL), 0);
	umask(mask);
	assert_int_equal(lstat(spool.place.bell, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	spool_remove(&spool);
}

static void
refuses_what_is_not_a_fifo(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	char path[512];

	(void)state;
	spool_empty(&spool);
	spool_write(spool.place.bell, "x", 1);
	assert_int_equal(bell_open(spool.place.bell, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_int_equal(bell_make(spool.place.bell, 0660, &fault), -1);
	bell_ring_path(spool.place.bell);
	assert_int_equal(place_size(spool.place.bell), 1);
	unlink(spool.place.bell);
	spool_path(&spool, "fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("fifo", spool.place.bell), 0);
	assert_int_equal(bell_open(spool.place.bell, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	unlink(spool.place.bell);
	assert_int_equal(link(path, spool.place.bell), 0);
	assert_int_equal(bell_open(spool.place.bell, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wakes_the_one_who_listens),
		cmocka_unit_test(
		    harms_no_writer_when_nobody_listens_or_it_is_full),
		cmocka_unit_test(has_its_mode_whatever_the_umask),
		cmocka_unit_test(refuses_what_is_not_a_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
