/* links: forward; bench: spool saved world damaged */
/*
 * hostile_file: a queue in which a member of the group did what SQL allows
 * (contract.md S2): objects of its own, or ours changed; types, sizes and
 * numbers that no writer stores.  Each time it is opened, audited, read from
 * end to end, put to, forwarded, replayed and purged.  What is foreign is
 * refused with 74 and left alone; of the rest nothing is executed, nothing
 * crashes or runs on, no row comes under a wrong name, and where the harm is
 * in some rows the others are delivered.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "queue/attempt.h"
#include "queue/db.h"
#include "queue/deadletter.h"
#include "queue/edit.h"
#include "queue/enqueue_key.h"
#include "queue/known.h"
#include "queue/operation.h"
#include "queue/purge.h"
#include "queue/replay.h"
#include "queue/series.h"
#include "queue/status.h"
#include "queue/upkeep.h"

#include "bench/damaged.h"

enum must {
	REFUSED, /* with 74, and left alone */
	LOCAL,   /* all rows but ${spoilt} are delivered */
	SAFE,    /* whatever it does */
	RENAMED, /* nor can anybody tell that a lane had another name */
};

static const struct hostile {
	const char *name, *sql;
	enum must must;
	int spoilt;
} CASES[] = {
	{ "nothing", "SELECT 1", LOCAL, 0 },

	/* objects */
	{ "a virtual table", "CREATE VIRTUAL TABLE v USING fts5(a)", REFUSED,
	    0 },
	{ "a virtual table in place of ours",
	    "DROP TABLE gap;"
	    "CREATE VIRTUAL TABLE gap USING fts5(first_id, last_id)",
	    REFUSED, 0 },
	{ "a view in place of a table",
	    "DROP TABLE gap; CREATE VIEW gap AS SELECT 1 AS first_id,"
	    " 1 AS last_id, 1 AS noticed_at, 'x' AS reason",
	    REFUSED, 0 },
	{ "a trigger of ours on another table",
	    "CREATE TRIGGER more AFTER UPDATE ON ledger BEGIN"
	    " DELETE FROM metric; END",
	    REFUSED, 0 },
	{ "a temporary-looking trigger",
	    "CREATE TRIGGER sqliteish BEFORE DELETE ON metric BEGIN"
	    " SELECT RAISE(IGNORE); END",
	    REFUSED, 0 },
	{ "a generated column",
	    "ALTER TABLE gap ADD COLUMN g AS (abs(first_id))", REFUSED, 0 },
	{ "a check that is not ours",
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
	    " replace(sql, 'value       TEXT    NOT NULL',"
	    " 'value       TEXT    NOT NULL CHECK (abs(id) > 9)')"
	    " WHERE name = 'metric'",
	    REFUSED, 0 },
	{ "an object twice",
	    "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema"
	    " SELECT * FROM sqlite_schema WHERE name = 'gap'",
	    REFUSED, 0 },
	{ "an object whose name is not its text's",
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema"
	    " SET name = 'pag', tbl_name = 'pag' WHERE name = 'gap'",
	    REFUSED, 0 },
	{ "a text that is no SQL",
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema"
	    " SET sql = 'CREATE gibberish' WHERE name = 'gap'",
	    REFUSED, 0 },
	{ "a table on the pages of another",
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage ="
	    " (SELECT rootpage FROM sqlite_schema WHERE name = 'metric')"
	    " WHERE name = 'gap'",
	    SAFE, 0 },
	{ "a table on no page",
	    "PRAGMA writable_schema = ON; UPDATE sqlite_schema"
	    " SET rootpage = 99999999 WHERE name = 'metric'",
	    SAFE, 0 },
	{ "statistics that lie",
	    "ANALYZE; UPDATE sqlite_stat1 SET stat = '1 1 1 1';"
	    "INSERT INTO sqlite_stat1 VALUES ('metric', 'metric',"
	    " '9223372036854775807 0 -1'), ('x', x'00ff', zeroblob(9000))",
	    LOCAL, 0 },

	/* rows that pend: 160 to 549 are good ones */
	{ "a value that is a blob",
	    "UPDATE metric SET value = x'3132' WHERE id = 300", LOCAL, 1 },
	{ "a value of many bytes",
	    "UPDATE metric SET value = hex(zeroblob(400000)) WHERE id = 300",
	    LOCAL, 1 },
	{ "a value with a NUL",
	    "UPDATE metric SET value = '1' || char(0) || '2' WHERE id = 300",
	    LOCAL, 1 },
	{ "a value that is JSON of its own",
	    "UPDATE metric SET value = '1},{\"dimensions\":{\"disk\":\"d1\"},"
	    "\"metricName\":\"used\",\"value\":2' WHERE id = 300",
	    LOCAL, 1 },
	{ "a value that is no number",
	    "UPDATE metric SET value = CASE id WHEN 300 THEN 'nan' WHEN 301"
	    " THEN '1e999' WHEN 302 THEN '' ELSE '0x10' END"
	    " WHERE id BETWEEN 300 AND 303",
	    LOCAL, 4 },
	{ "a value longer than the buffers",
	    "UPDATE metric SET value = '1.' || hex(zeroblob(40))"
	    " WHERE id = 300",
	    LOCAL, 1 },
	{ "ids below one",
	    "UPDATE metric SET id = -id WHERE id IN (300, 301);"
	    "UPDATE metric SET id = 0 WHERE id = 302;"
	    "UPDATE metric SET id = -9223372036854775807 - 1 WHERE id = 303",
	    LOCAL, 4 },
	{ "ids that were never given",
	    "UPDATE metric SET id = id + 5000000000 WHERE id IN (300, 301);"
	    "UPDATE metric SET id = 9223372036854775807 WHERE id = 302",
	    LOCAL, 3 },
	{ "an id that is text",
	    "UPDATE metric SET id = 'x' WHERE id = 300;"
	    "UPDATE metric SET id = x'00' WHERE id = 301;"
	    "UPDATE metric SET id = 1.5 WHERE id = 302",
	    SAFE, 0 },
	{ "lanes that are text",
	    "UPDATE metric SET lane_id = 'x' WHERE id = 300", SAFE, 0 },
	{ "series that are not there",
	    "UPDATE metric SET series_id = CASE id WHEN 300 THEN 'x' WHEN 301"
	    " THEN -1 ELSE 9223372036854775807 END"
	    " WHERE id BETWEEN 300 AND 302",
	    LOCAL, 3 },
	{ "times and counts beyond reason",
	    "UPDATE metric SET accepted_at = 9223372036854775807 WHERE id = "
	    "300;"
	    "UPDATE metric SET observed_at = -9223372036854775807 WHERE id = "
	    "301;"
	    "UPDATE metric SET expires_at = 'never' WHERE id = 302;"
	    "UPDATE metric SET attempts = -9223372036854775807 - 1"
	    " WHERE id = 303;"
	    "UPDATE metric SET accepted_at = x'ffff' WHERE id = 304",
	    LOCAL, 5 },
	{ "attempts that cannot grow",
	    "UPDATE metric SET attempts = 9223372036854775807", LOCAL, 0 },

	/* series and lanes */
	{ "a wire text of another row",
	    "UPDATE series SET wire = (SELECT wire FROM series WHERE id = 2)"
	    " WHERE id = 1",
	    SAFE, 0 },
	{ "a wire text that is large",
	    "UPDATE series SET wire = zeroblob(900000) WHERE id = 1;"
	    "UPDATE series SET wire = hex(zeroblob(400000)), hash = 0"
	    " WHERE id = 2",
	    SAFE, 0 },
	{ "a wire text with NULs, by the door's hash",
	    "UPDATE series SET hash = 0, wire = wire || char(0) || 'x',"
	    " metric = metric || char(0), dimensions = x'007b'",
	    SAFE, 0 },
	{ "dimensions deep and wide, by the door's hash",
	    "UPDATE series SET hash = 0, dimensions = replace(hex(zeroblob("
	    "20000)), '00', '[') WHERE id = 1;"
	    "UPDATE series SET hash = 0, dimensions = '{\"a\":' ||"
	    " replace(hex(zeroblob(20000)), '00', '{\"a\":') WHERE id = 2",
	    SAFE, 0 },
	{ "series of a lane that is not there",
	    "PRAGMA foreign_keys = OFF; UPDATE series SET lane_id = -5"
	    " WHERE id = 1",
	    SAFE, 0 },
	{ "a lane with a long name",
	    "UPDATE lane SET namespace = hex(zeroblob(5000)) WHERE id = 1",
	    SAFE, 0 },
	{ "a lane with a NUL in its name",
	    "UPDATE lane SET namespace = 'c' || char(0) || 'm' WHERE id = 1;"
	    "UPDATE lane SET region = x'00', account = x'ff00' WHERE id = 2",
	    RENAMED, 0 },
	{ "a lane with numbers beyond reason",
	    "UPDATE lane SET pending = 1000000000000000000,"
	    " since_at = -9223372036854775807 - 1,"
	    " wake_at = 9223372036854775807, failures = 9223372036854775807,"
	    " row_cap = -9223372036854775807, byte_cap = -1,"
	    " doomed_through = -9223372036854775807 - 1,"
	    " held_until = 9223372036854775807",
	    SAFE, 0 },
	{ "a lane that waits for ever",
	    "UPDATE lane SET state = 'waiting', wake_at = 9223372036854775807,"
	    " failures = 9223372036854775807",
	    LOCAL, 0 },
	{ "a lane with texts of every kind",
	    "UPDATE lane SET reason = zeroblob(900000), scope = x'00ff00',"
	    " held_by = hex(zeroblob(9999)), doomed_message = zeroblob(99),"
	    " asked_reason = zeroblob(900000), code = 'x', asked = NULL",
	    SAFE, 0 },
	{ "many lanes",
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 3000) INSERT INTO lane (namespace, region, account)"
	    " SELECT 'n' || i, '', 'default' FROM n",
	    LOCAL, 0 },

	/* the ledger and what goes with it */
	{ "a ledger that is full",
	    "UPDATE ledger SET last_id = 9223372036854775807", SAFE, 0 },
	{ "a ledger below zero",
	    "UPDATE ledger SET last_id = -1000000000000000000,"
	    " accepted = -1000000000000000000, pending = -1",
	    SAFE, 0 },
	{ "a ledger at all ends",
	    "UPDATE ledger SET accepted = 1000000000000000000,"
	    " delivered = 1000000000000000000, dead = 1000000000000000000,"
	    " expired = 1000000000000000000, dropped = 1000000000000000000,"
	    " purged = 1000000000000000000, replayed = 1000000000000000000,"
	    " missing = 1000000000000000000, pending = 1000000000000000000,"
	    " duplicates = 1000000000000000000,"
	    " ambiguous = 1000000000000000000",
	    SAFE, 0 },
	{ "a ledger of texts",
	    "UPDATE ledger SET last_id = 'x', accepted = x'00', pending = "
	    "1e15",
	    SAFE, 0 },
	{ "no ledger", "DELETE FROM ledger", SAFE, 0 },
	{ "gaps beyond reason",
	    "INSERT INTO gap VALUES (-9223372036854775807 - 1,"
	    " 9223372036854775807, 'x', zeroblob(900000)), (5, 1, 0, '')",
	    SAFE, 0 },

	/* the dead, and what operators asked for */
	{ "dead rows of every kind",
	    "UPDATE dead_letter SET value = zeroblob(900000),"
	    " message = x'00ff1b', cause = zeroblob(99), scope = x'00',"
	    " code = 9223372036854775807, evidence = hex(zeroblob(400000)),"
	    " died_at = -9223372036854775807 - 1, http_status = 'x',"
	    " attempts = 9223372036854775807, contrast = zeroblob(9)",
	    LOCAL, 0 },
	{ "dead rows with ids beyond reason",
	    "UPDATE dead_letter SET id = -id;"
	    "UPDATE dead_letter SET id = 9223372036854775807"
	    " WHERE id = (SELECT min(id) FROM dead_letter)",
	    LOCAL, 0 },
	{ "origins that lead astray",
	    "INSERT INTO origin SELECT id, -id, 9223372036854775807, 5, 1"
	    " FROM metric WHERE id > 400;"
	    "INSERT INTO origin SELECT id, id, -1, NULL, 'x' FROM dead_letter",
	    LOCAL, 0 },
	{ "operations beyond reason",
	    "INSERT INTO operation (kind, state, asked_by, asked_at, moved_at,"
	    " selection, matched, canary, replay_rate) VALUES ('replay',"
	    " 'running', zeroblob(9999), -9223372036854775807, 'x',"
	    " zeroblob(900000), -1, 9223372036854775807, '-1e999'),"
	    " ('replay', 'waiting', '', 0, 0, '', 0, -5, '1e-300');"
	    "INSERT INTO operation_group (operation_id, lane_id, metric, state,"
	    " matched) SELECT id, 1, x'00', 'waiting', -1 FROM operation;"
	    "INSERT INTO operation_row SELECT operation_group.id,"
	    " dead_letter.id FROM operation_group, dead_letter",
	    SAFE, 0 },
	{ "suspects without end",
	    "INSERT OR REPLACE INTO suspect SELECT id, 9223372036854775807,"
	    " 'x', zeroblob(9999), 'x', 0 FROM series WHERE id > 3",
	    SAFE, 0 },
	{ "attempts of every kind",
	    "UPDATE attempt SET ids = '1-9223372036854775807,,-,5-1,x',"
	    " message = zeroblob(99999), outcome = x'00', rows = -1,"
	    " first_id = -9223372036854775807, took_ms = 'x'",
	    LOCAL, 0 },
	{ "keys of every kind",
	    "INSERT INTO enqueue_key VALUES (hex(zeroblob(400000)), -1,"
	    " 9223372036854775807), (zeroblob(9), 'x', 'x'), ('', 0, 0)",
	    LOCAL, 0 },
	{ "settings of every kind",
	    "UPDATE setting SET value = '-9223372036854775808'", SAFE, 0 },
	{ "settings that are texts",
	    "UPDATE setting SET value = zeroblob(9) || value || char(0)", SAFE,
	    0 },
	{ "settings that are not known",
	    "INSERT INTO setting VALUES ('queue', '', 'key', 'x'),"
	    " (zeroblob(9), zeroblob(900000), x'00', x'00'),"
	    " ('codes', '', '99999999999999999999', 'retry')",
	    SAFE, 0 },
	{ "a forwarder that boasts",
	    "UPDATE forwarder SET endpoint = zeroblob(900000),"
	    " last_error = x'1b5b00', tries = 9223372036854775807,"
	    " started_at = 9223372036854775807, last_success_at = 'x'",
	    LOCAL, 0 },
	{ "a history beyond reason",
	    "INSERT INTO history VALUES (9223372036854775807, -1, 'x', x'00',"
	    " 9223372036854775807), (-9223372036854775807, 0, 0, 0, 0)",
	    LOCAL, 0 },
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

