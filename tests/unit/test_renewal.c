/* links: base queue */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "queue_fixture.h"

#include "queue/checkpoint.h"
#include "queue/gate.h"
#include "queue/ledger.h"

#define LOG_HEADER 32
#define FRAME (24 + 4096)

static int
setup(void **state)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	assert_non_null(spool);
	spool_make(spool);
	*state = spool;
	return 0;
}

static int
teardown(void **state)
{
	spool_remove(*state);
	free(*state);
	return 0;
}

/* A commit that gives an id, or one that gives none. */
static void
commit(struct db *db, bool with_id)
{
	int64_t id;

	assert_int_equal(db_begin(db), 0);
	if (with_id)
		assert_int_equal(ledger_accept(db, 1, &id), 0);
	else
		assert_int_equal(ledger_count_duplicates(db, 1), 0);
	assert_int_equal(db_commit(db), 0);
}

static int
look_at_doubt(void *cookie)
{
	struct db *db = cookie;

	return gate_doubt(db_gate(db)) ? 0 : 1; /* 1 refuses the commit */
}

static void
doubt_lies_on_the_log_while_it_commits(void **state)
{
	struct db *db = spool_open(*state, DB_WRITER);

	sqlite3_commit_hook(db_handle(db), look_at_doubt, db);
	assert_false(gate_doubt(db_gate(db)));
	commit(db, true);
	assert_false(gate_doubt(db_gate(db)));
	commit(db, false);
	assert_false(gate_doubt(db_gate(db)));
	db_close(db);
}

static int
refuse(void *cookie)
{
	(void)cookie;
	return 1;
}

static void
a_commit_that_fails_otherwise_leaves_no_doubt(void **state)
{
	struct db *db = spool_open(*state, DB_WRITER);

	sqlite3_commit_hook(db_handle(db), refuse, NULL);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(ledger_count_duplicates(db, 1), 0);
	assert_int_equal(db_commit(db), -1);
	assert_false(gate_doubt(db_gate(db)));
	db_close(db);
}

static void
ends_with_the_log_as_it_was(void **state)
{
	struct spool *spool = *state;
	struct db *db = spool_open(spool, DB_WRITER);
	struct ledger_row row;
	int i;

	for (i = 0; i < 3; i++)
		commit(db, true);
	assert_int_equal(gate_set_doubt(db_gate(db), true), 0);
	assert_int_equal(db_begin(db), 0);
	assert_false(gate_doubt(db_gate(db)));
	db_rollback(db);
	db_close(db);
	db = spool_open(spool, DB_WRITER); /* which reads the log anew */
	assert_int_equal(ledger_read(db, &row), 0);
	assert_int_equal(row.last_id, 3);
	db_close(db);
}

static void
a_checkpoint_ends_it_first(void **state)
{
	struct db *db = spool_open(*state, DB_WRITER);

	commit(db, true);
	assert_int_equal(gate_set_doubt(db_gate(db), true), 0);
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_DONE);
	assert_false(gate_doubt(db_gate(db)));
	/* nothing is left in the log: nothing to write */
	assert_int_equal(gate_set_doubt(db_gate(db), true), 0);
	commit(db, true);
	assert_false(gate_doubt(db_gate(db)));
	db_close(db);
}

/* A page that never reached the disk is gone from memory, too. */
static void
lose_first_frame(const struct spool *spool)
{
	static const char other[64] = "what was there before";
	int fd = open(spool->place.wal, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(
	    pwrite(fd, other, sizeof(other), LOG_HEADER + FRAME / 2),
	    (ssize_t)sizeof(other));
	close(fd);
}

static void
nothing_is_built_on_what_memory_has_lost(void **state)
{
	struct spool *spool = *state;
	struct db *db = spool_open(spool, DB_WRITER);
	struct db *reader = spool_open(spool, DB_READER);

	commit(db, true);
	commit(db, true);
	assert_int_equal(gate_set_doubt(db_gate(db), true), 0);
	lose_first_frame(spool);
	assert_int_equal(db_begin(db), -1);
	assert_int_equal(db_fault(db)->kind, FAULT_IO_ERROR);
	assert_string_not_equal(db_fault(db)->hint, "");
	assert_int_equal(checkpoint_guarded(db, false), CHECKPOINT_FAILED);
	assert_true(gate_doubt(db_gate(db)));
	/* one who reads keeps it so */
	db_close(db);
	db = spool_open(spool, DB_WRITER);
	assert_int_equal(db_begin(db), -1);
	db_close(db);
	db_close(reader);
	db = spool_open(spool, DB_WRITER);
	commit(db, true);
	assert_false(gate_doubt(db_gate(db)));
	db_close(db);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(doubt_lies_on_the_log_while_it_commits),
		SPOOL_TEST(a_commit_that_fails_otherwise_leaves_no_doubt),
		SPOOL_TEST(ends_with_the_log_as_it_was),
		SPOOL_TEST(a_checkpoint_ends_it_first),
		SPOOL_TEST(nothing_is_built_on_what_memory_has_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
