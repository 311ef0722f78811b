#include "bound.h"

#include "base/config.h"
#include "base/fault.h"
#include "base/span.h"
#include "ballast.h"
#include "db.h"

#define PAGE_BYTES 4096

static const char FREE_PAGES[] = "PRAGMA freelist_count";

static int
free_pages(struct db *db, int64_t *pages)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, FREE_PAGES)) == NULL ||
	    db_step(db, stmt) != DB_ROW)
		return -1;
	*pages = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
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
	if (free_pages(db, &pages)) {
		if (fault != NULL)
			*fault = *db_fault(db);
		return -1;
	}
	used -= pages * PAGE_BYTES;
	return used + more < most ? 0 : refuse_full(used, most, fault);
}

int
bound_check_disk(struct db *db, const struct config *config, int64_t more,
    struct fault *fault)
{
	const struct place *place = db_place(db);
	int64_t reserve = config->queue.reserve, disk = place_free(place->dir);
	char has[SPAN_TEXT_SIZE], needs[SPAN_TEXT_SIZE];

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
