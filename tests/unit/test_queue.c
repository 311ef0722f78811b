/* links: base queue */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "base/config.h"
#include "queue/gate.h"
#include "queue/lock.h"

static struct config config; /* larger than a stack frame should be */

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
has_modes(const struct place *place, unsigned mode)
{
	assert_int_equal(mode_of(place->file), mode);
	assert_int_equal(mode_of(place->wal), mode);
	assert_int_equal(mode_of(place->shm), mode);
	assert_int_equal(mode_of(place->gate), mode);
	assert_int_equal(mode_of(place->lock), mode);
	assert_int_equal(mode_of(place->bell), mode);
}

static void
makes_the_directory_and_all_files(void **state)
{
	struct queue_init init = { .any_filesystem = true };
	struct fault fault = { 0 };
	struct spool outer, spool;
	bool created = false;
	mode_t mask;
	struct stat st;
	char path[512];

	(void)state;
	spool_dir(&outer);
	spool_path(&outer, "made", spool.dir);
	snprintf(path, sizeof(path), "%.400s/queue.db", spool.dir);
	init.path = path;
	mask = umask(0777);
	assert_int_equal(queue_init(&init, &created, &fault), 0);
	umask(mask);
	assert_true(created);
	assert_int_equal(mode_of(spool.dir), 02770);
	assert_int_equal(place_of(&spool.place, path, NULL), 0);
	has_modes(&spool.place, 0660);
	/* the schema is in the file, not in the WAL alone */
	assert_int_equal(lstat(spool.place.file, &st), 0);
	assert_true(st.st_size > 10 * 4096);
	assert_int_equal(unlink(spool.place.wal), 0);
	assert_int_equal(unlink(spool.place.shm), 0);
	db_close(spool_open(&spool, DB_WRITER));
	assert_int_equal(mode_of(spool.place.wal), 0660);
	spool_remove(&spool);
	spool_remove(&outer);
}

static void
makes_no_more_than_the_last_directory(void **state)
{
	struct queue_init init = { .any_filesystem = true };
	struct fault fault = { 0 };
	struct spool spool;
	char path[512];

	(void)state;
	spool_dir(&spool);
	spool_path(&spool, "a/b/queue.db", path);
	init.path = path;
	assert_int_equal(queue_init(&init, NULL, &fault), -1);
	assert_int_equal(fault.kind, FAULT_CANNOT_CREATE);
	spool_remove(&spool); /* was left empty */
}

static void
corrects_modes_and_keeps_rows_of_a_queue_that_is_there(void **state)
{
	struct queue_init init = { .any_filesystem = true };
	struct spool spool;
	bool created = true;
	struct db *db;

	(void)state;
	spool_make(&spool);
	db = spool_open(&spool, DB_WRITER);
	assert_int_equal(
	    db_run(db, "INSERT INTO gap VALUES (1, 2, 3, 'x')"), 0);
	db_close(db);
	chmod(spool.place.file, 0600);
	chmod(spool.place.wal, 0644);
	unlink(spool.place.bell);
	unlink(spool.place.lock);
	config_defaults(&config);
	assert_int_equal(
	    config_set(&config, "queue", NULL, "max_size", "99M", NULL), 0);
	init.path = spool.place.file;
	init.config = &config;
	init.mode = 0640;
	assert_int_equal(queue_init(&init, &created, NULL), 0);
	assert_false(created);
	has_modes(&spool.place, 0640);
	db = queue_open(spool.place.file, DB_READER, -1, &config, NULL);
	assert_non_null(db);
	assert_int_equal(config.queue.max_size, 99 * 1024 * 1024);
	assert_int_equal(
	    db_step(db, db_prepare(db, "SELECT 1 FROM gap")), DB_ROW);
	db_close(db);
	spool_remove(&spool);
}

static void
leaves_alone_what_is_not_a_queue(void **state)
{
	static const char *const CONTENTS[] = { "", "precious text" };
	struct queue_init init = { .any_filesystem = true };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct fault fault = { 0 };
		struct spool spool;

		spool_empty(&spool);
		spool_write(spool.place.file, CONTENTS[i], strlen(CONTENTS[i]));
		chmod(spool.place.file, 0604);
		init.path = spool.place.file;
		assert_int_equal(queue_init(&init, NULL, &fault), -1);
		assert_int_equal(fault.kind, FAULT_QUEUE_FOREIGN);
		assert_int_equal(
		    place_size(spool.place.file), strlen(CONTENTS[i]));
		assert_int_equal(mode_of(spool.place.file), 0604);
		unlink(spool.place.file);
		spool_remove(&spool); /* nothing was left beside it */
	}
}

static void
refuses_a_group_that_does_not_exist(void **state)
{
	struct queue_init init = { .group = "no-such-group-here",
		.any_filesystem = true };
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	init.path = spool.place.file;
	assert_int_equal(queue_init(&init, NULL, &fault), -1);
	assert_int_equal(fault.kind, FAULT_USAGE);
	assert_int_not_equal(access(spool.place.file, F_OK), 0);
	spool_remove(&spool);
}

