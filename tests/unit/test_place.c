/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <grp.h>

#include <cmocka.h>

#include "queue_fixture.h"

static void
refused(const struct spool *spool, enum fault_kind kind, const char *words)
{
	struct fault fault = { 0 };

	assert_int_equal(place_check(&spool->place, &fault), -1);
	assert_string_equal(fault_name(fault.kind), fault_name(kind));
	if (strstr(fault.message, words) == NULL &&
	    strstr(fault.hint, words) == NULL)
		fail_msg("%s (%s)", fault.message, fault.hint);
}

static void
derives_the_files_beside_the_queue(void **state)
{
	static const struct {
		const char *path, *dir;
	} CASES[] = {
		{ "queue.db", "." },
		{ "/queue.db", "/" },
		{ "a/queue.db", "a" },
		{ "/var/lib/monspool/queue.db", "/var/lib/monspool" },
	};
	struct place place;
	char expected[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		assert_int_equal(place_of(&place, CASES[i].path, NULL), 0);
		assert_string_equal(place.dir, CASES[i].dir);
		assert_string_equal(place.file, CASES[i].path);
		snprintf(expected, sizeof(expected), "%s-wal", CASES[i].path);
		assert_string_equal(place.wal, expected);
		snprintf(
		    expected, sizeof(expected), "%s.ballast", CASES[i].path);
		assert_string_equal(place.ballast, expected);
	}
}

static void
refuses_a_path_that_names_no_file(void **state)
{
	struct fault fault = { 0 };
	struct place place;
	char path[PLACE_PATH + 8];

	(void)state;
	assert_int_equal(place_of(&place, "", &fault), -1);
	assert_int_equal(fault.kind, FAULT_USAGE);
	assert_int_equal(place_of(&place, "a/", &fault), -1);
	memset(path, 'x', sizeof(path));
	path[PLACE_PATH - 9] = '\0'; /* as long as ".ballast" allows, and */
	assert_int_equal(place_of(&place, path, &fault), 0);
	path[PLACE_PATH - 9] = 'x';
	path[PLACE_PATH - 8] = '\0'; /* one more */
	assert_int_equal(place_of(&place, path, &fault), -1);
}

static void
says_how_to_make_a_queue_that_is_missing(void **state)
{
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	refused(&spool, FAULT_QUEUE_MISSING, "monspool init");
	spool_remove(&spool);
	refused(&spool, FAULT_QUEUE_MISSING, "monspool init");
}

static void
refuses_links_and_what_is_not_a_file(void **state)
{
	struct spool spool;
	char path[512];

	(void)state;
	spool_make(&spool);
	assert_int_equal(place_check(&spool.place, NULL), 0);
	spool_path(&spool, "second", path);
	assert_int_equal(link(spool.place.file, path), 0);
	refused(&spool, FAULT_QUEUE_FOREIGN, "hard link");
	unlink(path);
	assert_int_equal(link(spool.place.wal, path), 0);
	refused(&spool, FAULT_QUEUE_FOREIGN, "hard link");
	unlink(path);
	unlink(spool.place.shm);
	assert_int_equal(symlink("second", spool.place.shm), 0);
	refused(&spool, FAULT_QUEUE_FOREIGN, "symbolic link");
	unlink(spool.place.shm);
	assert_int_equal(rename(spool.place.file, path), 0);
	assert_int_equal(symlink("second", spool.place.file), 0);
	refused(&spool, FAULT_QUEUE_FOREIGN, "symbolic link");
	unlink(spool.place.file);
	assert_int_equal(mkdir(spool.place.file, 0700), 0);
	refused(&spool, FAULT_QUEUE_FOREIGN, "not a regular file");
	spool_remove(&spool);
}

static void
refuses_a_directory_others_control(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	assert_int_equal(chmod(spool.dir, 0772), 0);
	refused(&spool, FAULT_NO_PERMISSION, "everybody");
	assert_int_equal(chmod(spool.dir, 01777), 0);
	refused(&spool, FAULT_NO_PERMISSION, "everybody");
	assert_int_equal(chmod(spool.dir, 02770), 0);
	assert_int_equal(place_check(&spool.place, NULL), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(spool.dir, 12345, 12345), 0);
		refused(&spool, FAULT_NO_PERMISSION, "somebody else");
		/* unless it is the service's, like the file */
		assert_int_equal(chown(spool.place.file, 12345, 12345), 0);
		assert_int_equal(place_check(&spool.place, NULL), 0);
	}
	spool_remove(&spool);
}

static int
check_as_nobody(void *cookie)
{
	struct spool *spool = cookie;
	struct fault fault = { 0 };

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 2;
	if (place_check(&spool->place, &fault) == 0)
		return 1;
	if (fault.kind != FAULT_NO_PERMISSION)
		return 3;
	return strstr(fault.hint, "join the group") != NULL ? 0 : 4;
}

