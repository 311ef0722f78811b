#include "bound.h"

#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "ballast.h"
#include "db.h"

#define PAGE_BYTES 4096
#define ROOM (64 * PAGE_BYTES) /* for a transaction's log, on a disk not full */

static const char FREE_PAGES[] = "PRAGMA freelist_count";

static int
ask(struct db *db, const char *sql, int64_t *answer)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL || db_step(db, stmt) != DB_ROW)
		return -1;
	*answer = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

static const char PAGES[] = "PRAGMA page_count";

/* What an empty queue takes, and room for what is inserted until it is asked
 * again: rows, and the pages that they split. */
#define EMPTY_BYTES (64 * PAGE_BYTES)
#define SPARE_BYTES (16 * PAGE_BYTES)

int
bound_presses(struct db *db, const struct config *config)
{
	int64_t most = config->queue.max_size, wal = db_wal_bytes(db);
	int64_t pages, unused, used;

	if (ask(db, PAGES, &pages) || ask(db, FREE_PAGES, &unused))
		return -1;
	used = (pages - unused) * PAGE_BYTES + SPARE_BYTES;
	/* No rows are given up for a log that is too long for the bound. */
	if (wal > most / 2)
		wal = most / 2;
	return used >= db_page_limit(most) * PAGE_BYTES || used + wal >= most;
}

int64_t
bound_wal(const struct config *config)
{
	int64_t wal = config->queue.wal_max, share = config->queue.max_size / 4;

	return share > 0 && share < wal ? share : wal;
}

static int
refuse_full(int64_t used, int64_t most, struct fault *fault)
{
	char has[SPAN_TEXT_SIZE], may[SPAN_TEXT_SIZE];

	fault_set(fault, FAULT_QUEUE_FULL, "the queue is full (%s of %s)",
	    span_print_bytes(has, used), span_print_bytes(may, most));
	fault_hint(fault,
	    "see what waits with: monspool status; [queue] max_size in the"
	    " configuration is the bound");
	return -1;
}

int
bound_check(struct db *db, const struct config *config, int64_t more,
    struct fault *fault)
{
	int64_t most = config->queue.max_size, used = db_bytes(db), pages;

	if (most <= 0 || used + more < most)
		return 0;
	if (ask(db, FREE_PAGES, &pages)) {
		if (fault != NULL)
			*fault = *db_fault(db);
		return -1;
	}
	used -= pages * PAGE_BYTES;
	return used + more < most ? 0 : refuse_full(used, most, fault);
}

int
bound_check_size(const struct config *config, int64_t more, struct fault *fault)
{
	int64_t most = db_page_limit(config->queue.max_size) * PAGE_BYTES;

	if (more + EMPTY_BYTES + SPARE_BYTES < most)
		return 0;
	return refuse_full(more, most, fault);
}

int
bound_check_disk(struct db *db, const struct config *config, int64_t more,
    struct fault *fault)
{
	const struct place *place = db_place(db);
	int64_t reserve = config->queue.reserve, disk = place_free(place->dir);
	char has[SPAN_TEXT_SIZE], needs[SPAN_TEXT_SIZE];

	more += ROOM;
	if (reserve > 0 && !ballast_ready(place->ballast, reserve))
		more += reserve;
	if (disk < 0 || more <= disk)
		return 0;
	fault_set(fault, FAULT_DISK_FULL,
	    "%s are free on the disk of the queue, this needs %s",
	    span_print_bytes(has, disk), span_print_bytes(needs, more));
	fault_hint(fault, "free some space: df -h %.160s", place->dir);
	return -1;
}
