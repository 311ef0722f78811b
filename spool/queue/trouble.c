#define _XOPEN_SOURCE 700 /* strerror_r(), statvfs() */
#include "dbinside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sqlite3.h>

/*
 * SQLite's results in our words (H21): it calls a read-only file system
 * "unable to open database file", and a file-size limit a write error.  Its
 * own texts are never shown; its code is kept in the fault.
 */
struct trouble {
	int code; /* primary */
	enum fault_kind kind;
	const char *why; /* NULL: as errno and the file system tell */
};

static const struct trouble TROUBLES[] = {
	{ SQLITE_BUSY, FAULT_QUEUE_BUSY, "another program is writing to it" },
	{ SQLITE_LOCKED, FAULT_QUEUE_BUSY, "another program is writing to it" },
	{ SQLITE_PROTOCOL, FAULT_QUEUE_BUSY,
	    "other programs open it at the same time" },
	{ SQLITE_FULL, FAULT_DISK_FULL, "no space is left on the disk" },
	{ SQLITE_CORRUPT, FAULT_CORRUPT, "the file is damaged" },
	{ SQLITE_NOTADB, FAULT_CORRUPT,
	    "the file is damaged, or no queue at all" },
	{ SQLITE_FORMAT, FAULT_CORRUPT, "the file is damaged" },
	{ SQLITE_CONSTRAINT, FAULT_CORRUPT,
	    "what is stored contradicts the schema" },
	{ SQLITE_TOOBIG, FAULT_TOO_LARGE, "a value is larger than 1 MiB" },
	{ SQLITE_ABORT, FAULT_IO_ERROR, "the transaction was rolled back" },
	{ SQLITE_NOMEM, FAULT_IO_ERROR, "out of memory" },
	{ SQLITE_PERM, FAULT_NO_PERMISSION, "its mode forbids it" },
	{ SQLITE_AUTH, FAULT_NO_PERMISSION, "it is not allowed" },
	{ SQLITE_READONLY, FAULT_NO_PERMISSION, NULL },
	{ SQLITE_CANTOPEN, FAULT_IO_ERROR, NULL },
	{ SQLITE_IOERR, FAULT_IO_ERROR, NULL },
};

static const struct trouble UNEXPECTED = { 0, FAULT_INTERNAL,
	"unexpected answer of the database" };

static const struct trouble *
find(int code)
{
	size_t i;

	for (i = 0; i < sizeof(TROUBLES) / sizeof(TROUBLES[0]); i++)
		if (TROUBLES[i].code == (code & 0xff))
			return &TROUBLES[i];
	return &UNEXPECTED;
}

