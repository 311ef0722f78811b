/* links: base queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "queue_fixture.h"

#include "queue/newqueue.h"

static const char OTHER[] = "this is somebody else's";

static void
beside(const struct spool *spool, const char *suffix, char path[600])
{
	snprintf(path, 600, "%s%s", spool->place.file, suffix);
}

static void
leave(const struct spool *spool, const char *suffix)
{
	char path[600];

	beside(spool, suffix, path);
	spool_write(path, OTHER, sizeof(OTHER));
}

static bool
is_there(const struct spool *spool, const char *suffix)
{
	char path[600];

	beside(spool, suffix, path);
	return access(path, F_OK) == 0;
}

static bool
is_left(const struct spool *spool, const char *suffix)
{
	char path[600], bytes[sizeof(OTHER)] = "";
	int fd;

	beside(spool, suffix, path);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(bytes));
	close(fd);
	return memcmp(bytes, OTHER, sizeof(bytes)) == 0;
}

static int
init(const struct spool *spool, bool *created, struct fault *fault)
{
	const struct queue_init init = { .path = spool->place.file,
		.any_filesystem = true };

	return queue_init(&init, created, fault);
}

static void
takes_no_notice_of_what_a_killed_one_left(void **state)
{
	static const char *const SUFFIXES[] = { ".making", ".making-wal",
		".making-shm", ".making-journal" };
	struct spool spool;
	bool created = false;
	size_t i;

	(void)state;
	spool_empty(&spool);
	for (i = 0; i < sizeof(SUFFIXES) / sizeof(SUFFIXES[0]); i++)
		leave(&spool, SUFFIXES[i]);
	spool_write(spool.place.wal, "", 0);
	assert_int_equal(init(&spool, &created, NULL), 0);
	assert_true(created);
	for (i = 0; i < sizeof(SUFFIXES) / sizeof(SUFFIXES[0]); i++)
		assert_false(is_there(&spool, SUFFIXES[i]));
	db_close(spool_open(&spool, DB_WRITER));
	/* killed when it had given the name, too */
	leave(&spool, ".making");
	assert_int_equal(init(&spool, &created, NULL), 0);
	assert_false(created);
	assert_false(is_there(&spool, ".making"));
	spool_remove(&spool);
}

/* Where a second name had to be given, and the first was not taken away. */
static void
takes_a_second_name_away(void **state)
{
	struct spool spool;
	char draft[600];

	(void)state;
	spool_make(&spool);
	beside(&spool, ".making", draft);
	assert_int_equal(link(spool.place.file, draft), 0);
	assert_int_equal(init(&spool, NULL, NULL), 0);
	assert_int_not_equal(access(draft, F_OK), 0);
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static void
takes_no_log_of_another_queue(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	leave(&spool, "-wal");
	assert_int_equal(init(&spool, NULL, &fault), -1);
	assert_int_equal(fault.kind, FAULT_CANNOT_CREATE);
	assert_string_not_equal(fault.hint, "");
	assert_true(is_left(&spool, "-wal"));
	assert_false(is_there(&spool, ""));
	assert_false(is_there(&spool, ".gate"));
	spool_remove(&spool);
}

static void
takes_nobodys_place(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	const struct newqueue new = {
		.place = &spool.place, .mode = 0660, .gid = -1
	};

	(void)state;
	spool_empty(&spool);
	leave(&spool, "");
	assert_int_equal(newqueue_make(&new, &fault), -1);
	assert_int_equal(fault.sys_errno, EEXIST);
	assert_true(is_left(&spool, ""));
	assert_false(is_there(&spool, ".making"));
	assert_false(is_there(&spool, "-wal"));
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_no_notice_of_what_a_killed_one_left),
		cmocka_unit_test(takes_a_second_name_away),
		cmocka_unit_test(takes_no_log_of_another_queue),
		cmocka_unit_test(takes_nobodys_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
