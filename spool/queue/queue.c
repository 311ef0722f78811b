#define _XOPEN_SOURCE 700
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fault.h"
#include "bell.h"
#include "bound.h"
#include "gate.h"
#include "newqueue.h"
#include "setting.h"

#define DIR_MODE 02770
#define FILE_MODE 0660
#define INIT_WAIT_MS 5000

/* What is being made, so that a failure removes that and nothing else. */
struct making {
	const struct queue_init *init;
	struct place place;
	char parent[PLACE_PATH]; /* of the directory */
	unsigned mode;
	long gid; /* -1: leave */
	bool made_dir, made_gate, made_lock, made_bell;
	struct fault *fault;
};

static int
find_group(struct making *making)
{
	const char *name = making->init->group;
	struct group *group;

	making->gid = -1;
	if (name == NULL)
		return 0;
	if ((group = getgrnam(name)) == NULL) {
		fault_set(making->fault, FAULT_USAGE, "there is no group %.64s",
		    name);
		fault_field(making->fault, "--group");
		return -1;
	}
	making->gid = (long)group->gr_gid;
	return 0;
}

static void
find_parent(struct making *making)
{
	struct place up;

	if (strcmp(making->place.dir, ".") == 0 ||
	    place_of(&up, making->place.dir, NULL))
		strcpy(making->parent, ".");
	else
		strcpy(making->parent, up.dir);
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int
check_filesystem(struct making *making, const char *dir)
{
	if (making->init->any_filesystem)
		return 0;
	return place_check_filesystem(dir, making->fault);
}

static int
check_dir(struct making *making)
{
	const char *dir = making->place.dir;

	return check_filesystem(making, dir) ||
		place_check_dir(dir, geteuid(), making->fault)
	    ? -1
	    : 0;
}

static int
make_dir(struct making *making)
{
	const char *dir = making->place.dir;

	if (mkdir(dir, 0700)) {
		if (errno == EEXIST) /* another init was faster */
			return check_dir(making);
		if (errno != ENOENT)
			return fault_errno(making->fault, errno,
			    "cannot create the directory %s", dir);
		fault_set(making->fault, FAULT_CANNOT_CREATE,
		    "cannot create the directory %s", dir);
		fault_why(making->fault, "the one above it does not exist");
		return -1;
	}
	making->made_dir = true;
	/* not by mkdir(): that obeys the umask and drops the set-gid bit */
	return place_correct(dir, DIR_MODE, making->gid, making->fault);
}

static int
prepare_dir(struct making *making)
{
	const char *dir = making->place.dir;
	struct stat st;

	if (stat(dir, &st) == 0)
		return check_dir(making);
	if (errno != ENOENT)
		return fault_errno(making->fault, errno,
		    "cannot look at the directory %s", dir);
	return check_filesystem(making, making->parent) || make_dir(making) ? -1
									    : 0;
}

/* Make an empty file whose name must be free. */
static int
make_empty(struct making *making, const char *path, bool *made)
{
	int fd = place_create(path, making->mode, making->fault);

	if (fd == -1)
		return -1;
	*made = true;
	close(fd);
	return 0;
}

static int
make_beside(struct making *making)
{
	const struct place *place = &making->place;

	if (!exists(place->lock) &&
	    make_empty(making, place->lock, &making->made_lock))
		return -1;
	making->made_bell = !exists(place->bell);
	return bell_make(place->bell, making->mode, making->fault);
}

static int
correct(struct making *making)
{
	const struct place *place = &making->place;
	const char *const paths[] = { place->file, place->wal, place->shm,
		place->gate, place->lock, place->bell };
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (exists(paths[i]) &&
		    place_correct(
			paths[i], making->mode, making->gid, making->fault))
			return -1;
	return 0;
}

static void
unmake(struct making *making)
{
	const struct place *place = &making->place;

	if (making->made_lock)
		unlink(place->lock);
	if (making->made_bell)
		unlink(place->bell);
	if (making->made_gate)
		unlink(place->gate);
	if (making->made_dir)
		rmdir(place->dir);
}

/* A killed init may have made the directory; one that is not ours to read was
 * there before. */
static int
sync_parent(struct making *making)
{
	struct fault ignored;

	if (making->made_dir)
		return place_sync_dir(making->parent, making->fault);
	(void)place_sync_dir(making->parent, &ignored);
	return 0;
}

static int
make_inside(struct making *making, bool *created)
{
	const struct newqueue new = { .place = &making->place,
		.mode = making->mode,
		.gid = making->gid,
		.config = making->init->config };

	if (exists(making->place.file))
		return 0; /* another init was faster */
	/* the other files first: what has the queue's name is whole */
	if (make_beside(making) || correct(making) || sync_parent(making) ||
	    newqueue_make(&new, making->fault))
		return -1;
	*created = true;
	return 0;
}

/* Inside the gate, so that of two inits one makes and the other finds. */
static int
make_queue(struct making *making, bool *created)
{
	struct gate *gate;
	int failed;

	if (prepare_dir(making)) {
		unmake(making);
		return -1;
	}
	making->made_gate = !exists(making->place.gate);
	gate = gate_open(making->place.gate, making->fault);
	failed = gate == NULL ||
	    gate_enter(gate, INIT_WAIT_MS, making->fault) != GATE_IN ||
	    make_inside(making, created);
	if (failed && !exists(making->place.file))
		unmake(making);
	gate_close(gate);
	return failed ? -1 : 0;
}

/* The file is there; another init may be about to sync it, or was killed over
 * that. */
static int
await_maker(struct making *making)
{
	struct gate *gate;
	int failed;

	if (!exists(making->place.gate))
		return 0;
	if ((gate = gate_open(making->place.gate, making->fault)) == NULL)
		return -1;
	failed = gate_enter(gate, INIT_WAIT_MS, making->fault) != GATE_IN;
	if (!failed)
		newqueue_clean(&making->place);
	gate_close(gate);
	return failed ? -1 : 0;
}

/* Modes and settings of a queue that is there. */
static int
refresh(struct making *making)
{
	struct db *db;
	int failed;

	if (await_maker(making) || place_check(&making->place, making->fault))
		return -1;
	db = db_open(&making->place, DB_WRITER, INIT_WAIT_MS, making->fault);
	if (db == NULL)
		return -1;
	/* without a configuration the copy is as good as the defaults */
	failed = making->init->config != NULL &&
	    setting_store(db, making->init->config);
	if (failed && making->fault != NULL)
		*making->fault = *db_fault(db);
	db_close(db);
	if (failed || make_beside(making) || correct(making))
		return -1;
	return place_sync_dir(making->place.dir, making->fault);
}

int
queue_init(const struct queue_init *init, bool *created, struct fault *fault)
{
	struct making making = { .init = init, .fault = fault };
	bool made = false;

	making.mode = init->mode == 0 ? FILE_MODE : init->mode;
	if (place_of(&making.place, init->path, fault) || find_group(&making))
		return -1;
	find_parent(&making);
	if (!exists(making.place.file) && make_queue(&making, &made))
		return -1;
	if (created != NULL)
		*created = made;
	return made ? 0 : refresh(&making);
}

struct db *
queue_open(const char *path, enum db_kind kind, int64_t busy_timeout_ms,
    struct config *config, struct fault *fault)
{
	struct place place;
	struct db *db;
	int64_t wait_ms = busy_timeout_ms < 0 ? 5000 : busy_timeout_ms;

	if (place_of(&place, path, fault) || place_check(&place, fault))
		return NULL;
	if ((db = db_open(&place, kind, wait_ms, fault)) == NULL)
		return NULL;
	if (setting_load(db, config) ||
	    bound_apply(db, config->queue.max_size, false)) {
		if (fault != NULL)
			*fault = *db_fault(db);
		db_close(db);
		return NULL;
	}
	if (busy_timeout_ms < 0)
		db_set_busy_timeout(db, config->queue.busy_timeout_ms);
	return db;
}
