/* links: base */
/*
 * bench_drain QUEUE: the baseline of a drain.  Reads lane by lane a page of
 * 1000 rows with their series' text, deletes the page, commits.  Prints the
 * rows and the seconds.
 */
#include <stdint.h>
#include <string.h>

#include "bench.h"

static const char PAGE[] =
    "SELECT metric.id, metric.value, series.wire FROM metric"
    " JOIN series ON series.id = metric.series_id"
    " WHERE metric.lane_id = ?1 ORDER BY metric.id LIMIT 1000";
static const char DELETE[] =
    "DELETE FROM metric WHERE lane_id = ?1 AND id BETWEEN ?2 AND ?3";

struct drain {
	sqlite3 *db;
	sqlite3_stmt *page, *delete;
	char body[1 << 20];
	int64_t rows;
};

/* Read a page as a sender must, byte for byte.  Return its rows. */
static int
read_page(struct drain *drain, int64_t *first, int64_t *last)
{
	size_t len = 0;
	int rows = 0;

	while (sqlite3_step(drain->page) == SQLITE_ROW) {
		*last = sqlite3_column_int64(drain->page, 0);
		if (rows++ == 0)
			*first = *last;
		for (int column = 1; column <= 2; column++) {
			size_t part = (size_t)sqlite3_column_bytes(
			    drain->page, column);

			bench_need(len + part < sizeof(drain->body), "a page");
			memcpy(drain->body + len,
			    sqlite3_column_text(drain->page, column), part);
			len += part;
		}
	}
	sqlite3_reset(drain->page);
	return rows;
}

static int
drain_page(struct drain *drain, int64_t lane)
{
	int64_t first = 0, last = 0;
	int rows;

	sqlite3_bind_int64(drain->page, 1, lane);
	rows = read_page(drain, &first, &last);
	if (rows == 0)
		return 0;
	bench_run(drain->db, "BEGIN IMMEDIATE");
	sqlite3_bind_int64(drain->delete, 1, lane);
	sqlite3_bind_int64(drain->delete, 2, first);
	sqlite3_bind_int64(drain->delete, 3, last);
	bench_step(drain->delete);
	bench_run(drain->db, "COMMIT");
	drain->rows += rows;
	return rows;
}

int
main(int argc, char *argv[])
{
	static struct drain drain;
	sqlite3_stmt *lanes;
	double begun;

	bench_need(argc == 2, "usage");
	begun = bench_ms();
	drain.db = bench_open(argv[1], 5000);
	drain.page = bench_prepare(drain.db, PAGE);
	drain.delete = bench_prepare(drain.db, DELETE);
	lanes = bench_prepare(drain.db, "SELECT max(id) FROM lane");
	sqlite3_step(lanes);
	for (int64_t lane = sqlite3_column_int64(lanes, 0); lane > 0; lane--)
		while (drain_page(&drain, lane) > 0)
			continue;
	printf(
	    "%lld %.4f\n", (long long)drain.rows, (bench_ms() - begun) / 1e3);
	return 0;
}
