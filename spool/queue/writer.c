#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/fault.h"
#include "base/number.h"
#include "bell.h"
#include "bound.h"
#include "db.h"
#include "drop.h"
#include "enqueue_key.h"
#include "entry.h"
#include "ledger.h"
#include "metric.h"
#include "resolver.h"
#include "shares.h"

/* Rows that are kept back to be inserted together. */
#define ROWS 64

/* Expired keys that a round removes. */
#define KEYS_LEAST 100
#define KEYS_MOST 5000

struct writer {
	struct db *db;
	const struct config *config;
	bool open;        /* a round is */
	bool failed;      /* it can only be abandoned */
	struct fault why; /* what made it fail first */

	struct resolver *resolver;
	int64_t first_id, next_id;
	int64_t duplicates;
	int64_t keys, keys_at; /* asked for in this round, and when */
	struct metric_new rows[ROWS];
	char values[ROWS][NUMBER_TEXT_SIZE];
	size_t row_count;
	struct shares shares; /* of the round */
	int bell;             /* -1: not open */
};

struct writer *
writer_new(struct db *db, const struct config *config, struct fault *fault)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL || (writer->resolver = resolver_new(db)) == NULL) {
		fault_errno(fault, ENOMEM, "cannot queue");
		free(writer);
		return NULL;
	}
	writer->db = db;
	writer->config = config;
	writer->bell = -1;
	return writer;
}

void
writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	writer_abandon(writer);
	resolver_free(writer->resolver);
	shares_free(&writer->shares);
	if (writer->bell >= 0)
		close(writer->bell);
	free(writer);
}

/* What went wrong is in the connection: tell it, and give the round up. */
static int
fail(struct writer *writer, struct fault *fault)
{
	if (!writer->failed)
		writer->why = *db_fault(writer->db);
	writer->failed = true;
	if (fault != NULL)
		*fault = *db_fault(writer->db);
	return -1;
}

static int
fail_memory(struct writer *writer, struct fault *fault)
{
	if (!writer->failed)
		fault_errno(&writer->why, ENOMEM, "cannot queue");
	writer->failed = true;
	return fault_errno(fault, ENOMEM, "cannot queue");
}

static int
fail_again(const struct writer *writer, struct fault *fault)
{
	if (fault != NULL)
		*fault = writer->why;
	return -1;
}

static bool
drops(const struct writer *writer)
{
	const struct config_queue *queue = &writer->config->queue;

	return queue->when_full == CONFIG_FULL_DROP_OLDEST &&
	    queue->max_size > 0;
}

static int
check_bound(struct writer *writer, int64_t bytes, struct fault *fault)
{
	if (drops(writer))
		return bound_check_size(writer->config, bytes, fault);
	return bound_check(writer->db, writer->config, bytes, fault);
}

/* The oldest rows go in the round that needs their room: none is dropped for
 * rows that are not queued after all. */
static int
make_room(struct writer *writer)
{
	return drops(writer)
	    ? drop_for_room(writer->db, writer->config, writer->first_id)
	    : 0;
}

static int
start(struct writer *writer, struct fault *fault)
{
	/* a ballast that was given up is the forwarder's room, not ours */
	if (writer_reserve(writer, 0, fault))
		return -1;
	if (ledger_next_id(writer->db, &writer->first_id) || make_room(writer))
		return fail(writer, fault);
	resolver_refresh(writer->resolver);
	return 0;
}

/* H3's checkpoint lies between the gate and the transaction. */
static int
enter(struct writer *writer)
{
	int failed;

	if (db_enter(writer->db))
		return -1;
	bound_shorten_log(writer->db, writer->config);
	/* Until COMMIT nothing of the round is stored; afterwards all of it. */
	failed = db_begin(writer->db);
	db_leave(writer->db); /* the transaction stays in */
	return failed;
}

int
writer_begin(struct writer *writer, struct fault *fault)
{
	if (writer->open)
		return fault_set(fault, FAULT_INTERNAL,
		    "a round of the writer is open already");
	if (enter(writer))
		return fail(writer, fault);
	writer->open = true;
	writer->failed = false;
	if (start(writer, fault)) {
		writer_abandon(writer);
		return -1;
	}
	writer->next_id = writer->first_id;
	writer->duplicates = 0;
	writer->keys = 0;
	writer->row_count = 0;
	shares_clear(&writer->shares);
	return 0;
}

int
writer_reserve(struct writer *writer, int64_t bytes, struct fault *fault)
{
	return check_bound(writer, bytes, fault) ||
		bound_check_disk(writer->db, writer->config, bytes, fault)
	    ? -1
	    : 0;
}

int
writer_intern(struct writer *writer, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id, struct fault *fault)
{
	int known = resolver_find(writer->resolver, series, lane_id, series_id);

	if (known == -1)
		return fail_memory(writer, fault);
	if (known == 0 &&
	    (make_room(writer) ||
		resolver_make(writer->resolver, series, lane_id, series_id)))
		return fail(writer, fault);
	return 0;
}

uint64_t
writer_epoch(const struct writer *writer)
{
	return resolver_epoch(writer->resolver);
}

