#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct sqlite3_stmt;
struct text;

/*
 * What the readers that print rows share.  They take ids first, then one row
 * at a time, whose texts are copied before it is shown: no read transaction
 * is open while somebody writes to a pipe (contract.md H8).
 */

/** Ids, in the order in which they are to be shown. */
struct listing_ids {
	int64_t *ids;
	size_t count, size;
};

/** db_prepare(), with monspool_glob(glob, text) known to the connection: as
 * text_glob(), true where the glob is NULL. */
struct sqlite3_stmt *listing_prepare(struct db *db, const char *sql);

/** Bind the six parameters that rows of both kinds are filtered by:
 * :namespace, :region, :account, :metric (globs), :dimension_key and
 * :dimension_value. */
struct listing_globs {
	const char *ns, *region, *account, *metric;
	const char *dimension_key, *dimension_value;
};
void listing_bind(struct db *db, struct sqlite3_stmt *stmt,
    const struct listing_globs *globs);

/** The condition over those parameters, for statements that name the tables
 * series and lane. */
#define LISTING_MATCHES \
	" monspool_glob(:namespace, lane.namespace)" \
	" AND monspool_glob(:region, lane.region)" \
	" AND monspool_glob(:account, lane.account)" \
	" AND monspool_glob(:metric, series.metric)" \
	" AND (:dimension_key IS NULL OR EXISTS (SELECT 1" \
	"  FROM json_each(iif(json_valid(series.dimensions)," \
	"   series.dimensions, '{}')) AS dimension" \
	"  WHERE dimension.key = :dimension_key" \
	"  AND dimension.value = :dimension_value))"

/** Append the first column of all rows of the bound ${stmt}.  0 or -1. */
int listing_add_ids(
    struct db *db, struct sqlite3_stmt *stmt, struct listing_ids *ids);
void listing_free_ids(struct listing_ids *ids);

/** Copy the texts of the row ${stmt} stands on, first to last column, into
 * ${store}; ${texts}[column] becomes the text, NULL for NULL.  0 or -1. */
int listing_copy(struct db *db, struct sqlite3_stmt *stmt, struct text *store,
    const char **texts, int columns);
/** The first row of the bound ${stmt}: 1 with its texts copied, and ${stmt} on
 * the row still, to be reset by the caller; 0 when there is none; -1. */
int listing_load(struct db *db, struct sqlite3_stmt *stmt, struct text *store,
    const char **texts, int columns);

#endif