static void
gives_the_files_to_the_group(void **state)
{
	struct queue_init init = { .any_filesystem = true };
	struct group *group = getgrgid(65534);
	struct spool spool;
	struct stat st;

	(void)state;
	if (geteuid() != 0 || group == NULL)
		skip();
	spool_empty(&spool);
	init.path = spool.place.file;
	init.group = group->gr_name;
	assert_int_equal(queue_init(&init, NULL, NULL), 0);
	assert_int_equal(stat(spool.place.shm, &st), 0);
	assert_int_equal(st.st_gid, 65534);
	assert_int_equal(stat(spool.place.bell, &st), 0);
	assert_int_equal(st.st_gid, 65534);
	spool_remove(&spool);
}

static int
init_with_too_little_room(void *cookie)
{
	struct spool *spool = cookie;
	struct rlimit limit = { 40000, 40000 };
	struct queue_init init = { .path = spool->place.file,
		.any_filesystem = true };
	struct fault fault = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 2;
	if (queue_init(&init, NULL, &fault) == 0)
		return 1;
	return fault.kind == FAULT_NONE ? 3 : 0;
}

static void
removes_what_it_made_when_it_fails_midway(void **state)
{
	struct spool outer, spool;
	char path[512];

	(void)state;
	spool_dir(&outer);
	spool_path(&outer, "made", spool.dir);
	snprintf(path, sizeof(path), "%.400s/queue.db", spool.dir);
	assert_int_equal(place_of(&spool.place, path, NULL), 0);
	assert_int_equal(in_child(init_with_too_little_room, &spool), 0);
	assert_int_not_equal(access(spool.dir, F_OK), 0);

	/* and nothing that was there before */
	assert_int_equal(mkdir(spool.dir, 02770), 0);
	spool_write(spool.place.lock, "", 0);
	assert_int_equal(in_child(init_with_too_little_room, &spool), 0);
	assert_int_equal(access(spool.place.lock, F_OK), 0);
	unlink(spool.place.lock);
	spool_remove(&spool);
	spool_remove(&outer);
}

static int
init_once(void *cookie)
{
	struct queue_init init = { .path = cookie, .any_filesystem = true };
	bool created = false;

	if (queue_init(&init, &created, NULL))
		return 9;
	return created;
}

static void
is_made_once_by_many_at_the_same_time(void **state)
{
	struct spool spool;
	int i, created = 0;

	(void)state;
	spool_empty(&spool);
	for (i = 0; i < 8; i++)
		if (fork() == 0)
			_exit(init_once(spool.place.file));
	for (i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 0, 1);
		created += WEXITSTATUS(status);
	}
	assert_int_equal(created, 1);
	db_close(spool_open(&spool, DB_WRITER));
	spool_remove(&spool);
}

static void
opens_with_the_settings_of_the_copy(void **state)
{
	struct queue_init init = { .any_filesystem = true, .config = &config };
	struct sqlite3_stmt *stmt;
	struct spool spool;
	struct db *db;

	(void)state;
	spool_empty(&spool);
	config_defaults(&config);
	config_set(&config, "queue", NULL, "max_size", "32M", NULL);
	config_set(&config, "queue", NULL, "busy_timeout", "77ms", NULL);
	init.path = spool.place.file;
	assert_int_equal(queue_init(&init, NULL, NULL), 0);
	memset(&config, 0, sizeof(config));
	db = queue_open(spool.place.file, DB_SHARED, -1, &config, NULL);
	assert_non_null(db);
	assert_int_equal(config.queue.busy_timeout_ms, 77);
	stmt = db_prepare(db, "PRAGMA busy_timeout");
	assert_int_equal(db_step(db, stmt), DB_ROW);
	assert_int_equal(db_column_int(stmt, 0), 77);
	stmt = db_prepare(db, "PRAGMA max_page_count");
	assert_int_equal(db_step(db, stmt), DB_ROW);
	assert_int_equal(db_column_int(stmt, 0),
	    (32 - 8) * 1024 * 1024 / 4096); /* 8 MiB are the WAL's */
	db_close(db);
	spool_remove(&spool);
}

static void
opens_nothing_that_is_missing(void **state)
{
	struct fault fault = { 0 };
	struct spool spool;

	(void)state;
	spool_empty(&spool);
	assert_null(
	    queue_open(spool.place.file, DB_WRITER, -1, &config, &fault));
	assert_int_equal(fault.kind, FAULT_QUEUE_MISSING);
	spool_remove(&spool); /* was left empty */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_the_directory_and_all_files),
		cmocka_unit_test(makes_no_more_than_the_last_directory),
		cmocka_unit_test(
		    corrects_modes_and_keeps_rows_of_a_queue_that_is_there),
		cmocka_unit_test(leaves_alone_what_is_not_a_queue),
		cmocka_unit_test(refuses_a_group_that_does_not_exist),
		cmocka_unit_test(gives_the_files_to_the_group),
		cmocka_unit_test(removes_what_it_made_when_it_fails_midway),
		cmocka_unit_test(is_made_once_by_many_at_the_same_time),
		cmocka_unit_test(opens_with_the_settings_of_the_copy),
		cmocka_unit_test(opens_nothing_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
