/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "queue_fixture.h"

#include "queue/ballast.h"

#define MIB (1024 * 1024)

static int64_t
blocks(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : (int64_t)st.st_blocks * 512;
}

static void
fills_the_disk_and_sets_it_free(void **state)
{
	struct spool spool;
	struct stat st;
	const char *path;

	(void)state;
	spool_empty(&spool);
	path = spool.place.ballast;
	assert_false(ballast_ready(path, MIB));
	assert_int_equal(ballast_make(path, MIB, 0, NULL), 0);
	assert_true(ballast_ready(path, MIB));
	assert_false(ballast_ready(path, MIB + 1));
	assert_true(blocks(path) >= MIB);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(ballast_release(path, INT64_MAX) >= MIB);
	assert_int_equal(ballast_release(path, INT64_MAX), 0);
	assert_false(ballast_ready(path, MIB));
	spool_remove(&spool);
}

/* What it is not asked for another program might take. */
static void
is_given_up_by_the_piece(void **state)
{
	struct spool spool;
	const char *path;

	(void)state;
	spool_empty(&spool);
	path = spool.place.ballast;
	assert_int_equal(ballast_make(path, 4 * MIB, 0, NULL), 0);
	assert_int_equal(ballast_release(path, 1), MIB);
	assert_int_equal(place_size(path), 3 * MIB);
	assert_false(ballast_ready(path, 4 * MIB));
	assert_int_equal(ballast_release(path, MIB + 1), 2 * MIB);
	assert_int_equal(ballast_release(path, 1), MIB);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(ballast_make(path, 4 * MIB, 0, NULL), 0);
	assert_int_equal(ballast_release(path, 3 * MIB), 3 * MIB);
	assert_int_equal(ballast_make(path, 4 * MIB, 0, NULL), 0);
	assert_true(ballast_ready(path, 4 * MIB));
	spool_remove(&spool);
}

static void
grows_and_shrinks_to_its_size(void **state)
{
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(ballast_make(spool.place.ballast, 100000, 0, NULL), 0);
	assert_int_equal(ballast_make(spool.place.ballast, MIB, 0, NULL), 0);
	assert_int_equal(place_size(spool.place.ballast), MIB);
	assert_int_equal(ballast_make(spool.place.ballast, 4096, 0, NULL), 0);
	assert_int_equal(place_size(spool.place.ballast), 4096);
	spool_remove(&spool);
}

static void
does_not_count_a_hole(void **state)
{
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	spool_write(spool.place.ballast, "", 0);
	assert_int_equal(truncate(spool.place.ballast, MIB), 0);
	assert_false(ballast_ready(spool.place.ballast, MIB));
	assert_int_equal(ballast_make(spool.place.ballast, MIB, 0, NULL), 0);
	assert_true(ballast_ready(spool.place.ballast, MIB));
	spool_remove(&spool);
}

static void
does_not_compress(void **state)
{
	struct spool spool;
	unsigned char bytes[65536];
	size_t seen[256] = { 0 }, i;
	int fd;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(ballast_make(spool.place.ballast, MIB, 0, NULL), 0);
	fd = open(spool.place.ballast, O_RDONLY);
	assert_int_equal(
	    pread(fd, bytes, sizeof(bytes), 500000), sizeof(bytes));
	close(fd);
	for (i = 0; i < sizeof(bytes); i++)
		seen[bytes[i]]++;
	for (i = 0; i < 256; i++)
		assert_in_range(seen[i], 150, 400); /* 256 expected */
	spool_remove(&spool);
}

static void
leaves_the_room_it_is_told_to(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(ballast_make(spool.place.ballast, MIB,
			     place_free(spool.dir), &fault),
	    -1);
	assert_int_equal(fault.kind, FAULT_DISK_FULL);
	assert_int_not_equal(access(spool.place.ballast, F_OK), 0);
	spool_remove(&spool);
}

static int
make_beyond_a_limit(void *cookie)
{
	struct rlimit limit = { 300000, 300000 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 2;
	return ballast_make(cookie, MIB, 0, NULL) == -1 ? 0 : 1;
}

static void
leaves_nothing_behind_when_it_cannot_be_written(void **state)
{
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(in_child(make_beyond_a_limit, spool.place.ballast), 0);
	assert_int_not_equal(access(spool.place.ballast, F_OK), 0);
	spool_remove(&spool);
}

static void
is_no_link(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	char path[512];

	(void)state;
	spool_empty(&spool);
	spool_path(&spool, "precious", path);
	spool_write(path, "precious", 8);
	assert_int_equal(symlink("precious", spool.place.ballast), 0);
	assert_int_equal(ballast_make(spool.place.ballast, MIB, 0, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_int_equal(ballast_release(spool.place.ballast, INT64_MAX), 0);
	assert_false(ballast_ready(spool.place.ballast, 4));
	assert_int_equal(place_size(path), 8);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_the_disk_and_sets_it_free),
		cmocka_unit_test(is_given_up_by_the_piece),
		cmocka_unit_test(grows_and_shrinks_to_its_size),
		cmocka_unit_test(does_not_count_a_hole),
		cmocka_unit_test(does_not_compress),
		cmocka_unit_test(leaves_the_room_it_is_told_to),
		cmocka_unit_test(
		    leaves_nothing_behind_when_it_cannot_be_written),
		cmocka_unit_test(is_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
