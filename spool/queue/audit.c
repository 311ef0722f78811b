#include "audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "cell.h"
#include "db.h"

/* All of these walk whole tables, and say so: an audit counts. */
static const char COUNT_PENDING[] = "SELECT count(*) FROM metric /* scan */";
static const char COUNT_DEAD[] = "SELECT count(*) FROM dead_letter";

static const char WRONG_LANES[] =
    "SELECT id, pending, counted FROM (SELECT lane.id, lane.pending,"
    "  (SELECT count(*) FROM metric WHERE metric.lane_id = lane.id)"
    "   AS counted FROM lane)"
    " WHERE pending <> counted /* scan */";

static const char GAP_IDS[] =
    "SELECT ifnull(sum(last_id - first_id + 1), 0) FROM gap";

/* Each counts what must not be; the answer should be 0. */
static const struct question {
	const char *sql, *problem; /* what is said after the count */
	bool deep;                 /* too long for every audit */
} QUESTIONS[] = {
	{ .sql = "SELECT count(*) FROM metric /* scan */ WHERE id <= 0"
		 " OR id > (SELECT last_id FROM ledger WHERE id = 1)",
	    .problem = "pending rows have an id that was never given" },
	{ .sql = "SELECT count(*) FROM dead_letter WHERE id <= 0"
		 " OR id > (SELECT last_id FROM ledger WHERE id = 1)",
	    .problem = "dead rows have an id that was never given" },
	{ .sql = "SELECT count(*) FROM metric /* scan */ WHERE NOT EXISTS"
		 " (SELECT 1 FROM lane WHERE lane.id = metric.lane_id)",
	    .problem = "pending rows are in a lane that does not exist" },
	{ .sql = "SELECT count(*) FROM metric /* scan */ WHERE NOT EXISTS"
		 " (SELECT 1 FROM series WHERE series.id = metric.series_id"
		 "  AND series.lane_id = metric.lane_id)",
	    .problem = "pending rows have no series in their lane" },
	{ .sql = "SELECT count(*) FROM dead_letter WHERE NOT EXISTS"
		 " (SELECT 1 FROM series"
		 "  WHERE series.id = dead_letter.series_id)",
	    .problem = "dead rows have no series" },
	{ .sql = "SELECT count(*) FROM series WHERE NOT EXISTS"
		 " (SELECT 1 FROM lane WHERE lane.id = series.lane_id)",
	    .problem = "series are in a lane that does not exist" },
	{ .sql = "SELECT count(*) FROM dead_letter CROSS JOIN lane"
		 " CROSS JOIN metric WHERE metric.lane_id = lane.id"
		 " AND metric.id = dead_letter.id",
	    .problem = "rows are both pending and dead" },
	{ .sql = "SELECT count(*) FROM metric /* scan */ WHERE EXISTS"
		 " (SELECT 1 FROM lane CROSS JOIN metric AS other"
		 "  WHERE lane.id <> metric.lane_id"
		 "  AND other.lane_id = lane.id AND other.id = metric.id)",
	    .problem = "pending rows have an id that another has, too",
	    .deep = true },
	{ .sql = "SELECT count(*) FROM origin WHERE NOT EXISTS"
		 " (SELECT 1 FROM dead_letter WHERE dead_letter.id = origin.id)"
		 " AND NOT EXISTS (SELECT 1 FROM lane CROSS JOIN metric"
		 "  WHERE metric.lane_id = lane.id AND metric.id = origin.id)",
	    .problem = "records of a replay belong to no row" },
	{ .sql = "SELECT count(*) FROM former WHERE NOT EXISTS"
		 " (SELECT 1 FROM origin WHERE origin.id = former.row_id)",
	    .problem = "former ids belong to no row" },
	{ .sql = "SELECT count(*) FROM edit WHERE NOT EXISTS"
		 " (SELECT 1 FROM dead_letter"
		 "  WHERE dead_letter.id = edit.row_id)"
		 " AND NOT EXISTS"
		 " (SELECT 1 FROM origin WHERE origin.id = edit.row_id)",
	    .problem = "records of an edit belong to no row" },
	{ .sql = "SELECT count(*) FROM operation_row WHERE NOT EXISTS"
		 " (SELECT 1 FROM operation_group JOIN operation"
		 "   ON operation.id = operation_group.operation_id"
		 "  WHERE operation_group.id = operation_row.group_id"
		 "  AND operation.ended_at IS NULL)",
	    .problem = "rows are named by a replay that is over" },
};
#define QUESTION_COUNT (sizeof(QUESTIONS) / sizeof(QUESTIONS[0]))

