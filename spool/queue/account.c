#include "account.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"

#include "db.h"

/* Rates are kept as text: what is read back is what was stored. */
static const char STORE[] = "INSERT OR REPLACE INTO account"
			    " (name, requests_per_second, rows_per_minute)"
			    " VALUES (:name, :requests, :rows)";

static const char LOAD[] =
    "SELECT requests_per_second, rows_per_minute FROM account"
    " WHERE name = :name";

static double
read_rate(struct sqlite3_stmt *stmt, int column)
{
	double rate;

	if (number_read(db_column_text(stmt, column),
		db_column_len(stmt, column), &rate) ||
	    rate < 0)
		return 0; /* a damaged rate is one that was not learned */
	return rate;
}

int
account_load(struct db *db, const char *name, struct account_row *row)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	*row = (struct account_row){ 0 };
	snprintf(row->name, sizeof(row->name), "%s", name);
	if ((stmt = db_prepare(db, LOAD)) == NULL)
		return -1;
	db_bind_text(db, stmt, ":name", name);
	if ((stepped = db_step(db, stmt)) != DB_ROW)
		return stepped == DB_DONE ? 0 : -1;
	row->requests_per_second = read_rate(stmt, 0);
	row->rows_per_minute = read_rate(stmt, 1);
	db_reset(stmt);
	return 1;
}

int
account_store(struct db *db, const struct account_row *row)
{
	char requests[NUMBER_TEXT_SIZE], rows[NUMBER_TEXT_SIZE];
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, STORE)) == NULL)
		return -1;
	number_print(requests, row->requests_per_second);
	number_print(rows, row->rows_per_minute);
	db_bind_text(db, stmt, ":name", row->name);
	db_bind_text(db, stmt, ":requests", requests);
	db_bind_text(db, stmt, ":rows", rows);
	return db_step(db, stmt) == DB_DONE ? 0 : -1;
}
