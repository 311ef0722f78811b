#include "shim.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3.h>

struct shim_file {
	struct sqlite3_file base; /* first: SQLite knows no more */
	struct sqlite3_file *real;
	const char *path;
	bool wal;
};

static struct sqlite3_vfs *real_vfs;
static shim_before *hook_before;
static shim_after *hook_after;
static void *hook_cookie;
static int last_error;

static const char *const NAMES[SHIM_CALLS] = {
	[SHIM_OPEN] = "open",
	[SHIM_DELETE] = "delete",
	[SHIM_ACCESS] = "access",
	[SHIM_FULLPATH] = "fullpath",
	[SHIM_READ] = "read",
	[SHIM_WRITE] = "write",
	[SHIM_TRUNCATE] = "truncate",
	[SHIM_SYNC] = "sync",
	[SHIM_SIZE] = "size",
	[SHIM_LOCK] = "lock",
	[SHIM_UNLOCK] = "unlock",
	[SHIM_SHM_MAP] = "shm map",
	[SHIM_SHM_LOCK] = "shm lock",
};

const char *
shim_call_name(enum shim_call call)
{
	return NAMES[call];
}

void
shim_hook(shim_before *before, shim_after *after, void *cookie)
{
	hook_before = before;
	hook_after = after;
	hook_cookie = cookie;
}

void
shim_set_errno(int error)
{
	last_error = error;
}

static int
before(struct shim_event *event)
{
	int code;

	if (hook_before == NULL)
		return SQLITE_OK;
	code = hook_before(hook_cookie, event);
	if (code != SQLITE_OK)
		errno = last_error;
	return code;
}

static int
after(const struct shim_event *event, int code)
{
	if (code == SQLITE_OK && hook_after != NULL)
		hook_after(hook_cookie, event);
	return code;
}

/* ---- files ---- */

static struct shim_file *
shim_of(struct sqlite3_file *file)
{
	return (struct shim_file *)file;
}

static struct sqlite3_file *
real_of(struct sqlite3_file *file)
{
	return shim_of(file)->real;
}

static struct shim_event
event_of(struct sqlite3_file *file, enum shim_call call)
{
	return (struct shim_event){ .call = call,
		.path = shim_of(file)->path,
		.wal = shim_of(file)->wal };
}

static int
shim_close(struct sqlite3_file *file)
{
	struct sqlite3_file *real = real_of(file);

	return real->pMethods == NULL ? SQLITE_OK
				      : real->pMethods->xClose(real);
}

static int
shim_read(struct sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
	struct shim_event event = event_of(file, SHIM_READ);
	struct sqlite3_file *real = real_of(file);
	int code;

	event.offset = offset;
	event.len = len;
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real->pMethods->xRead(real, to, len, offset));
}

static int
shim_write(
    struct sqlite3_file *file, const void *from, int len, sqlite3_int64 offset)
{
	struct shim_event event = event_of(file, SHIM_WRITE);
	struct sqlite3_file *real = real_of(file);
	int code;

	event.data = from;
	event.offset = offset;
	event.len = len;
	if ((code = before(&event)) != SQLITE_OK) {
		if (event.done > 0)
			real->pMethods->xWrite(
			    real, from, (int)event.done, offset);
		return code;
	}
	return after(&event, real->pMethods->xWrite(real, from, len, offset));
}

static int
shim_truncate(struct sqlite3_file *file, sqlite3_int64 size)
{
	struct shim_event event = event_of(file, SHIM_TRUNCATE);
	struct sqlite3_file *real = real_of(file);
	int code;

	event.offset = size;
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real->pMethods->xTruncate(real, size));
}

static int
shim_sync(struct sqlite3_file *file, int flags)
{
	struct shim_event event = event_of(file, SHIM_SYNC);
	struct sqlite3_file *real = real_of(file);
	int code;

	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real->pMethods->xSync(real, flags));
}

static int
shim_size(struct sqlite3_file *file, sqlite3_int64 *size)
{
	struct shim_event event = event_of(file, SHIM_SIZE);
	struct sqlite3_file *real = real_of(file);
	int code;

	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real->pMethods->xFileSize(real, size));
}

static int
shim_lock(struct sqlite3_file *file, int level)
{
	struct shim_event event = event_of(file, SHIM_LOCK);
	struct sqlite3_file *real = real_of(file);
	int code;

	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real->pMethods->xLock(real, level));
}