/* As another program would, which knows what ours do not let in. */
static void
meddle(struct damaged *damaged, const struct hostile *hostile)
{
	struct sqlite3 *other;
	char *why = NULL;
	int keep = 1;

	if (sqlite3_open(damaged->spool.place.file, &other) != SQLITE_OK ||
	    sqlite3_db_config(other, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL) !=
		SQLITE_OK ||
	    sqlite3_file_control(
		other, "main", SQLITE_FCNTL_PERSIST_WAL, &keep) != SQLITE_OK)
		bench_die("cannot open the queue");
	if (sqlite3_exec(other, hostile->sql, NULL, NULL, &why) != SQLITE_OK)
		bench_die("%s: %s", hostile->name, why);
	sqlite3_close(other);
}

/* ---- reading all there is ---- */

static size_t bytes_seen;

static void
see(const char *text)
{
	bytes_seen += text == NULL ? 0 : strlen(text);
}

static int
see_pending(void *cookie, const struct pending_row *row)
{
	(void)cookie;
	see(row->ns);
	see(row->region);
	see(row->account);
	see(row->metric);
	see(row->dimensions);
	see(row->value);
	return 0;
}

static int
see_dead(void *cookie, const struct deadletter_row *row)
{
	(void)cookie;
	see(row->ns);
	see(row->metric);
	see(row->dimensions);
	see(row->value);
	see(row->cause);
	see(row->scope);
	see(row->message);
	see(row->contrast);
	see(row->evidence);
	return 0;
}