int
writer_take_key(struct writer *writer, const char *key, int64_t now_ms,
    int64_t *id, struct fault *fault)
{
	int64_t memory = writer->config->queue.key_memory_ms;

	writer->keys++;
	writer->keys_at = now_ms;
	switch (enqueue_key_find(writer->db, key, now_ms, id)) {
	case 1:
		writer->duplicates++;
		return 1;
	case 0:
		if (enqueue_key_add(
			writer->db, key, writer->next_id, now_ms + memory))
			return fail(writer, fault);
		return 0;
	default:
		return fail(writer, fault);
	}
}

void
writer_count_duplicates(struct writer *writer, int64_t rows)
{
	writer->duplicates += rows;
}

static int
flush(struct writer *writer, struct fault *fault)
{
	size_t count = writer->row_count;

	writer->row_count = 0;
	if (metric_insert(writer->db, writer->rows, count) || make_room(writer))
		return fail(writer, fault);
	/* fewer go into what is left free for them */
	if (count < ROWS ||
	    bound_check(writer->db, writer->config, 0, &writer->why) == 0)
		return 0;
	writer->failed = true;
	return fail_again(writer, fault);
}

int
writer_add_interned(struct writer *writer, const struct writer_row *row,
    int64_t *id, struct fault *fault)
{
	size_t at = writer->row_count;
	struct metric_new *new = &writer->rows[at];

	if (writer->failed)
		return fail_again(writer, fault);
	if (shares_add(&writer->shares, row->lane_id))
		return fail_memory(writer, fault);
	memcpy(writer->values[at], row->value, row->value_len);
	new->lane_id = row->lane_id;
	new->id = writer->next_id++;
	new->series_id = row->series_id;
	new->value = writer->values[at];
	new->value_len = row->value_len;
	new->accepted_at = row->accepted_at;
	new->observed_at = row->observed_at;
	new->expires_at = row->expires_at;
	*id = new->id;
	return ++writer->row_count == ROWS ? flush(writer, fault) : 0;
}

int
writer_add(struct writer *writer, const struct entry *entry,
    const struct entry_wire *wire, int64_t now_ms, int64_t *id,
    struct fault *fault)
{
	const struct writer_series series = { .ns = entry->ns,
		.region = entry->region == NULL ? "" : entry->region,
		.account = entry->account == NULL ? "default" : entry->account,
		.metric = entry->metric,
		.dimensions = wire->dimensions.data,
		.wire = wire->wire.data,
		.wire_len = wire->wire.len };
	struct writer_row row = { .value = wire->value,
		.value_len = wire->value_len,
		.accepted_at = now_ms,
		.observed_at = entry->observed_at,
		.expires_at = -1 };
	int taken;

	if (entry->key != NULL &&
	    (taken = writer_take_key(writer, entry->key, now_ms, id, fault)) !=
		0)
		return taken;
	if (entry->max_age_ms >= 0)
		row.expires_at = now_ms + entry->max_age_ms;
	if (writer_intern(writer, &series, &row.lane_id, &row.series_id, fault))
		return -1;
	return writer_add_interned(writer, &row, id, fault);
}

/* More expired keys go than new ones come, so that the table stays bounded
 * where no forwarder runs. */
static int
forget_keys(struct writer *writer)
{
	int64_t most = 2 * writer->keys;

	if (writer->keys == 0)
		return 0;
	if (most < KEYS_LEAST)
		most = KEYS_LEAST;
	return enqueue_key_forget(
	    writer->db, writer->keys_at, most < KEYS_MOST ? most : KEYS_MOST);
}

/* Count what the round did. */
static int
count(struct writer *writer)
{
	int64_t rows = writer->next_id - writer->first_id, first_id;

	if (shares_count(&writer->shares, writer->db))
		return -1;
	if (rows > 0 && ledger_accept(writer->db, rows, &first_id))
		return -1;
	if (writer->duplicates > 0 &&
	    ledger_count_duplicates(writer->db, writer->duplicates))
		return -1;
	return forget_keys(writer);
}

/* What is kept back is inserted first. */
static int
finish(struct writer *writer, struct fault *fault)
{
	if (flush(writer, fault))
		return -1;
	return count(writer) ? fail(writer, fault) : 0;
}

/* What fails is nothing: the forwarder looks by itself, too. */
static void
ring(struct writer *writer)
{
	if (writer->bell == -1)
		writer->bell = bell_open(db_place(writer->db)->bell, NULL);
	bell_ring(writer->bell);
}

static void
tell(const struct writer *writer, struct writer_result *result)
{
	result->queued = writer->next_id - writer->first_id;
	result->duplicates = writer->duplicates;
	result->first_id = result->queued == 0 ? -1 : writer->first_id;
	result->last_id = result->queued == 0 ? -1 : writer->next_id - 1;
}

int
writer_commit(
    struct writer *writer, struct writer_result *result, struct fault *fault)
{
	if (!writer->open)
		return fault_set(fault, FAULT_INTERNAL,
		    "there is no round of the writer to commit");
	if (writer->failed) {
		writer_abandon(writer);
		return fail_again(writer, fault);
	}
	if (finish(writer, fault)) {
		writer_abandon(writer);
		return -1;
	}
	writer->open = false;
	if (db_commit(writer->db)) {
		resolver_forget(
		    writer->resolver); /* its ids may be given again */
		return fail(writer, fault);
	}
	tell(writer, result);
	if (result->queued > 0)
		ring(writer);
	return 0;
}

void
writer_abandon(struct writer *writer)
{
	if (!writer->open)
		return;
	writer->open = false;
	db_rollback(writer->db);
	resolver_forget(writer->resolver); /* its ids may be given again */
}
