#ifndef QUEUE_SCHEMA_H
#define QUEUE_SCHEMA_H

struct db;

/** "mspl": application_id of a queue file. */
#define SCHEMA_APPLICATION_ID 0x6d73706c

/** One file of schema/, embedded at build time. */
struct schema_step {
	int version; /* 0 ends the table */
	const char *name;
	const char *sql;
};
extern const struct schema_step SCHEMA_STEPS[];

/** The newest version this library knows. */
int schema_latest(void);
/** Create the schema in an empty database, with application_id and
 * user_version, in one transaction.  0 or -1 with db_fault(). */
int schema_create(struct db *db);
/** Check identity and version and upgrade an older queue, steps and stamp in
 * one transaction (contract.md C16).  0 or -1. */
int schema_verify(struct db *db);
/** user_version of ${db}, or -1. */
int schema_version(struct db *db);

#endif