static int
see_group(void *cookie, const struct deadletter_group *group)
{
	(void)cookie;
	see(group->cause);
	see(group->ns);
	see(group->metric);
	see(group->message);
	return 0;
}

static int
see_attempt(void *cookie, const struct attempt_row *row)
{
	(void)cookie;
	see(row->ids);
	see(row->message);
	see(row->outcome);
	return 0;
}

static int
see_name(void *cookie, const char *name, const char *dimensions)
{
	(void)cookie;
	see(name);
	see(dimensions);
	return 0;
}

/* What fails must be told as what it is. */
static void
judge(struct damaged *damaged, const char *what, bool failed)
{
	const struct fault *fault = db_fault(damaged->spool.db);

	if (failed && fault_exit(fault->kind) != 74 &&
	    fault->kind != FAULT_TOO_LARGE)
		damaged_complain(damaged, "%s: %d, %s", what,
		    fault_exit(fault->kind), fault->message);
}

static void
read_lists(struct damaged *damaged)
{
	static const struct pending_filter PENDING = {
		.accepted_before = -1, .accepted_after = -1, .state = -1
	};
	static const struct deadletter_filter DEAD = { .since = -1,
		.until = -1,
		.accepted_before = -1,
		.accepted_after = -1,
		.replays_least = -1 };
	struct db *db = damaged->spool.db;

	judge(damaged, "list",
	    status_list(db, &PENDING, -1, see_pending, NULL) == -1);
	judge(damaged, "dead list",
	    deadletter_list(db, &DEAD, DEADLETTER_BY_AGE, -1, see_dead, NULL) ==
		-1);
	judge(damaged, "dead", deadletter_groups(db, see_group, NULL) == -1);
	judge(damaged, "attempts",
	    attempt_list(db, 1, 300, see_attempt, NULL) == -1);
	judge(damaged, "namespaces", known_namespaces(db, see_name, NULL));
	judge(damaged, "series", known_series(db, 1, 99, see_name, NULL));
}

