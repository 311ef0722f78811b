#include "outbox_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/fault.h"
#include "bar.h"
#include "outbox.h"

/* Bytes of the texts of a round. */
#define BYTES_MOST (4 << 20)
/* The application waits no longer for us than we for it. */
#define PATIENCE_MS 50

static const char READ_UUID[] =
    "SELECT value FROM main.monspool_outbox_meta WHERE name = 'uuid'";
static const char READ_ROWS[] =
    "SELECT id, token, namespace, metric, dimensions, value, region, account,"
    "  key, observed_ms, max_age_seconds FROM main.monspool_outbox"
    " WHERE error IS NULL ORDER BY id LIMIT 5000";
static const char HAS_ROW[] =
    "SELECT 1 FROM main.monspool_outbox WHERE id = ? AND token = ?";
static const char DELETE_ROW[] =
    "DELETE FROM main.monspool_outbox WHERE id = ? AND token = ?";
static const char REFUSE_ROW[] =
    "UPDATE main.monspool_outbox SET error = ?3 WHERE id = ?1 AND token = ?2";

/* Where READ_ROWS has the texts. */
static const int TEXT_COLUMNS[OUTBOX_TEXTS] = { 1, 2, 3, 4, 6, 7, 8 };

int
outbox_file_init(struct outbox_file *file, const char *path)
{
	*file = (struct outbox_file){ .path = strdup(path) };
	file->rows = calloc(OUTBOX_ROWS_MOST, sizeof(*file->rows));
	return file->path == NULL || file->rows == NULL ? -1 : 0;
}

void
outbox_file_disconnect(struct outbox_file *file)
{
	sqlite3_close_v2(file->handle);
	file->handle = NULL;
}

void
outbox_file_end(struct outbox_file *file)
{
	outbox_file_disconnect(file);
	text_free(&file->bytes);
	free(file->rows);
	free(file->path);
}

const char *
outbox_file_text(const struct outbox_file *file, const struct outbox_row *row,
    enum outbox_column column)
{
	size_t at = row->texts[column];

	return at == OUTBOX_NO_TEXT ? NULL : file->bytes.data + at;
}

/* Never ours to checkpoint; and what is in it is not to be trusted. */
static int
configure(struct sqlite3 *handle)
{
	static const int SETTINGS[][2] = {
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	};
	size_t i;
	int code = sqlite3_busy_timeout(handle, PATIENCE_MS);

	for (i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++)
		if (code == SQLITE_OK)
			code = sqlite3_db_config(
			    handle, SETTINGS[i][0], SETTINGS[i][1], NULL);
	if (code != SQLITE_OK)
		return code;
	return sqlite3_exec(handle,
	    "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL;"
	    " PRAGMA cell_size_check=ON; PRAGMA mmap_size=0",
	    NULL, NULL, NULL);
}

