#include "bar.h"

#include <string.h>

#include <sqlite3.h>

/* WAL_CKPT_LOCK of the format. */
#define CHECKPOINT_LOCK 1

static int
ask_mode(struct sqlite3 *handle, bool *wal)
{
	struct sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(
	    handle, "PRAGMA main.journal_mode", -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return code;
	if ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		*wal = strcmp((const char *)sqlite3_column_text(stmt, 0),
			   "wal") == 0;
		code = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	return code;
}

static int
turn_lock(struct sqlite3 *handle, int how)
{
	struct sqlite3_file *file;
	int code = sqlite3_file_control(
	    handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (code != SQLITE_OK)
		return code;
	return file->pMethods->xShmLock(
	    file, CHECKPOINT_LOCK, 1, how | SQLITE_SHM_EXCLUSIVE);
}

int
bar_checkpoints(struct sqlite3 *handle, bool *barred)
{
	int code;

	*barred = false;
	if ((code = ask_mode(handle, barred)) != SQLITE_OK || !*barred)
		return code;
	if ((code = turn_lock(handle, SQLITE_SHM_LOCK)) != SQLITE_OK)
		*barred = false;
	return code;
}

void
unbar_checkpoints(struct sqlite3 *handle)
{
	turn_lock(handle, SQLITE_SHM_UNLOCK);
}
