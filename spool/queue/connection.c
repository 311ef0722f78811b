#define _XOPEN_SOURCE 700 /* realpath() */
#include "connection.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

struct db_setting {
	int option, value;
};

/* The SQL door's views and triggers serve foreign connections only. */
static const struct db_setting DB_SETTINGS[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	{ SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
};

/* Compact and backup raise ATTACHED to 1 on their own connection (H19). */
static const struct db_setting LIMITS[] = {
	{ SQLITE_LIMIT_LENGTH, 1024 * 1024 },
	{ SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 8 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 50 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

/* journal_size_limit is CONNECTION_WAL_KEPT.  max_page_count is set when the
 * stored bound is known. */
static const char AT_OPEN[] =
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
    " PRAGMA journal_size_limit=4194304; PRAGMA mmap_size=0;"
    " PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
    " PRAGMA temp_store=MEMORY";

static const char AT_CREATION[] =
    "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
    " PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL";

#define HEADER_SIZE 100
static const char MAGIC[] = "SQLite format 3"; /* its NUL belongs to it */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
configure(struct sqlite3 *handle)
{
	size_t i;
	int code, keep = 1;

	for (i = 0; i < COUNT(DB_SETTINGS); i++) {
		code = sqlite3_db_config(
		    handle, DB_SETTINGS[i].option, DB_SETTINGS[i].value, NULL);
		if (code != SQLITE_OK)
			return code;
	}
	for (i = 0; i < COUNT(LIMITS); i++)
		sqlite3_limit(handle, LIMITS[i].option, LIMITS[i].value);
	return sqlite3_file_control(
	    handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}

static int
resolve(const struct place *place, char path[PATH_MAX])
{
	const char *base = strrchr(place->file, '/');
	size_t len;

	if (realpath(place->dir, path) == NULL)
		return SQLITE_CANTOPEN;
	base = base == NULL ? place->file : base + 1;
	len = strcmp(path, "/") == 0 ? 0 : strlen(path);
	if (len + 1 + strlen(base) >= PATH_MAX)
		return SQLITE_CANTOPEN_FULLPATH;
	path[len] = '/';
	strcpy(path + len + 1, base);
	return SQLITE_OK;
}

int
connection_open(const struct place *place, enum db_kind kind,
    int64_t busy_timeout_ms, struct sqlite3 **handle)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	char path[PATH_MAX];
	int code;

	*handle = NULL;
	if ((code = resolve(place, path)) != SQLITE_OK)
		return code;
	flags |= kind == DB_SHARED ? SQLITE_OPEN_FULLMUTEX
				   : SQLITE_OPEN_NOMUTEX;
	code = sqlite3_open_v2(path, handle, flags, NULL);
	if (code == SQLITE_OK)
		code = configure(*handle);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(*handle, (int)busy_timeout_ms);
	return code;
}

static int64_t
big_endian(const unsigned char *bytes)
{
	return (int64_t)bytes[0] << 24 | (int64_t)bytes[1] << 16 |
	    (int64_t)bytes[2] << 8 | (int64_t)bytes[3];
}

/* One of another format SQLite would refuse without a word about the file, or
 * read, and never write. */
static bool
is_known_format(const unsigned char *bytes)
{
	int64_t schema_format = big_endian(bytes + 44);

	return bytes[18] <= 2 && bytes[19] <= 2 && schema_format <= 4;
}

int
connection_header(struct sqlite3 *handle, struct connection_header *header)
{
	unsigned char bytes[HEADER_SIZE];
	struct sqlite3_file *file;
	int code;

	memset(header, 0, sizeof(*header));
	code = sqlite3_file_control(
	    handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (code != SQLITE_OK)
		return code;
	code = file->pMethods->xRead(file, bytes, HEADER_SIZE, 0);
	if (code == SQLITE_IOERR_SHORT_READ) {
		sqlite3_int64 size = 0;

		code = file->pMethods->xFileSize(file, &size);
		header->empty = size == 0;
		return code;
	}
	header->database = memcmp(bytes, MAGIC, sizeof(MAGIC)) == 0 &&
	    is_known_format(bytes);
	header->wal = bytes[18] == 2;
	header->user_version = big_endian(bytes + 60);
	header->application_id = big_endian(bytes + 68);
	return code;
}

int
connection_settle(struct sqlite3 *handle)
{
	return sqlite3_exec(handle, AT_OPEN, NULL, NULL, NULL);
}

int
connection_read_only(struct sqlite3 *handle)
{
	return sqlite3_exec(handle, "PRAGMA query_only=ON", NULL, NULL, NULL);
}

int
connection_format(struct sqlite3 *handle)
{
	return sqlite3_exec(handle, AT_CREATION, NULL, NULL, NULL);
}

int
connection_to_wal(struct sqlite3 *handle)
{
	return sqlite3_exec(
	    handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
}
