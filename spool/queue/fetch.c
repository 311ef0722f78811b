#include "fetch.h"

#include "db.h"

int
fetch_one(struct db *db, struct sqlite3_stmt *stmt, fetch_read *read, void *row)
{
	return fetch_page(db, stmt, read, row, 0, 1);
}

int
fetch_page(struct db *db, struct sqlite3_stmt *stmt, fetch_read *read,
    void *rows, size_t size, int count)
{
	enum db_stepped stepped = DB_DONE;
	char *row = rows;
	int n;

	for (n = 0; n < count; n++, row += size) {
		if ((stepped = db_step(db, stmt)) != DB_ROW)
			break;
		if (read(db, stmt, row)) {
			db_reset(stmt);
			return -1;
		}
	}
	if (stepped == DB_FAILED)
		return -1;
	db_reset(stmt);
	return n;
}