static int
shim_unlock(struct sqlite3_file *file, int level)
{
	struct shim_event event = event_of(file, SHIM_UNLOCK);
	struct sqlite3_file *real = real_of(file);
	int code = before(&event);
	int done = real->pMethods->xUnlock(real, level);

	return code != SQLITE_OK ? code : after(&event, done);
}

static int
shim_check_lock(struct sqlite3_file *file, int *taken)
{
	return real_of(file)->pMethods->xCheckReservedLock(
	    real_of(file), taken);
}

static int
shim_control(struct sqlite3_file *file, int what, void *with)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), what, with);
}

static int
shim_sector(struct sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
shim_device(struct sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
shim_shm_map(struct sqlite3_file *file, int region, int size, int extend,
    void volatile **at)
{
	struct shim_event event = event_of(file, SHIM_SHM_MAP);
	struct sqlite3_file *real = real_of(file);
	int code;

	event.offset = region;
	if ((code = before(&event)) != SQLITE_OK) {
		*at = NULL;
		return code;
	}
	return after(
	    &event, real->pMethods->xShmMap(real, region, size, extend, at));
}

/* An unlock is always made: its failure would only be the shim's. */
static int
shim_shm_lock(struct sqlite3_file *file, int offset, int count, int flags)
{
	struct shim_event event = event_of(file, SHIM_SHM_LOCK);
	struct sqlite3_file *real = real_of(file);
	int code;

	if ((flags & SQLITE_SHM_LOCK) && (code = before(&event)) != SQLITE_OK)
		return code;
	return real->pMethods->xShmLock(real, offset, count, flags);
}

static void
shim_shm_barrier(struct sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
shim_shm_unmap(struct sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

/* Version 2: no mapped pages, which a queue does not use. */
static const struct sqlite3_io_methods METHODS = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_check_lock,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

/* ---- the VFS ---- */

static int
shim_open(struct sqlite3_vfs *vfs, const char *path, struct sqlite3_file *file,
    int flags, int *out)
{
	struct shim_file *shim = shim_of(file);
	struct shim_event event = { .call = SHIM_OPEN,
		.path = path,
		.wal = (flags & SQLITE_OPEN_WAL) != 0 };
	int code;

	(void)vfs;
	memset(shim, 0, sizeof(*shim));
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	shim->real = (struct sqlite3_file *)(shim + 1);
	shim->path = path;
	shim->wal = event.wal;
	code = real_vfs->xOpen(real_vfs, path, shim->real, flags, out);
	if (code == SQLITE_OK || shim->real->pMethods != NULL)
		file->pMethods = &METHODS;
	return after(&event, code);
}

static int
shim_delete(struct sqlite3_vfs *vfs, const char *path, int sync)
{
	struct shim_event event = { .call = SHIM_DELETE, .path = path };
	int code;

	(void)vfs;
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real_vfs->xDelete(real_vfs, path, sync));
}

static int
shim_access(struct sqlite3_vfs *vfs, const char *path, int how, int *answer)
{
	struct shim_event event = { .call = SHIM_ACCESS, .path = path };
	int code;

	(void)vfs;
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(&event, real_vfs->xAccess(real_vfs, path, how, answer));
}

static int
shim_fullpath(struct sqlite3_vfs *vfs, const char *path, int room, char *full)
{
	struct shim_event event = { .call = SHIM_FULLPATH, .path = path };
	int code;

	(void)vfs;
	if ((code = before(&event)) != SQLITE_OK)
		return code;
	return after(
	    &event, real_vfs->xFullPathname(real_vfs, path, room, full));
}

static int
shim_last_error(struct sqlite3_vfs *vfs, int room, char *text)
{
	(void)vfs;
	(void)room;
	(void)text;
	return hook_before != NULL ? last_error
				   : real_vfs->xGetLastError(real_vfs, 0, NULL);
}

void
shim_install(void)
{
	static struct sqlite3_vfs vfs;

	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "shim";
	vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
	vfs.xOpen = shim_open;
	vfs.xDelete = shim_delete;
	vfs.xAccess = shim_access;
	vfs.xFullPathname = shim_fullpath;
	vfs.xGetLastError = shim_last_error;
	sqlite3_vfs_register(&vfs, 1);
}
