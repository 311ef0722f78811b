#ifndef QUEUE_WRITER_H
#define QUEUE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct db;
struct entry;
struct entry_wire;
struct fault;

/*
 * The one road into the queue, for the programs and the C API.  A writer is
 * used in rounds: begin, any number of adds, commit (or abandon).  It keeps a
 * bounded memo of series, so memory does not grow with the rows; the memo is
 * dropped when another connection changed the queue.  One writer a connection,
 * and none on a connection that collects series.
 */
struct writer;

struct writer_result {
	int64_t queued, duplicates;
	int64_t first_id, last_id; /* -1 when nothing was queued */
};

/** ${db} and ${config} (from setting_load()) stay the caller's and must
 * outlive the writer.  NULL with ${fault}. */
struct writer *writer_new(
    struct db *db, const struct config *config, struct fault *fault);
/** An open round is abandoned. */
void writer_free(struct writer *writer);

/**
 * writer_begin(writer, fault):
 * Enter the gate, make H3's checkpoint, see whether the bounds allow more
 * (FAULT_QUEUE_FULL), begin.  A gap that H9 finds is recorded here.  0 or -1
 * with ${fault}; then no round is open.
 */
int writer_begin(struct writer *writer, struct fault *fault);
/** In the open round: whether ${bytes} more fit the bound of the queue
 * (FAULT_QUEUE_FULL) and the disk, ballast included (FAULT_DISK_FULL).  Under
 * drop-oldest room is made as rows come, and only what would not even fit an
 * empty queue is refused.  0 or -1. */
int writer_reserve(struct writer *writer, int64_t bytes, struct fault *fault);
/**
 * writer_add(writer, entry, wire, now_ms, id, fault):
 * Queue one checked and rendered entry in the open round.  0 queued, with its
 * ${id}; a known key queues nothing: 1, with the id it was given first; -1
 * failed, and the round can only be abandoned.
 */
int writer_add(struct writer *writer, const struct entry *entry,
    const struct entry_wire *wire, int64_t now_ms, int64_t *id,
    struct fault *fault);
/** Commit; then ring the bell.  0 or -1; on -1 nothing was stored, unless the
 * fault is FAULT_OUTCOME_UNKNOWN. The round is over either way; the fault of
 * one that had failed before is told again. */
int writer_commit(
    struct writer *writer, struct writer_result *result, struct fault *fault);
/** Undo the open round; without one nothing. */
void writer_abandon(struct writer *writer);

/*
 * For stage.c: series are resolved once, rows then carry numbers only.
 */

/** What names a series, and its wire text. */
struct writer_series {
	const char *ns, *region, *account, *metric, *dimensions, *wire;
	size_t wire_len;
};
int writer_intern(struct writer *writer, const struct writer_series *series,
    int64_t *lane_id, int64_t *series_id, struct fault *fault);
/** Changes when ids that writer_intern() gave are no longer right: another
 * connection wrote, or a round was undone.  To be asked in the open round. */
uint64_t writer_epoch(const struct writer *writer);
/** Take ${key} for the row that is added next: 0; 1 if it is known, counted
 * as a duplicate, with the ${id} it was given; -1. */
int writer_take_key(struct writer *writer, const char *key, int64_t now_ms,
    int64_t *id, struct fault *fault);
/** ${rows} more are not queued, since the key they go by is known. */
void writer_count_duplicates(struct writer *writer, int64_t rows);

/** A row of a series that writer_intern() resolved. */
struct writer_row {
	int64_t lane_id, series_id;
	const char *value;
	size_t value_len; /* below NUMBER_TEXT_SIZE */
	int64_t accepted_at, observed_at, expires_at; /* -1: not told */
};
int writer_add_interned(struct writer *writer, const struct writer_row *row,
    int64_t *id, struct fault *fault);

#endif
