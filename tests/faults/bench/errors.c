#include "errors.h"

#include <errno.h>

#include <sqlite3.h>

#include "bench.h"

/* What SQLite's own VFS makes of the errors; 0: it cannot happen. */
static const int CODES[SHIM_CALLS][2] = {
	[SHIM_OPEN] = { SQLITE_CANTOPEN, SQLITE_CANTOPEN },
	[SHIM_DELETE] = { SQLITE_IOERR_DELETE, 0 },
	[SHIM_ACCESS] = { SQLITE_IOERR_ACCESS, 0 },
	[SHIM_FULLPATH] = { SQLITE_CANTOPEN_FULLPATH, 0 },
	[SHIM_READ] = { SQLITE_IOERR_CORRUPTFS, 0 },
	[SHIM_WRITE] = { SQLITE_IOERR_WRITE, SQLITE_FULL },
	[SHIM_TRUNCATE] = { SQLITE_IOERR_TRUNCATE, 0 },
	[SHIM_SYNC] = { SQLITE_IOERR_FSYNC, SQLITE_IOERR_FSYNC },
	[SHIM_SIZE] = { SQLITE_IOERR_FSTAT, 0 },
	[SHIM_LOCK] = { SQLITE_IOERR_LOCK, 0 },
	[SHIM_UNLOCK] = { SQLITE_IOERR_UNLOCK, 0 },
	[SHIM_SHM_MAP] = { SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE },
	[SHIM_SHM_LOCK] = { SQLITE_IOERR_SHMLOCK, 0 },
};

static const char *const NAMES[ERROR_KINDS] = { "EIO", "ENOSPC",
	"short write" };

const char *
error_kind_name(enum error_kind kind)
{
	return NAMES[kind];
}

static int
code_of(enum error_kind kind, enum shim_call call)
{
	if (kind == ERROR_SHORT && call != SHIM_WRITE)
		return SQLITE_OK;
	return CODES[call][kind != ERROR_IO];
}

bool
errors_can(enum error_kind kind, enum shim_call call)
{
	return code_of(kind, call) != SQLITE_OK;
}

int
errors_before(void *cookie, struct shim_event *event)
{
	struct errors *errors = cookie;
	int64_t call = ++errors->calls;
	int code;

	if (errors->at == 0 && call <= errors->log_room)
		errors->log[call - 1] = event->call;
	if (errors->at == 0 || call < errors->at ||
	    (call > errors->at && !errors->for_ever))
		return SQLITE_OK;
	if ((code = code_of(errors->kind, event->call)) == SQLITE_OK)
		return SQLITE_OK;
	if (errors->one_in > 1 &&
	    bench_below(&errors->chance, errors->one_in) > 0)
		return SQLITE_OK;
	if (errors->fired++ == 0)
		errors->first = event->call;
	if (errors->kind == ERROR_SHORT)
		event->done = event->len / 2;
	shim_set_errno(errors->kind == ERROR_IO ? EIO : ENOSPC);
	return code;
}
