/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>

#include <cmocka.h>

#include "queue_fixture.h"

#include "base/clock.h"
#include "queue/gate.h"

static struct gate *
open_gate(const struct spool *spool)
{
	struct gate *gate = gate_open(spool->place.gate, NULL);

	assert_non_null(gate);
	return gate;
}

static void
lets_in_one_at_a_time(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	struct gate *a, *b;
	int64_t since;

	(void)state;
	spool_empty(&spool);
	a = open_gate(&spool);
	b = open_gate(&spool);
	assert_int_equal(gate_enter(a, 0, &fault), GATE_IN);
	assert_int_equal(gate_enter(b, 0, &fault), GATE_BUSY);
	assert_int_equal(fault.kind, FAULT_QUEUE_BUSY);
	since = clock_steady_ms();
	assert_int_equal(gate_enter(b, 60, &fault), GATE_BUSY);
	assert_in_range(clock_steady_ms() - since, 60, 1000);
	assert_int_equal(gate_enter(a, 0, &fault), GATE_IN); /* nests */
	gate_leave(a);
	assert_int_equal(gate_enter(b, 0, &fault), GATE_BUSY);
	gate_leave(a);
	assert_int_equal(gate_enter(b, 0, &fault), GATE_IN);
	gate_leave(b);
	gate_leave(b); /* once too often is harmless */
	assert_int_equal(gate_enter(a, 0, &fault), GATE_IN);
	gate_close(a); /* leaves, too */
	assert_int_equal(gate_enter(b, 0, &fault), GATE_IN);
	gate_close(b);
	gate_close(NULL);
	spool_remove(&spool);
}

/* A child that runs ${work} and is killed at the end of the test; it writes a
 * byte when it has got where it wants to be. */
struct child {
	pid_t pid;
	int said;
};

static struct child
start(struct spool *spool, void (*work)(struct gate *gate, int say))
{
	struct child child;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		work(gate_open(spool->place.gate, NULL), ends[1]);
		_exit(0);
	}
	close(ends[1]);
	child.said = ends[0];
	return child;
}

static void
await(const struct child *child)
{
	struct pollfd poll_for = { .fd = child->said, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&poll_for, 1, 10000), 1);
	assert_int_equal(read(child->said, &byte, 1), 1);
}

static void
end(struct child *child)
{
	int status;

	kill(child->pid, SIGKILL);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	close(child->said);
}

static void
enter_and_stay(struct gate *gate, int say)
{
	if (gate_enter(gate, 10000, NULL) == GATE_IN && write(say, "i", 1) == 1)
		pause();
}

static void
is_free_again_when_the_one_inside_is_killed(void **state)
{
	struct spool spool;
	struct child child;
	struct gate *gate;

	(void)state;
	spool_empty(&spool);
	gate = open_gate(&spool);
	child = start(&spool, enter_and_stay);
	await(&child);
	assert_int_equal(gate_enter(gate, 0, NULL), GATE_BUSY);
	end(&child);
	assert_int_equal(gate_enter(gate, 0, NULL), GATE_IN);
	gate_close(gate);
	spool_remove(&spool);
}

/* Whether somebody waits in the room: byte 128 is locked. */
static bool
room_taken(int fd)
{
	struct flock range = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = 128,
		.l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

static void
goes_on_when_the_next_in_line_is_killed(void **state)
{
	struct spool spool;
	struct child next, other;
	struct gate *gate;
	int64_t until = clock_steady_ms() + 10000;
	int fd;

	(void)state;
	spool_empty(&spool);
	gate = open_gate(&spool);
	fd = open(spool.place.gate, O_RDWR);
	assert_int_equal(gate_enter(gate, 0, NULL), GATE_IN);
	next = start(&spool, enter_and_stay);
	while (!room_taken(fd) && clock_steady_ms() < until)
		sched_yield();
	assert_true(room_taken(fd));
	other = start(&spool, enter_and_stay);
	end(&next);
	gate_leave(gate);
	await(&other); /* it got in */
	end(&other);
	close(fd);
	gate_close(gate);
	spool_remove(&spool);
}

static void
count_entries(struct gate *gate, int say)
{
	while (gate_enter(gate, 10000, NULL) == GATE_IN) {
		if (write(say, "i", 1) != 1)
			return;
		gate_leave(gate);
	}
}

/* The parent comes straight back each time; the child must still get in. */
static void
is_not_kept_by_one_that_comes_straight_back(void **state)
{
	struct spool spool;
	struct child child;
	struct gate *gate;
	int64_t until = clock_steady_ms() + 10000;
	char bytes[4096];
	int64_t ours = 0, theirs = 0;

	(void)state;
	spool_empty(&spool);
	gate = open_gate(&spool);
	child = start(&spool, count_entries);
	await(&child);
	fcntl(child.said, F_SETFL, O_NONBLOCK);
	while (ours + theirs < 2000 && clock_steady_ms() < until) {
		ssize_t got;

		assert_int_equal(gate_enter(gate, 10000, NULL), GATE_IN);
		ours++;
		gate_leave(gate);
		if ((got = read(child.said, bytes, sizeof(bytes))) > 0)
			theirs += got;
	}
	end(&child);
	assert_true(ours + theirs >= 2000);
	assert_true(theirs >= ours / 8);
	assert_true(ours >= theirs / 8);
	gate_close(gate);
	spool_remove(&spool);
}

static void
keeps_a_mark_that_was_written_whole(void **state)
{
	struct spool spool;
	struct gate *gate;
	int fd;

	(void)state;
	spool_empty(&spool);
	gate = open_gate(&spool);
	assert_int_equal(gate_mark(gate), -1);
	gate_set_mark(gate, 0);
	assert_int_equal(gate_mark(gate), 0);
	gate_set_mark(gate, INT64_MAX);
	gate_close(gate);
	gate = open_gate(&spool);
	assert_int_equal(gate_mark(gate), INT64_MAX);
	fd = open(spool.place.gate, O_RDWR);
	assert_int_equal(pwrite(fd, "\1", 1, 9), 1); /* a bit rots */
	assert_int_equal(gate_mark(gate), -1);
	gate_set_mark(gate, 12);
	assert_int_equal(gate_mark(gate), 12);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(gate_mark(gate), -1);
	close(fd);
	gate_close(gate);
	spool_remove(&spool);
}

/* Another member of the group can cut the file any time. */
static void
survives_a_file_cut_to_nothing(void **state)
{
	struct spool spool;
	struct child child;
	struct gate *gate;

	(void)state;
	spool_empty(&spool);
	gate = open_gate(&spool);
	assert_int_equal(gate_enter(gate, 0, NULL), GATE_IN);
	child = start(&spool, enter_and_stay);
	assert_int_equal(truncate(spool.place.gate, 0), 0);
	gate_leave(gate);
	await(&child);
	assert_int_equal(gate_enter(gate, 30, NULL), GATE_BUSY);
	end(&child);
	gate_close(gate);
	spool_remove(&spool);
}

static void
opens_no_link(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(symlink("elsewhere", spool.place.gate), 0);
	assert_null(gate_open(spool.place.gate, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_in_one_at_a_time),
		cmocka_unit_test(is_free_again_when_the_one_inside_is_killed),
		cmocka_unit_test(goes_on_when_the_next_in_line_is_killed),
		cmocka_unit_test(is_not_kept_by_one_that_comes_straight_back),
		cmocka_unit_test(keeps_a_mark_that_was_written_whole),
		cmocka_unit_test(survives_a_file_cut_to_nothing),
		cmocka_unit_test(opens_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