static void
read_rest(struct damaged *damaged)
{
	static struct operation_row operations[8];
	static struct status_forwarder forwarder;
	const int64_t before[] = { 0, 1700000000001 };
	struct db *db = damaged->spool.db;
	struct ledger_row ledger;
	int64_t rows[2], minute, id;

	judge(damaged, "ages", status_ages(db, before, rows, 2));
	judge(damaged, "forwarder", status_forwarder_read(db, &forwarder));
	judge(
	    damaged, "operations", operation_list(db, 0, operations, 8) == -1);
	judge(damaged, "history",
	    upkeep_recall(db, INT64_MAX, &minute, &ledger) == -1);
	judge(damaged, "keys", enqueue_key_find(db, "k", 1, &id) == -1);
}

static void
work_on_dead(struct damaged *damaged)
{
	struct db *db = damaged->spool.db;
	int64_t ids[DAMAGED_SENT], cursor = 0, i;

	for (i = 0; i < DAMAGED_SENT; i++)
		ids[i] = i + 1;
	if (db_begin(db) == 0) {
		judge(damaged, "replay",
		    replay_rows(db, ids, DAMAGED_SENT, 0, true) == -1);
		db_rollback(db);
	}
	judge(damaged, "purge", purge_bounds(db, 1, 1, 500) == -1);
	judge(
	    damaged, "keys", enqueue_key_collect(db, 1800000000000, 100) == -1);
	judge(damaged, "collect", series_collect(db, &cursor, 100) == -1);
	judge(damaged, "vacuum", upkeep_vacuum(db, 250));
}