static bool
file_system_read_only(const struct db *db)
{
	struct statvfs fs;

	return statvfs(db->place.dir, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

/* The errno behind ${code}, or 0.  SQLite does not keep it when it is the
 * COMMIT that fails; then that of the moment counts, which db_step() and its
 * like set to 0 beforehand. */
static int
error_of(const struct db *db, int code, int error)
{
	int primary = code & 0xff, kept;

	if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN &&
	    primary != SQLITE_READONLY)
		return 0;
	if (code == SQLITE_IOERR_CORRUPTFS)
		return error != 0 ? error : EIO;
	kept = db->handle == NULL ? 0 : sqlite3_system_errno(db->handle);
	return kept != 0 ? kept : error;
}

/* SQLite takes a page that the disk cannot give for one that is damaged. */
static int
true_code(int code, int error)
{
	if ((code & 0xff) == SQLITE_CORRUPT &&
	    (error == EIO || error == ENXIO || error == ERANGE))
		return SQLITE_IOERR_CORRUPTFS;
	return code;
}

/* The errors that are not what SQLite's code makes of them. */
static bool
disguised(struct db *db, int code, int error)
{
	struct fault *fault = &db->fault;

	if (code == SQLITE_CANTOPEN_SYMLINK) {
		fault->kind = FAULT_QUEUE_FOREIGN;
		fault_why(fault, "it is a symbolic link");
	} else if (code == SQLITE_READONLY_DBMOVED) {
		fault->kind = FAULT_IO_ERROR;
		fault_why(fault, "the file was moved or removed meanwhile");
	} else if (error == EROFS || file_system_read_only(db)) {
		fault->kind = FAULT_IO_ERROR;
		fault_why(fault, "the file system is read-only");
	} else if (error == ENOSPC || error == EDQUOT) {
		fault->kind = FAULT_DISK_FULL;
		fault_why(fault, "no space is left on the disk");
	} else if (error == EFBIG) {
		fault_why(fault,
		    "the file-size limit of this process is "
		    "reached (ulimit -f)");
	} else if (error == EACCES || error == EPERM) {
		fault->kind = FAULT_NO_PERMISSION;
		fault_why(fault,
		    "its mode, or that of a file beside it, "
		    "forbids it");
	} else {
		return false;
	}
	return true;
}

static void
explain(struct db *db, int code, int error, const struct trouble *trouble)
{
	char text[128];

	error = error_of(db, code, error);
	db->fault.sqlite_code = code;
	db->fault.sys_errno = error;
	fault_hint_errno(&db->fault, error);
	if (trouble->why != NULL) {
		fault_why(&db->fault, "%s", trouble->why);
		return;
	}
	if (disguised(db, code, error))
		return;
	if (error != 0 && strerror_r(error, text, sizeof(text)) == 0)
		fault_why(&db->fault, "%s", text);
	else
		fault_why(&db->fault,
		    "the system reports an error of its "
		    "file or disk (%d)",
		    code);
}

/* The bound on pages looks to SQLite like a full disk, but no system call
 * failed; where one did for another reason, the pages tell, if the transaction
 * still holds them. */
static bool
full_by_policy(struct db *db, int error)
{
	struct sqlite3_stmt *stmt;
	sqlite3_int64 pages[2] = { 0, 1 };
	int i;
	static const char *const ASK[] = { "PRAGMA page_count",
		"PRAGMA max_page_count" };

	if (error == ENOSPC || error == EDQUOT)
		return false;
	if (error == 0)
		return true;
	for (i = 0; i < 2; i++) {
		if (sqlite3_prepare_v2(db->handle, ASK[i], -1, &stmt, NULL) !=
		    SQLITE_OK)
			return false;
		if (sqlite3_step(stmt) == SQLITE_ROW)
			pages[i] = sqlite3_column_int64(stmt, 0);
		sqlite3_finalize(stmt);
	}
	return pages[0] >= pages[1];
}

int
db_fail_code(struct db *db, int code, const char *doing)
{
	int error = errno;
	const struct trouble *trouble;
	bool full;

	if (db->kept)
		return -1;
	code = true_code(code, error);
	trouble = find(code);
	full = (code & 0xff) == SQLITE_FULL && full_by_policy(db, error);
	fault_set(&db->fault, trouble->kind, "cannot %s the queue %s", doing,
	    db->place.file);
	explain(db, code, error, trouble);
	if (full) {
		db->fault.kind = FAULT_QUEUE_FULL;
		fault_why(&db->fault, "it has reached its queue.max_size");
	}
	db->kept = db->depth > 0;
	return -1;
}

int
db_fail(struct db *db, const struct fault *fault)
{
	if (fault != &db->fault)
		db->fault = *fault;
	db->kept = db->depth > 0;
	return -1;
}

const struct fault *
db_fault(const struct db *db)
{
	return &db->fault;
}

const char *
db_error(const struct db *db)
{
	return db->fault.message;
}

bool
db_forked(const struct db *db)
{
	return getpid() != db->pid;
}

int
db_usable(struct db *db)
{
	if (db_forked(db)) {
		fault_set(&db->fault, FAULT_INTERNAL,
		    "the queue %s was opened before a fork", db->place.file);
		fault_hint(&db->fault, "open it anew in the child");
		return -1;
	}
	if (db->broken) {
		fault_set(&db->fault, FAULT_IO_ERROR,
		    "the queue %s must be opened anew", db->place.file);
		fault_why(&db->fault, "an earlier commit failed midway");
		return -1;
	}
	return 0;
}
