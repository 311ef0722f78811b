#ifndef BENCH_H
#define BENCH_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What the bench programs share.  They measure; a failure ends them. */

static inline double
bench_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline void
bench_need(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "bench: %s failed\n", what);
		exit(1);
	}
}

static inline void
bench_run(sqlite3 *db, const char *sql)
{
	bench_need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/** A queue as any SQLite program would open it, as durable as ours. */
static inline sqlite3 *
bench_open(const char *path, int busy_timeout_ms)
{
	sqlite3 *db;

	bench_need(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) ==
		SQLITE_OK,
	    "open");
	sqlite3_busy_timeout(db, busy_timeout_ms);
	bench_run(db, "PRAGMA synchronous=FULL");
	bench_run(db, "PRAGMA wal_autocheckpoint=0");
	return db;
}

static inline sqlite3_stmt *
bench_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	bench_need(
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
	return stmt;
}

static inline void
bench_step(sqlite3_stmt *stmt)
{
	bench_need(sqlite3_step(stmt) == SQLITE_DONE, sqlite3_sql(stmt));
	sqlite3_reset(stmt);
}

#endif
