#ifndef DISK_FIXTURE_H
#define DISK_FIXTURE_H

/*
 * A disk that has as little room as a test wants: what the queue shelf is told
 * when it asks.  Include once in a program, after sim.h.
 */
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>

#include "queue/bound.h"
#include "queue/place.h"

#define DISK_WIDE INT64_C(1000000000000)

static int64_t disk_left = DISK_WIDE; /* bytes, with those of the ballast */
static const char *disk_ballast;      /* or NULL */

int
statvfs(const char *restrict path, struct statvfs *restrict fs)
{
	int64_t left = disk_left;

	(void)path;
	if (disk_ballast != NULL)
		left -= place_size(disk_ballast);
	memset(fs, 0, sizeof(*fs));
	fs->f_bsize = fs->f_frsize = 1;
	fs->f_bavail = fs->f_bfree = left > 0 ? (fsblkcnt_t)left : 0;
	return 0;
}

/* What the database's file will grow by. */
static inline int64_t
growth(struct sim *sim)
{
	int64_t left = disk_left, lacks;

	disk_left = 0;
	lacks = bound_disk_lacks(sim->db, 0);
	disk_left = left;
	return lacks;
}

/* A reader that saw the queue before its rows keeps their pages in the log. */
static inline struct db *
hold_log(struct sim *sim, int rows)
{
	struct config config;
	struct fault fault = { 0 };
	struct ledger_row row;
	struct db *reader;

	reader = queue_open(sim->path, DB_READER, 1000, &config, &fault);
	assert_non_null(reader);
	assert_int_equal(db_begin_read(reader), 0);
	assert_int_equal(ledger_read(reader, &row), 0);
	put(sim, (struct put){ "cvm", rows, 6, 0 });
	return reader;
}

static inline void
let_go(struct db *reader)
{
	db_end_read(reader);
	db_close(reader);
}

#endif
