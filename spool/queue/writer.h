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
 * used in rounds: begin, any number of adds, commit (or abandon).
 * Keeps a bounded cache of series; memory does not grow with the rows.
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
void writer_free(struct writer *writer);

/** Enter the gate, make H3's checkpoint, see whether the bounds allow more
 * (FAULT_QUEUE_FULL), begin.  0 or -1 with ${fault}. */
int writer_begin(struct writer *writer, struct fault *fault);
/**
 * writer_add(writer, entry, wire, now_ms, id, fault):
 * Queue one checked and rendered entry in the open round.  A known key queues nothing: 1 is
 * returned, with the first id; 0 queued, -1 failed.
 */
int writer_add(struct writer *writer, const struct entry *entry,
    const struct entry_wire *wire, int64_t now_ms, int64_t *id,
    struct fault *fault);
/** Commit; then ring the bell.  0 or -1; on -1 nothing was stored, unless the
 * fault is FAULT_OUTCOME_UNKNOWN. */
int writer_commit(struct writer *writer, struct writer_result *result,
    struct fault *fault);
void writer_abandon(struct writer *writer);

/*
 * For stage.c: series are resolved once, rows then carry numbers only.
 */
int writer_intern(struct writer *writer, const char *ns, const char *region,
    const char *account, const char *metric, const char *dimensions,
    const char *wire, size_t wire_len, int64_t *lane_id, int64_t *series_id,
    struct fault *fault);
int writer_add_interned(struct writer *writer, int64_t lane_id,
    int64_t series_id, const char *value, size_t value_len,
    int64_t accepted_at, int64_t observed_at, int64_t expires_at,
    struct fault *fault);

#endif
