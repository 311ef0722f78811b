#ifndef QUEUE_STAGE_H
#define QUEUE_STAGE_H

#include <stddef.h>
#include <stdint.h>

struct entry;
struct entry_wire;
struct fault;
struct writer;
struct writer_result;

/*
 * Where an atomic put keeps its input until all of it is read and checked:
 * compact records in a buffer, spilled to an unnamed file in ${dir} (O_TMPFILE,
 * or created 0600 and unlinked) once it is large.  A series' text is written
 * once per slot of a bounded memo, so memory stays flat whatever the input.
 */
struct stage;

struct stage *stage_new(const char *dir, struct fault *fault);
void stage_free(struct stage *stage);
/** Forget all rows, and the key; the memory is kept.  0 or -1. */
int stage_clear(struct stage *stage, struct fault *fault);
/** Queue nothing of it where ${key} (copied) is known.  0 or -1. */
int stage_set_key(struct stage *stage, const char *key, struct fault *fault);
/** Append one checked and rendered entry.  0 or -1 (disk full, ...). */
int stage_add(struct stage *stage, const struct entry *entry,
    const struct entry_wire *wire, struct fault *fault);
/** Rows staged so far; bytes they take. */
int64_t stage_rows(const struct stage *stage);
int64_t stage_bytes(const struct stage *stage);
/** Queue everything in one transaction of ${writer}, begin and commit
 * included; a large stage looks first whether the disk has room for it (H7).
 * 0 or -1; then nothing was stored (save FAULT_OUTCOME_UNKNOWN).  The stage is
 * used up, until it is cleared. */
int stage_commit(struct stage *stage, struct writer *writer, int64_t now_ms,
    struct writer_result *result, struct fault *fault);

#endif
