#define _GNU_SOURCE /* renameat2(), mknod() */
#include "newqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fault.h"
#include "checkpoint.h"
#include "db.h"
#include "schema.h"
#include "setting.h"

#define WAIT_MS 5000

struct making {
	const struct newqueue *new;
	struct place draft; /* what is to become the queue */
	struct fault *fault;
};

static int
draft_of(struct place *draft, const struct place *place, struct fault *fault)
{
	char path[PLACE_PATH + 8];

	snprintf(path, sizeof(path), "%s.making", place->file);
	return place_of(draft, path, fault);
}

/* SQLite's: the log, its index, and the journal of the moment before there is
 * a log. */
static void
remove_beside(const struct place *draft)
{
	char path[PLACE_PATH + 8];

	snprintf(path, sizeof(path), "%s-journal", draft->file);
	unlink(path);
	unlink(draft->wal);
	unlink(draft->shm);
}

static void
remove_draft(const struct place *draft)
{
	remove_beside(draft);
	unlink(draft->file);
}

static int
store_settings(struct db *db, const struct config *config)
{
	struct config *defaults;
	struct fault fault;
	int failed;

	if (config != NULL)
		return setting_store(db, config);
	if ((defaults = malloc(sizeof(*defaults))) == NULL) {
		fault_errno(&fault, ENOMEM, "cannot store the settings");
		return db_fail(db, &fault);
	}
	config_defaults(defaults);
	failed = setting_store(db, defaults);
	free(defaults);
	return failed;
}

/* Schema and settings, copied back from the log: that of the draft goes, and
 * a queue whose log is lost is still one (H9). */
static int
fill(struct db *db, const struct config *config)
{
	if (schema_create(db) || store_settings(db, config))
		return -1;
	return checkpoint_guarded(db, true) == CHECKPOINT_DONE ? 0 : -1;
}

/* Of a queue that could not be made nothing is left, so that its outcome is
 * known even where a commit's was not. */
static void
tell(struct making *making, const struct fault *fault)
{
	if (making->fault == NULL)
		return;
	*making->fault = *fault;
	if (fault->kind == FAULT_OUTCOME_UNKNOWN) {
		making->fault->kind = fault->sys_errno == ENOSPC
		    ? FAULT_DISK_FULL
		    : FAULT_IO_ERROR;
		making->fault->hint[0] = '\0';
	}
}

static int
write_draft(struct making *making)
{
	const struct newqueue *new = making->new;
	struct db *db;
	int failed, fd;

	fd = place_create(making->draft.file, new->mode, making->fault);
	if (fd == -1)
		return -1;
	close(fd);
	db = db_open(&making->draft, DB_CREATE, WAIT_MS, making->fault);
	if (db == NULL)
		return -1;
	if ((failed = fill(db, new->config)) != 0)
		tell(making, db_fault(db));
	db_close(db);
	return failed;
}

static int
sync_draft(struct making *making)
{
	/* No connection is open, so close() takes no lock from anybody */
	int error = 0,
	    fd = place_open(making->draft.file, false, 0, making->fault);

	if (fd == -1)
		return -1;
	if (fsync(fd))
		error = errno;
	close(fd);
	if (error != 0)
		return fault_errno(
		    making->fault, error, "cannot sync %s", making->draft.file);
	return 0;
}

/* A log that holds something is that of another queue: it would be taken for
 * the log of this one. */
static int
check_log(struct making *making)
{
	const struct place *place = making->new->place;

	if (place_size(place->wal) == 0)
		return 0;
	fault_set(making->fault, FAULT_CANNOT_CREATE,
	    "%s is there, but not the queue it belongs to", place->wal);
	fault_why(making->fault, "it may hold rows of that queue");
	fault_hint(making->fault, "put the queue back, or: mv %s %s.old",
	    place->wal, place->wal);
	return -1;
}

/* Not by open(): to close it would drop the locks of a thread that has opened
 * the queue meanwhile (H16). */
static int
make_empty(struct making *making, const char *path)
{
	if (mknod(path, S_IFREG | making->new->mode, 0) && errno != EEXIST)
		return fault_errno(
		    making->fault, errno, "cannot create %s", path);
	return place_correct(
	    path, making->new->mode, making->new->gid, making->fault);
}

/* Never over another file.  A file system that cannot say so lets a second
 * name be given, and is left with both for a moment. */
static int
put_in_place(struct making *making)
{
	const char *from = making->draft.file, *to = making->new->place->file;

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno == EINVAL || errno == ENOSYS) && link(from, to) == 0) {
		unlink(from);
		return 0;
	}
	return fault_errno(making->fault, errno, "cannot create %s", to);
}

static int
make(struct making *making)
{
	const struct newqueue *new = making->new;

	if (check_log(making) || write_draft(making) ||
	    place_correct(
		making->draft.file, new->mode, new->gid, making->fault) ||
	    sync_draft(making))
		return -1;
	remove_beside(&making->draft);
	return put_in_place(making);
}

/* The log is made after the name is on the disk: who was not kept waiting,
 * since we were killed before, makes the log, and SQLite syncs the directory
 * then. */
static int
finish(struct making *making)
{
	const struct place *place = making->new->place;

	return place_sync_dir(place->dir, making->fault) ||
		make_empty(making, place->wal) ||
		make_empty(making, place->shm) ||
		place_sync_dir(place->dir, making->fault)
	    ? -1
	    : 0;
}

int
newqueue_make(const struct newqueue *new, struct fault *fault)
{
	struct making making = { .new = new, .fault = fault };

	if (draft_of(&making.draft, new->place, fault))
		return -1;
	remove_draft(&making.draft); /* of one that was killed */
	if (make(&making)) {
		remove_draft(&making.draft);
		return -1;
	}
	/* from here on it is a queue, that others may have open */
	return finish(&making);
}

void
newqueue_clean(const struct place *place)
{
	struct place draft;

	if (draft_of(&draft, place, NULL) == 0)
		remove_draft(&draft);
}