static const char INTEGRITY[] = "PRAGMA integrity_check(16)";
#define LOOKS 3

static void add_problem(struct audit *audit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add_problem(struct audit *audit, const char *format, ...)
{
	int at = audit->problem_count++;
	va_list arguments;

	if (at >= AUDIT_PROBLEMS)
		return;
	va_start(arguments, format);
	vsnprintf(audit->problems[at], sizeof(audit->problems[at]), format,
	    arguments);
	va_end(arguments);
}

static int
count(struct db *db, const char *sql, int64_t *counted)
{
	struct sqlite3_stmt *stmt;

	if ((stmt = db_prepare(db, sql)) == NULL || db_step(db, stmt) != DB_ROW)
		return -1;
	*counted = db_column_int(stmt, 0);
	db_reset(stmt);
	return 0;
}

static void
compare(struct audit *audit, const char *what, int64_t ledger, int64_t counted)
{
	if (ledger != counted)
		add_problem(audit, "the ledger says %lld %s, there are %lld",
		    (long long)ledger, what, (long long)counted);
}

static void
check_laws(struct audit *audit)
{
	const struct ledger_row *row = &audit->ledger;
	int64_t ended = row->delivered + row->dead + row->expired +
	    row->dropped + row->purged;

	if (row->accepted != row->pending + ended)
		add_problem(audit,
		    "accepted is %lld, but pending and all ends are %lld",
		    (long long)row->accepted,
		    (long long)(row->pending + ended));
	if (row->last_id != row->accepted + row->replayed + row->missing)
		add_problem(audit,
		    "the last id is %lld, but accepted, replayed and missing"
		    " ids are %lld",
		    (long long)row->last_id,
		    (long long)(row->accepted + row->replayed + row->missing));
}

static int
check_ledger(struct db *db, struct audit *audit)
{
	int64_t gaps;

	if (ledger_read(db, &audit->ledger) ||
	    count(db, COUNT_PENDING, &audit->counted_pending) ||
	    count(db, COUNT_DEAD, &audit->counted_dead) ||
	    count(db, GAP_IDS, &gaps))
		return -1;
	check_laws(audit);
	compare(audit, "pending rows", audit->ledger.pending,
	    audit->counted_pending);
	compare(audit, "dead rows", audit->ledger.dead, audit->counted_dead);
	compare(audit, "missing ids", audit->ledger.missing, gaps);
	return 0;
}

/* Whoever puts next makes a gap record of them. */
static int
check_mark(struct db *db, int64_t mark, struct audit *audit)
{
	int64_t first, last;

	if (ledger_find_missing(db, mark, &first, &last))
		return -1;
	if (last > 0)
		add_problem(audit,
		    "ids %lld..%lld are missing: acknowledged, and not in the"
		    " file (damaged or removed WAL, or an older copy)",
		    (long long)first, (long long)last);
	return 0;
}

static int
check_lanes(struct db *db, struct audit *audit)
{
	struct sqlite3_stmt *stmt;
	enum db_stepped stepped;

	if ((stmt = db_prepare(db, WRONG_LANES)) == NULL)
		return -1;
	while ((stepped = db_step(db, stmt)) == DB_ROW)
		add_problem(audit,
		    "lane %lld says %lld pending rows, there are %lld",
		    (long long)db_column_int(stmt, 0),
		    (long long)db_column_int(stmt, 1),
		    (long long)db_column_int(stmt, 2));
	return stepped == DB_DONE ? 0 : -1;
}

static int
ask_all(struct db *db, bool deep, struct audit *audit)
{
	int64_t counted;
	size_t i;

	for (i = 0; i < QUESTION_COUNT; i++) {
		if (QUESTIONS[i].deep && !deep)
			continue;
		if (count(db, QUESTIONS[i].sql, &counted))
			return -1;
		if (counted != 0)
			add_problem(audit, "%lld %s", (long long)counted,
			    QUESTIONS[i].problem);
	}
	return 0;
}

/* What a line of the check means.  It goes on where it cannot read a page, and
 * counts that as damage; its words tell, save those of one kind. */
struct finding {
	int code; /* SQLite's result of a read that failed, or SQLITE_OK */
	bool unsure;
};

static void
understand(const char *said, struct finding *finding)
{
	static const char CODE[] = "error code=";
	const char *at = strstr(said, CODE);
	int code = SQLITE_OK;

	if (at != NULL)
		code = atoi(at + strlen(CODE));
	else if (strstr(said, "failed to get page") != NULL)
		code = SQLITE_IOERR_READ;
	if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_NOMEM)
		finding->code = code;
	finding->unsure |= strstr(said, "Failed to read ptrmap") != NULL;
}

