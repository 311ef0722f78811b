#ifndef QUEUE_DBINSIDE_H
#define QUEUE_DBINSIDE_H

#include <sys/types.h>

#include "base/fault.h"
#include "db.h"

/*
 * What the modules that make up a struct db share: db.c (life), bracket.c
 * (transactions), statement.c (prepare, bind, step), trouble.c (faults),
 * checkpoint.c (the guard), renewal.c (the log).  Nobody else includes this.
 */

#define DB_MAX_DEPTH 8

/** A prepared statement and the address of the text it was made from. */
struct db_statement {
	const char *sql;
	struct sqlite3_stmt *stmt;
};

struct db {
	struct place place;
	enum db_kind kind;
	struct sqlite3 *handle;
	struct sqlite3 *guard; /* for checkpoints; NULL until the first */
	struct gate *gate;     /* NULL: none yet, or DB_CREATE */
	pid_t pid;
	dev_t device; /* of the file that is open */
	ino_t inode;
	int64_t disk;    /* bytes of its file system; 0: not asked yet */
	int64_t wait_ms; /* for the gate and for foreigners */
	bool broken;     /* a sync failed: never again (H12) */

	int depth;   /* of brackets */
	int reading; /* of read transactions */
	/* what the mark would be if brackets 1..n were committed; -1: as it is */
	int64_t noted[DB_MAX_DEPTH + 1];

	struct fault fault;
	bool kept; /* the fault is the first of this bracket */

	struct db_statement *statements; /* open hash, a power of two */
	size_t statement_size, statement_count;
	int bind_code;   /* of the first bind that failed, until the step */
	int64_t changes; /* of the last statement that ended */
};

/** 0, or -1 with the fault: forked, or broken. */
int db_usable(struct db *db);
/** Finalize and forget all statements. */
void db_forget_statements(struct db *db);

#endif
