#include "setting.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/fault.h"
#include "db.h"

#define VALUE_SIZE 1024
#define KEY_SIZE 128

/** One row of the copy. */
struct setting_row {
	char section[32];    /* REMOVE_ODD knows the sizes */
	char name[KEY_SIZE]; /* "" for a section without */
	char key[KEY_SIZE];
};

static const char STORE[] =
    "INSERT INTO setting (section, name, key, value)"
    " VALUES (:section, :name, :key, :value)"
    " ON CONFLICT (section, name, key) DO UPDATE SET value = excluded.value"
    " WHERE value != excluded.value";
static const char REMOVE[] = "DELETE FROM setting WHERE section = :section"
			     " AND name = :name AND key = :key";
static const char NEXT[] =
    "SELECT section, name, key FROM setting"
    " WHERE (section, name, key) > (:section, :name, :key)"
    " ORDER BY section, name, key LIMIT 1";
/* What no monspool wrote: a row that does not fit into struct setting_row could
 * not be stepped over by NEXT.  The numbers are its sizes, less the NUL. */
static const char REMOVE_ODD[] =
    "DELETE FROM setting WHERE typeof(section) != 'text'"
    "  OR typeof(name) != 'text' OR typeof(key) != 'text'"
    "  OR length(CAST(section AS BLOB)) > 31"
    "  OR length(CAST(name AS BLOB)) > 127"
    "  OR length(CAST(key AS BLOB)) > 127"
    "  OR instr(section, char(0)) OR instr(name, char(0))"
    "  OR instr(key, char(0))";
/* [namespace "GLOB"]: the first match of the file counts, so their order is
 * kept, as a key of ours. */
#define RANK "rank"
static const char ALL[] =
    "SELECT s.section, s.name, s.key, s.value FROM setting s"
    " LEFT JOIN setting r ON r.section = s.section AND r.name = s.name"
    "  AND r.key = 'rank'"
    " WHERE s.key != 'rank' ORDER BY CAST(r.value AS INTEGER)";

/* The path is where the copy is; it is not in it. */
static bool
copied(const struct config_key *row)
{
	return row->for_writers &&
	    !(strcmp(row->section, "queue") == 0 &&
		strcmp(row->key, "path") == 0);
}

static bool
has_names(const char *section)
{
	return strcmp(section, "namespace") == 0;
}

static int
store(struct db *db, const char *section, const char *name, const char *key,
    const char *value)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, STORE)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":section", section);
	db_bind_text(db, stmt, ":name", name);
	db_bind_text(db, stmt, ":key", key);
	db_bind_text(db, stmt, ":value", value);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}

/* Store one key as it is set, without units, since the SQL door reads it too;
 * one that is not set has no row. */
static int
store_key(struct db *db, const struct config *config, const char *section,
    const char *name, const char *key)
{
	char value[VALUE_SIZE];

	if (config_get_plain(config, section, name, key, value, sizeof(value)))
		return 0;
	return store(db, section, name == NULL ? "" : name, key, value);
}

static int
store_ranks(struct db *db, const struct config *config)
{
	char rank[24];
	size_t i;

	for (i = 0; i < config->namespace_count; i++) {
		snprintf(rank, sizeof(rank), "%zu", i + 1);
		if (store(db, "namespace", config->namespaces[i].glob, RANK,
			rank))
			return -1;
	}
	return 0;
}

static int
store_keys(struct db *db, const struct config *config)
{
	const struct config_key *row;
	size_t i;

	for (row = config_keys(); row->section != NULL; row++) {
		if (!copied(row))
			continue;
		if (!has_names(row->section)) {
			if (store_key(db, config, row->section, NULL, row->key))
				return -1;
			continue;
		}
		for (i = 0; i < config->namespace_count; i++)
			if (store_key(db, config, row->section,
				config->namespaces[i].glob, row->key))
				return -1;
	}
	return 0;
}

/* Each key of [codes] is a code. */
static int
store_codes(struct db *db, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->code_count; i++)
		if (store(db, "codes", "", config->codes[i].name,
			config->codes[i].verdict))
			return -1;
	return 0;
}

static bool
wanted(const struct config *config, const struct setting_row *row)
{
	char value[VALUE_SIZE];
	const char *name = row->name[0] == '\0' ? NULL : row->name;
	size_t i;

	if (has_names(row->section) && strcmp(row->key, RANK) == 0) {
		for (i = 0; i < config->namespace_count; i++)
			if (strcmp(config->namespaces[i].glob, row->name) == 0)
				return true;
		return false;
	}
	if (strcmp(row->section, "codes") != 0)
		return config_get(config, row->section, name, row->key, value,
			   sizeof(value)) == 0;
	for (i = 0; i < config->code_count; i++)
		if (strcmp(config->codes[i].name, row->key) == 0)
			return true;
	return false;
}

static void
bind_row(
    struct db *db, struct sqlite3_stmt *stmt, const struct setting_row *row)
{
	db_bind_text(db, stmt, ":section", row->section);
	db_bind_text(db, stmt, ":name", row->name);
	db_bind_text(db, stmt, ":key", row->key);
}

static void
copy_column(struct sqlite3_stmt *stmt, int column, char *out, size_t size)
{
	size_t len = db_column_len(stmt, column);

	if (len >= size)
		len = size - 1;
	memcpy(out, db_column_text(stmt, column), len);
	out[len] = '\0';
}

/* Step to the row after ${row}. */
static enum db_stepped
next_row(struct db *db, struct setting_row *row)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, NEXT)) == NULL)
		return DB_FAILED;
	bind_row(db, stmt, row);
	if ((stepped = db_step(db, stmt)) == DB_ROW) {
		copy_column(stmt, 0, row->section, sizeof(row->section));
		copy_column(stmt, 1, row->name, sizeof(row->name));
		copy_column(stmt, 2, row->key, sizeof(row->key));
		db_reset(stmt);
	}
	return stepped;
}

/* Remove what is no longer set. */
static int
remove_stale(struct db *db, const struct config *config)
{
	struct setting_row row = { .section = "" };
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if (db_run(db, REMOVE_ODD))
		return -1;
	while ((stepped = next_row(db, &row)) == DB_ROW) {
		if (wanted(config, &row))
			continue;
		if ((stmt = db_prepare(db, REMOVE)) == NULL)
			return -1;
		bind_row(db, stmt, &row);
		if (db_step(db, stmt) != DB_DONE)
			return -1;
	}
	return stepped == DB_FAILED ? -1 : 0;
}

int
setting_store(struct db *db, const struct config *config)
{
	/* One bracket: a writer sees the old settings, or the new. */
	if (db_begin(db))
		return -1;
	if (store_keys(db, config) || store_codes(db, config) ||
	    store_ranks(db, config) || remove_stale(db, config)) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db);
}

int
setting_load(struct db *db, struct config *config)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;
	struct fault ignored;

	config_defaults(config);
	if ((stmt = db_prepare(db, ALL)) == NULL)
		return -1;
	while ((stepped = db_step(db, stmt)) == DB_ROW)
		/* a setting of another version is left at its default */
		(void)config_set(config, db_column_text(stmt, 0),
		    db_column_len(stmt, 1) == 0 ? NULL
						: db_column_text(stmt, 1),
		    db_column_text(stmt, 2), db_column_text(stmt, 3), &ignored);
	return stepped == DB_FAILED ? -1 : 0;
}
