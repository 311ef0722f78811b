#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

/*
 * A queue that is open, with a writer, and short ways to put rows into it and
 * to look at it through SQL.  Include after cmocka.
 */

#include <sqlite3.h>

#include "base/config.h"
#include "queue/audit.h"
#include "queue/entry.h"
#include "queue/ledger.h"
#include "queue/writer.h"

#include "queue_fixture.h"

struct store {
	struct spool spool;
	struct config config;
	struct db *db;
	struct writer *writer;
};

static inline void
store_open(struct store *store)
{
	struct fault fault = { 0 };

	store->db = queue_open(
	    store->spool.place.file, DB_WRITER, 5000, &store->config, &fault);
	if (store->db == NULL)
		fail_msg("%s: %s", fault.message, fault.why);
	store->writer = writer_new(store->db, &store->config, &fault);
	assert_non_null(store->writer);
}

static inline void
store_close(struct store *store)
{
	writer_free(store->writer);
	db_close(store->db);
}

static inline int
store_setup(void **state)
{
	struct store *store = calloc(1, sizeof(*store));

	assert_non_null(store);
	spool_make(&store->spool);
	store_open(store);
	*state = store;
	return 0;
}

/* Every test ends with a queue that can be audited. */
static inline int
store_teardown(void **state)
{
	struct store *store = *state;

	store_close(store);
	spool_remove(&store->spool);
	free(store);
	return 0;
}

static inline struct entry
store_entry(const char *ns, const char *metric, double value)
{
	return (struct entry){ .ns = ns,
		.metric = metric,
		.value = value,
		.observed_at = -1,
		.max_age_ms = -1 };
}

/* Check, render and add ${entry} to the open round: what writer_add() said. */
static inline int
store_add(
    struct store *store, const struct entry *entry, int64_t now_ms, int64_t *id)
{
	struct entry_wire wire = { 0 };
	struct fault fault = { 0 };
	int added;

	if (entry_check(entry, &store->config.checks, false, &fault) ||
	    entry_render(entry, &store->config.checks, &wire, &fault))
		fail_msg("%s", fault.message);
	added = writer_add(store->writer, entry, &wire, now_ms, id, &fault);
	if (added == -1)
		print_message("%s: %s\n", fault.message, fault.why);
	entry_wire_free(&wire);
	return added;
}

static inline void
store_begin(struct store *store)
{
	struct fault fault = { 0 };

	if (writer_begin(store->writer, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
}

static inline struct writer_result
store_commit(struct store *store)
{
	struct writer_result result = { 0 };
	struct fault fault = { 0 };

	if (writer_commit(store->writer, &result, &fault))
		fail_msg("%s: %s", fault.message, fault.why);
	return result;
}

/* Put one row in a transaction of its own; its id. */
static inline int64_t
store_put_at(struct store *store, const char *ns, const char *metric,
    double value, int64_t now_ms)
{
	struct entry entry = store_entry(ns, metric, value);
	int64_t id = -1;

	store_begin(store);
	assert_int_equal(store_add(store, &entry, now_ms, &id), 0);
	store_commit(store);
	return id;
}

static inline int64_t
store_put(struct store *store, const char *ns, const char *metric, double value)
{
	return store_put_at(store, ns, metric, value, 1700000000000);
}

/* Put ${count} rows of one series in one transaction; the first id. */
static inline int64_t
store_fill(struct store *store, const char *ns, const char *metric, int count)
{
	struct writer_result result;
	struct entry entry;
	int64_t id;
	int i;

	store_begin(store);
	for (i = 0; i < count; i++) {
		entry = store_entry(ns, metric, i);
		assert_int_equal(
		    store_add(store, &entry, 1700000000000 + i, &id), 0);
	}
	result = store_commit(store);
	return result.first_id;
}

/* The first column of the first row of ${sql}; -1 where there is none. */
static inline int64_t
store_ask(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t answer = -1;

	assert_int_equal(
	    sqlite3_prepare_v2(db_handle(store->db), sql, -1, &stmt, NULL),
	    SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return answer;
}

/* Change the file behind the modules' backs. */
static inline void
store_run(struct store *store, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db_handle(store->db), sql, NULL, NULL, &error) !=
	    SQLITE_OK)
		fail_msg("%s", error);
}

static inline struct ledger_row
store_ledger(struct store *store)
{
	struct ledger_row row;

	assert_int_equal(ledger_read(store->db, &row), 0);
	return row;
}

/* No problem, counted row by row. */
static inline void
store_audit(struct store *store)
{
	struct audit audit;

	if (audit_run(store->db, true, &audit))
		fail_msg("%s", db_error(store->db));
	if (audit.problem_count > 0)
		fail_msg("%s", audit.problems[0]);
	assert_true(ledger_balanced(&audit.ledger));
}

#define STORE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

#endif