static void
names_the_group_to_join(void **state)
{
	struct group *group = NULL;
	struct spool spool;

	(void)state;
	if (geteuid() != 0)
		skip();
	while ((group = getgrent()) != NULL)
		if (group->gr_gid != 0 && group->gr_gid != 65534)
			break;
	endgrent();
	if (group == NULL)
		skip();
	spool_make(&spool);
	assert_int_equal(chmod(spool.dir, 0755), 0);
	assert_int_equal(chown(spool.place.file, 0, group->gr_gid), 0);
	assert_int_equal(in_child(check_as_nobody, &spool), 0);
	assert_int_equal(chown(spool.dir, 0, group->gr_gid), 0);
	assert_int_equal(chmod(spool.dir, 02770), 0);
	assert_int_equal(in_child(check_as_nobody, &spool), 0);
	spool_remove(&spool);
}

static int
check_read_only(void *cookie)
{
	struct spool *spool = cookie;
	struct fault fault = { 0 };

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 2;
	return place_check(&spool->place, &fault) == -1 &&
		fault.kind == FAULT_NO_PERMISSION
	    ? 0
	    : 1;
}

static void
refuses_a_queue_it_may_only_read(void **state)
{
	struct spool spool;

	(void)state;
	spool_make(&spool);
	assert_int_equal(chmod(spool.dir, 0755), 0);
	assert_int_equal(chmod(spool.place.file, 0444), 0);
	assert_int_equal(in_child(check_read_only, &spool), 0);
	spool_remove(&spool);
}

static void
makes_files_with_the_mode_whatever_the_umask(void **state)
{
	struct spool spool;
	struct stat st;
	char path[512];
	mode_t mask;
	int fd;

	(void)state;
	spool_empty(&spool);
	spool_path(&spool, "file", path);
	mask = umask(0777);
	fd = place_open(path, true, 0660, NULL);
	umask(mask);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fd = place_open(path, true, 0600, NULL); /* left as it is */
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	close(fd);
	assert_int_equal(place_create(path, 0660, NULL), -1);
	assert_int_equal(place_correct(path, 0640, -1, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	spool_remove(&spool);
}

static void
opens_no_link_fifo_or_directory(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;
	char path[512], other[512];

	(void)state;
	spool_empty(&spool);
	spool_path(&spool, "a", path);
	spool_path(&spool, "b", other);
	spool_write(path, "x", 1);
	assert_int_equal(symlink("a", other), 0);
	assert_int_equal(place_open(other, true, 0600, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_int_equal(place_correct(other, 0600, -1, NULL), -1);
	unlink(other);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(place_open(other, false, 0600, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	assert_int_equal(place_correct(other, 0600, -1, NULL), -1);
	unlink(other);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_int_equal(place_open(other, true, 0600, &fault), -1);
	assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
	unlink(other);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(place_open(other, false, 0600, &fault), -1);
	assert_int_equal(place_open(spool.place.lock, false, 0, &fault), -1);
	assert_int_equal(fault.sys_errno, ENOENT);
	spool_remove(&spool);
}

static void
knows_local_file_systems_from_others(void **state)
{
	struct fault fault = { 0 };

	(void)state;
	assert_int_equal(place_check_filesystem("/proc", &fault), -1);
	assert_int_equal(fault.kind, FAULT_CANNOT_CREATE);
	if (access("/dev/shm", F_OK) == 0) /* tmpfs */
		assert_int_equal(place_check_filesystem("/dev/shm", NULL), 0);
	assert_int_equal(place_check_filesystem("/no/such", &fault), -1);
}

static void
measures_files_and_free_space(void **state)
{
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_int_equal(place_size(spool.place.file), 0);
	spool_write(spool.place.file, "12345", 5);
	assert_int_equal(place_size(spool.place.file), 5);
	assert_true(place_free(spool.dir) > 0);
	assert_int_equal(place_free("/no/such"), -1);
	assert_int_equal(place_sync_dir(spool.dir, NULL), 0);
	assert_int_equal(place_sync_dir(spool.place.file, NULL), -1);
	spool_remove(&spool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_the_files_beside_the_queue),
		cmocka_unit_test(refuses_a_path_that_names_no_file),
		cmocka_unit_test(says_how_to_make_a_queue_that_is_missing),
		cmocka_unit_test(refuses_links_and_what_is_not_a_file),
		cmocka_unit_test(refuses_a_directory_others_control),
		cmocka_unit_test(names_the_group_to_join),
		cmocka_unit_test(refuses_a_queue_it_may_only_read),
		cmocka_unit_test(makes_files_with_the_mode_whatever_the_umask),
		cmocka_unit_test(opens_no_link_fifo_or_directory),
		cmocka_unit_test(knows_local_file_systems_from_others),
		cmocka_unit_test(measures_files_and_free_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
