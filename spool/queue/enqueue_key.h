#ifndef QUEUE_ENQUEUE_KEY_H
#define QUEUE_ENQUEUE_KEY_H

#include <stdint.h>

struct db;

/** Room for any key, NUL included. */
#define ENQUEUE_KEY_SIZE 513

/** Whether ${key} is known at ${now_ms}: 1, with the ${id} it was given; 0;
 * -1 failed. */
int enqueue_key_find(
    struct db *db, const char *key, int64_t now_ms, int64_t *id);

/** Remember that ${key} was given ${id}; in the caller's bracket.  0 or -1. */
int enqueue_key_add(
    struct db *db, const char *key, int64_t id, int64_t expires_at);

/** Remove ${key}; in the caller's bracket.  0 or -1. */
int enqueue_key_remove(struct db *db, const char *key);

/** The key after ${key}, if it begins with ${prefix}, into ${key}: 1; 0 there
 * is none; -1 failed. */
int enqueue_key_next(
    struct db *db, const char *prefix, char key[ENQUEUE_KEY_SIZE]);

/** Remove up to ${most} keys that have expired; in the caller's bracket.  0 or
 * -1. */
int enqueue_key_forget(struct db *db, int64_t now_ms, int64_t most);

/** enqueue_key_collect(db, now_ms, most):
 * The same in a bracket of its own, which is not opened where none has expired.
 * Return how many were removed, or -1. */
int64_t enqueue_key_collect(struct db *db, int64_t now_ms, int64_t most);

#endif
