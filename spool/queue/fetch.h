#ifndef QUEUE_FETCH_H
#define QUEUE_FETCH_H

#include <stddef.h>

struct db;
struct sqlite3_stmt;

/** Read the row that ${stmt} stands on into the struct ${row}; 0, or -1 with
 * the fault in ${db}. */
typedef int fetch_read(struct db *db, struct sqlite3_stmt *stmt, void *row);

/** The first row of the bound ${stmt}, read into ${row}: 1, 0 when there is
 * none, -1.  The statement is reset. */
int fetch_one(
    struct db *db, struct sqlite3_stmt *stmt, fetch_read *read, void *row);

/** At most ${count} rows of the bound ${stmt}, read into the array ${rows} of
 * structs of ${size} bytes.  How many, or -1.  The statement is reset. */
int fetch_page(struct db *db, struct sqlite3_stmt *stmt, fetch_read *read,
    void *rows, size_t size, int count);

#endif