static int
read_uuid(struct outbox_file *file)
{
	struct sqlite3_stmt *stmt;
	const unsigned char *uuid;
	int code = sqlite3_prepare_v2(file->handle, READ_UUID, -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return code;
	if ((code = sqlite3_step(stmt)) == SQLITE_ROW &&
	    (uuid = sqlite3_column_text(stmt, 0)) != NULL &&
	    strlen((const char *)uuid) < sizeof(file->uuid)) {
		strcpy(file->uuid, (const char *)uuid);
		code = SQLITE_OK;
	} else if (code == SQLITE_ROW || code == SQLITE_DONE)
		code = SQLITE_ERROR;
	sqlite3_finalize(stmt);
	return code;
}

/* Applications restore, rename and delete their files; SQLite would go on with
 * the one that was opened, which nobody writes to any more. */
static void
look_at_place(struct outbox_file *file)
{
	struct stat there;

	if (stat(file->path, &there) == -1)
		there = (struct stat){ 0 };
	if (there.st_dev != file->device || there.st_ino != file->inode)
		outbox_file_disconnect(file);
	file->device = there.st_dev;
	file->inode = there.st_ino;
}

int
outbox_file_connect(struct outbox_file *file, struct fault *fault)
{
	int code;

	look_at_place(file);
	if (file->handle != NULL)
		return 0;
	code = sqlite3_open_v2(file->path, &file->handle,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (code == SQLITE_OK)
		code = configure(file->handle);
	if (code == SQLITE_OK)
		code = read_uuid(file);
	if (code == SQLITE_OK)
		return 0;
	outbox_fail(file->handle, code, "open", fault);
	if ((code & 0xff) == SQLITE_CANTOPEN && fault->sys_errno == ENOENT) {
		fault->kind = FAULT_NOT_FOUND;
		fault_why(fault, "there is no such file");
	}
	outbox_file_disconnect(file);
	return -1;
}

/* Keep the text of a column.  It ends at a NUL, which no text may have. */
static void
keep_text(struct outbox_file *file, struct outbox_row *row,
    enum outbox_column column, struct sqlite3_stmt *stmt)
{
	int at = TEXT_COLUMNS[column];
	const char *text = (const char *)sqlite3_column_text(stmt, at);

	row->texts[column] = OUTBOX_NO_TEXT;
	if (text == NULL)
		return;
	row->cut |= strlen(text) != (size_t)sqlite3_column_bytes(stmt, at);
	row->texts[column] = file->bytes.len;
	text_add(&file->bytes, text, strlen(text) + 1);
}

static int64_t
optional(struct sqlite3_stmt *stmt, int column, int64_t unit)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return -1;
	return sqlite3_column_int64(stmt, column) * unit;
}

static void
keep_row(struct outbox_file *file, struct sqlite3_stmt *stmt)
{
	struct outbox_row *row = &file->rows[file->count++];
	int column;

	*row = (struct outbox_row){ .id = sqlite3_column_int64(stmt, 0),
		.value = sqlite3_column_double(stmt, 5),
		.observed_at = optional(stmt, 9, 1),
		.max_age_ms = optional(stmt, 10, 1000),
		.error = OUTBOX_NO_TEXT };
	for (column = 0; column < OUTBOX_TEXTS; column++)
		keep_text(file, row, (enum outbox_column)column, stmt);
}

int
outbox_file_read(struct outbox_file *file, struct fault *fault)
{
	struct sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(file->handle, READ_ROWS, -1, &stmt, NULL);

	file->count = 0;
	text_clear(&file->bytes);
	if (code != SQLITE_OK)
		return outbox_fail(file->handle, code, "read", fault);
	while (file->count < OUTBOX_ROWS_MOST && file->bytes.len < BYTES_MOST &&
	    (code = sqlite3_step(stmt)) == SQLITE_ROW)
		keep_row(file, stmt);
	sqlite3_finalize(stmt);
	file->more = file->count == OUTBOX_ROWS_MOST ||
	    file->bytes.len >= BYTES_MOST;
	if (file->bytes.failed)
		return fault_errno(fault, ENOMEM, "cannot read the outbox");
	if (code == SQLITE_ROW || code == SQLITE_DONE || code == SQLITE_OK)
		return 0;
	return outbox_fail(file->handle, code, "read", fault);
}

/* Delete the row, or leave it with its error. */
static int
end_row(struct outbox_file *file, const struct outbox_row *row,
    struct sqlite3_stmt *delete, struct sqlite3_stmt *refuse)
{
	struct sqlite3_stmt *stmt = row->error == OUTBOX_NO_TEXT ? delete
								 : refuse;
	const char *token = outbox_file_text(file, row, OUTBOX_TOKEN);
	int code;

	sqlite3_bind_int64(stmt, 1, row->id);
	sqlite3_bind_text(stmt, 2, token, -1, SQLITE_STATIC);
	if (stmt == refuse)
		sqlite3_bind_text(
		    stmt, 3, file->bytes.data + row->error, -1, SQLITE_STATIC);
	code = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int
end_rows(struct outbox_file *file)
{
	struct sqlite3_stmt *delete = NULL, *refuse = NULL;
	size_t i;
	int code = sqlite3_prepare_v2(
	    file->handle, DELETE_ROW, -1, &delete, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(
		    file->handle, REFUSE_ROW, -1, &refuse, NULL);
	for (i = 0; i < file->count && code == SQLITE_OK; i++)
		code = end_row(file, &file->rows[i], delete, refuse);
	sqlite3_finalize(delete);
	sqlite3_finalize(refuse);
	return code;
}

int
outbox_file_clear(struct outbox_file *file, struct fault *fault)
{
	struct sqlite3 *handle = file->handle;
	bool barred;
	int code = bar_checkpoints(handle, &barred);

	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = end_rows(file);
	if (code == SQLITE_OK)
		code = sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		outbox_fail(handle, code, "clear", fault);
	if (!sqlite3_get_autocommit(handle))
		sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
	if (barred)
		unbar_checkpoints(handle);
	return code == SQLITE_OK ? 0 : -1;
}

int
outbox_file_has(struct outbox_file *file, int64_t id, const char *token,
    struct fault *fault)
{
	struct sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(file->handle, HAS_ROW, -1, &stmt, NULL);

	if (code != SQLITE_OK)
		return outbox_fail(file->handle, code, "read", fault);
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_text(stmt, 2, token, -1, SQLITE_STATIC);
	code = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return code == SQLITE_ROW;
	return outbox_fail(file->handle, code, "read", fault);
}
