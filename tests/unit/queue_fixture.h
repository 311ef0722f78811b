#ifndef QUEUE_FIXTURE_H
#define QUEUE_FIXTURE_H

/*
 * A queue in a directory of its own, made by queue_init() and removed with
 * everything in it.  For tests of the queue shelf; include after cmocka.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "queue/db.h"
#include "queue/queue.h"

struct spool {
	char dir[512];
	struct place place;
};

static inline void
spool_dir(struct spool *spool)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(spool->dir, sizeof(spool->dir), "%s/monspool.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(spool->dir));
}

static inline void
spool_path(const struct spool *spool, const char *name, char path[512])
{
	snprintf(path, 512, "%.400s/%s", spool->dir, name);
}

/* A directory for a queue, and its paths; nothing in it yet. */
static inline void
spool_empty(struct spool *spool)
{
	char path[512];

	spool_dir(spool);
	spool_path(spool, "queue.db", path);
	assert_int_equal(place_of(&spool->place, path, NULL), 0);
}

static inline void
spool_make(struct spool *spool)
{
	struct fault fault = { 0 };
	struct queue_init init = { .any_filesystem = true };
	bool created = false;

	spool_empty(spool);
	init.path = spool->place.file;
	if (queue_init(&init, &created, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
	assert_true(created);
}

static inline void
spool_remove(struct spool *spool)
{
	char path[1024];
	struct dirent *entry;
	DIR *dir = opendir(spool->dir);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(
		    path, sizeof(path), "%s/%s", spool->dir, entry->d_name);
		remove(path);
	}
	closedir(dir);
	assert_int_equal(rmdir(spool->dir), 0);
}

static inline struct db *
spool_open(struct spool *spool, enum db_kind kind)
{
	struct fault fault = { 0 };
	struct db *db = db_open(&spool->place, kind, 5000, &fault);

	if (db == NULL)
		fail_msg("%s: %s", fault.message, fault.why);
	return db;
}

/* Expect db_open() to fail with a fault of this kind. */
static inline void
spool_refused(struct spool *spool, enum fault_kind kind)
{
	struct fault fault = { 0 };
	struct db *db = db_open(&spool->place, DB_WRITER, 100, &fault);

	assert_null(db);
	assert_string_equal(fault_name(fault.kind), fault_name(kind));
	assert_string_not_equal(fault.message, "");
}

static inline void
spool_write(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0660);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* The exit code of the child that ${child} runs in. */
static inline int
in_child(int (*child)(void *cookie), void *cookie)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child(cookie));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