/* SQLite's words are about pages and trees: they are kept as details. */
static int
check_once(struct db *db, struct audit *audit, bool *unsure)
{
	struct sqlite3_stmt *stmt;
	struct finding finding = { SQLITE_OK, false };
	enum db_stepped stepped;
	char said[120];

	if ((stmt = db_prepare(db, INTEGRITY)) == NULL)
		return -1;
	while ((stepped = db_step(db, stmt)) == DB_ROW) {
		understand(db_column_text(stmt, 0), &finding);
		cell_copy(said, sizeof(said), stmt, 0);
		if (strcmp(said, "ok") != 0)
			add_problem(
			    audit, "the file is damaged inside: %s", said);
	}
	*unsure = finding.unsure;
	if (finding.code != SQLITE_OK)
		return db_fail_code(db, finding.code, "read");
	return stepped == DB_DONE ? 0 : -1;
}

/* Whether every byte of the file can be read. */
static int
read_file(struct db *db)
{
	unsigned char page[4096];
	struct sqlite3_file *file;
	sqlite3_int64 offset, size = 0;
	int code;

	code = sqlite3_file_control(
	    db_handle(db), "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (code == SQLITE_OK)
		code = file->pMethods->xFileSize(file, &size);
	for (offset = 0; code == SQLITE_OK && offset < size;
	     offset += (sqlite3_int64)sizeof(page))
		code = file->pMethods->xRead(
		    file, page, (int)sizeof(page), offset);
	if (code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ)
		return 0;
	return db_fail_code(db, code, "read");
}

/* What may be damage, or an error of the disk, is looked at again. */
static int
check_integrity(struct db *db, struct audit *audit)
{
	int before = audit->problem_count, looks;
	bool unsure = true;

	for (looks = 0; unsure && looks < LOOKS; looks++) {
		audit->problem_count = before;
		if (check_once(db, audit, &unsure))
			return -1;
	}
	return unsure ? read_file(db) : 0;
}

int
audit_run(struct db *db, bool deep, struct audit *audit)
{
	int64_t mark = ledger_mark(db);
	int failed;

	memset(audit, 0, sizeof(*audit));
	if (db_begin_read(db))
		return -1;
	failed = check_ledger(db, audit) || check_mark(db, mark, audit) ||
	    check_lanes(db, audit) || ask_all(db, deep, audit) ||
	    (deep && check_integrity(db, audit));
	db_end_read(db);
	return failed ? -1 : 0;
}
