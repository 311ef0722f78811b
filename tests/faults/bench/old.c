#include "old.h"

#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "queue/schema.h"

#include "spool.h"

/* Before the first table; then one transaction has all of it. */
static const char BEGIN[] =
    "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL;"
    "PRAGMA wal_autocheckpoint=0; BEGIN";

/* What copies a table, as far as the old one has columns. */
static const char COPIES[] =
    "SELECT 'DELETE FROM main.' || name || '; INSERT INTO main.' || name || '('"
    " || columns || ') SELECT ' || columns || ' FROM model.' || name"
    " FROM (SELECT t.name, group_concat(c.name) AS columns"
    "  FROM main.sqlite_schema AS t, pragma_table_info(t.name) AS c"
    "  WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' GROUP BY t.name)";

/* Version 1 kept sizes as they are written in a configuration. */
static const char SPELL[] =
    "UPDATE setting SET value = '16K' WHERE key = 'max_row_bytes'";

static void
run(struct sqlite3 *handle, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(handle, sql, NULL, NULL, &why) != SQLITE_OK)
		bench_die("cannot make an old queue: %s", why);
}

static void
attach(struct sqlite3 *handle, const struct spool *model)
{
	char *sql = sqlite3_mprintf("ATTACH %Q AS model", model->path);

	if (sql == NULL)
		bench_die("out of memory");
	run(handle, sql);
	sqlite3_free(sql);
}

static void
copy_tables(struct sqlite3 *handle)
{
	sqlite3_stmt *copies = NULL;

	if (sqlite3_prepare_v2(handle, COPIES, -1, &copies, NULL) != SQLITE_OK)
		bench_die(
		    "cannot read an old schema: %s", sqlite3_errmsg(handle));
	while (sqlite3_step(copies) == SQLITE_ROW)
		run(handle, (const char *)sqlite3_column_text(copies, 0));
	sqlite3_finalize(copies);
}

struct sqlite3 *
old_make(const struct spool *spool, const struct spool *model, int version)
{
	const struct schema_step *step;
	struct sqlite3 *handle;
	char stamp[96];

	if (sqlite3_open(spool->path, &handle) != SQLITE_OK)
		bench_die("cannot make an old queue");
	attach(handle, model);
	run(handle, BEGIN);
	for (step = SCHEMA_STEPS; step->version != 0; step++)
		if (step->version <= version)
			run(handle, step->sql);
	copy_tables(handle);
	if (version == 1)
		run(handle, SPELL);
	snprintf(stamp, sizeof(stamp),
	    "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
	    SCHEMA_APPLICATION_ID, version);
	run(handle, stamp);
	run(handle, "DETACH model");
	return handle;
}