/* ---- one file ---- */

static void
check_outcome(struct damaged *damaged, const struct hostile *hostile,
    int64_t refused, int usual)
{
	bool was_refused = damaged->counts.refused > refused;

	if (hostile->must == REFUSED && !was_refused)
		damaged_complain(damaged, "not refused");
	if (hostile->must == LOCAL && was_refused)
		damaged_complain(damaged, "refused");
	if (hostile->must == LOCAL && damaged->good < usual - hostile->spoilt)
		damaged_complain(damaged, "%d rows came, of %d", damaged->good,
		    usual - hostile->spoilt);
}

static void
try_file(struct damaged *damaged, const struct hostile *hostile, int *usual)
{
	int64_t refused = damaged->counts.refused;
	struct fault fault = { 0 };
	struct saved left;

	snprintf(damaged->what, sizeof(damaged->what), "%s", hostile->name);
	damaged_restore(
	    damaged, damaged->saved.file.data, damaged->saved.file.size);
	meddle(damaged, hostile);
	saved_take(&left, &damaged->spool);
	if (spool_open(&damaged->spool, &fault) == 0) {
		read_lists(damaged);
		read_rest(damaged);
		work_on_dead(damaged);
		spool_close(&damaged->spool);
	}
	saved_restore(&left, &damaged->spool);
	damaged->may_cross = hostile->must == RENAMED;
	damaged_examine(damaged, left.file.data, left.file.size);
	if (*usual == 0)
		*usual = damaged->good;
	check_outcome(damaged, hostile, refused, *usual);
	saved_free(&left);
}

int
main(int argc, char **argv)
{
	static struct damaged damaged;
	const struct damaged_counts *counts = &damaged.counts;
	int usual = 0;
	size_t i;

	damaged.test = "hostile_file";
	damaged.odd = true;
	damaged.seed = damaged.chance = bench_start(argc, argv);
	damaged_set_up(&damaged);
	for (i = 0; i < CASE_COUNT; i++)
		try_file(&damaged, &CASES[i], &usual);
	printf(
	    "hostile_file: S2, %zu files, seed %llu: %lld refused untouched, "
	    "%lld told by the audit, %lld inert; %zu "
	    "bytes read; %lld failed; %.1f s\n",
	    CASE_COUNT, (unsigned long long)damaged.seed,
	    (long long)counts->refused, (long long)counts->noticed,
	    (long long)counts->clean, bytes_seen, (long long)counts->failed,
	    bench_cpu());
	damaged_tear_down(&damaged);
	return counts->failed > 0;
}
