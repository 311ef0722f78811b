#ifndef MONSPOOL_H
#define MONSPOOL_H

/*
 * monspool: put metrics into a queue on this machine's disk, from which
 * monspoold sends them to PutMonitorData.  A put needs no network, no key and
 * no running program: nothing but the disk.
 *
 * The library prints nothing, never exits, and sets no signals, locale or
 * atexit handlers.  Strings are UTF-8, NUL-terminated, and copied.  Link with
 * -lmonspool (pkg-config monspool).
 *
 * Threads: a handle may be shared; there is one mutex inside.  One handle for
 * each thread is fastest.  Not from signal handlers.
 * Fork: in a child every call on an inherited handle returns MSP_E_FORKED, and
 * msp_close() only frees memory.  Open anew there.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MSP_API __attribute__((visibility("default")))
#else
#define MSP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MSP_VERSION_NUMBER 0x000100 /* 0.1.0: 0xMMmmpp */

/** The version of the library that runs. */
MSP_API unsigned msp_version_number(void);
MSP_API const char *msp_version_string(void);

/** Whether the library that runs is new enough for this header: 1 or 0. */
static inline int
msp_check_version(void)
{
	return msp_version_number() >= MSP_VERSION_NUMBER;
}

typedef enum {
	MSP_OK = 0,
	MSP_DUPLICATE = 1, /* the key is known: nothing queued, no error */

	/* A metric is not acceptable; msp_error.field says where.  Correct it;
	 * to repeat it is useless. */
	MSP_E_INVALID = -1,
	/* Others wrote for longer than busy_timeout_ms.  Repeat. */
	MSP_E_BUSY = -2,
	/* The queue has reached its queue.max_size.  Repeat later. */
	MSP_E_FULL = -3,
	/* The disk is full or fails; sqlite_code and sys_errno tell more. */
	MSP_E_IO = -4,
	/* The queue is damaged: monspool audit --deep. */
	MSP_E_CORRUPT = -5,
	/* No right to write there: join the group of the queue. */
	MSP_E_PERM = -6,
	/* There is no queue: monspool init, or msp_create(). */
	MSP_E_NOTFOUND = -7,
	/* The file is no queue, or a newer monspool's. */
	MSP_E_SCHEMA = -8,
	MSP_E_NOMEM = -9,
	MSP_E_FORKED = -10, /* the handle was opened before a fork() */
	MSP_E_MISUSE = -11, /* a call that the rules below do not allow */
	/* An I/O error while committing: stored or not.  Repeat with the same
	 * key; the handle opens the queue anew by itself. */
	MSP_E_UNKNOWN = -12
} msp_status;

/** A word or two for ${status}; never NULL. */
MSP_API const char *msp_strerror(msp_status status);

/** What went wrong, for people.  The caller's own; NULL is allowed wherever
 * it is taken.  On success status is MSP_OK and all texts are empty. */
typedef struct {
	msp_status status;
	int sqlite_code; /* SQLite's extended result, or 0 */
	int sys_errno;   /* or 0 */
	size_t index;    /* which metric of a batch, from 0 */
	char field[32];  /* "namespace", "metric", "dimensions.KEY", "value",
	                  * "region", "account", "key", ... or "" */
	char message[256];
	char hint[160]; /* what to do, or "" */
} msp_error;

typedef struct msp_queue msp_queue; /* opaque */

typedef struct {
	size_t struct_size;
	const char *path; /* of the queue file; must be given */
	/* How long to wait for other writers, milliseconds; 0: not at all. */
	unsigned busy_timeout_ms;
	unsigned flags; /* 0 */
} msp_open_opts;
#ifdef __cplusplus
#define MSP_OPEN_OPTS_INIT \
	{ \
		sizeof(msp_open_opts), NULL, 5000, 0 \
	}
#else
#define MSP_OPEN_OPTS_INIT \
	{ \
		.struct_size = sizeof(msp_open_opts), .busy_timeout_ms = 5000 \
	}
#endif

/** Make a queue as monspool init does.  On an existing one MSP_OK; its rows
 * stay.  MSP_E_IO where it cannot be made, MSP_E_SCHEMA on a foreign file. */
MSP_API msp_status msp_create(const msp_open_opts *opts, msp_error *error);

/** Open a queue; never creates one (MSP_E_NOTFOUND).  ${queue} becomes NULL on
 * failure.  The handle stands for the path: a call (or msp_begin()) that finds
 * another file there goes on with that one, or fails as msp_open() would. */
MSP_API msp_status msp_open(
    const msp_open_opts *opts, msp_queue **queue, msp_error *error);

/** Close it; NULL is allowed.  An open transaction is rolled back.  No other
 * thread may be in a call on it. */
MSP_API void msp_close(msp_queue *queue);

typedef struct {
	const char *key, *value;
} msp_dim;

/*
 * One metric.  Texts are valid UTF-8 without control characters.  The limits
 * are those of the queue's [checks]; the built-in ones, which are documented
 * by the API where not marked, are:
 *   ns       1 to 32 bytes, letters, digits and _
 *   metric   1 to 64 bytes (inferred), letters, digits and _
 *   dims     at most 5; keys 1 to 64 bytes (inferred), none twice; values up
 *            to 256 bytes (inferred)
 *   value    finite: NaN and infinities are MSP_E_INVALID, field "value"
 *   region   NULL or "": that of the account when it is sent; else 1 to 32 of
 *            a-z, 0-9 and -
 *   account  NULL: "default"; else 1 to 127 bytes: who will sign
 *   key      NULL: none; else 1 to 512 bytes: put again within the queue's
 *            key_memory (7 days) the metric is not queued: MSP_DUPLICATE
 * All together take at most 16 KiB on the wire.
 */
typedef struct {
	size_t struct_size;
	const char *ns, *metric;
	const msp_dim *dims;
	size_t ndims;
	double value;
	const char *region, *account, *key;
	int64_t observed_unix_ms; /* when it was measured: kept, not sent; 0:
	                           * not told */
	uint32_t max_age_s;       /* expire if unsent after that; 0: never */
} msp_metric;
#ifdef __cplusplus
#define MSP_METRIC_INIT \
	{ \
		sizeof(msp_metric), NULL, NULL, NULL, 0, 0.0, NULL, NULL, \
		    NULL, 0, 0 \
	}
#else
#define MSP_METRIC_INIT \
	{ \
		.struct_size = sizeof(msp_metric) \
	}
#endif

enum {
	MSP_ATOMIC = 0,  /* all metrics of the batch or none */
	MSP_SKIP_BAD = 1 /* leave out those that are MSP_E_INVALID */
};

/**
 * msp_put(queue, metric, id, error):
 * Queue one metric.  On MSP_OK it is committed and synced to disk (within
 * msp_begin() … msp_commit(): once the latter returned MSP_OK) and ${id}, if
 * not NULL, is its number in the queue.  On MSP_DUPLICATE ${id} is that of the
 * first time.  Any other answer but MSP_E_UNKNOWN means that nothing was
 * stored.
 */
MSP_API msp_status msp_put(
    msp_queue *queue, const msp_metric *metric, int64_t *id, msp_error *error);

/**
 * msp_put_batch(queue, metrics, n, flags, each, error):
 * Queue ${n} metrics in one transaction.  ${metrics} is an array stepped by
 * the struct_size of its first.  ${each}, which may be NULL with MSP_ATOMIC,
 * has room for ${n} and becomes what each metric by itself is: MSP_OK,
 * MSP_DUPLICATE or MSP_E_INVALID; where the call fails for another reason, all
 * but the invalid become what it returns.
 * MSP_ATOMIC: if one is invalid nothing is queued, and ${error} names the
 * first of them.  MSP_SKIP_BAD: MSP_OK if all others are stored; ${error}
 * still names the first invalid one.
 */
MSP_API msp_status msp_put_batch(msp_queue *queue, const msp_metric *metrics,
    size_t n, unsigned flags, msp_status *each, msp_error *error);

/** Check ${metric} against the built-in limits; needs no queue.  MSP_OK,
 * MSP_E_INVALID, MSP_E_NOMEM or MSP_E_MISUSE. */
MSP_API msp_status msp_validate(const msp_metric *metric, msp_error *error);

/*
 * A transaction: the puts between become durable together at commit, not
 * before.  It belongs to the thread that began it; others wait on the handle,
 * and all other writers of the queue wait, too, so keep it short.  After a put
 * that failed otherwise than by MSP_E_INVALID only msp_rollback() is left, and
 * msp_commit(), which undoes as well, returns that failure again.
 * MSP_E_UNKNOWN of msp_commit() ends the transaction, too; asked again, both
 * return it again until the next msp_begin().
 * While a thread holds one, its put on another handle of the same queue ends
 * in MSP_E_BUSY.
 */
MSP_API msp_status msp_begin(msp_queue *queue, msp_error *error);
MSP_API msp_status msp_commit(msp_queue *queue, msp_error *error);
MSP_API msp_status msp_rollback(msp_queue *queue, msp_error *error);

typedef struct {
	size_t struct_size; /* set by the caller */
	int64_t accepted;   /* ever put */
	int64_t pending;    /* will go */
	int64_t held;       /* pending, but paused */
	int64_t dead;       /* refused, set aside */
	int64_t late;       /* pending longer than the queue's late.after */
	int64_t oldest_pending_age_s; /* 0 when nothing waits */
	int64_t db_bytes;             /* of the queue and its log */
} msp_stats;
#ifdef __cplusplus
#define MSP_STATS_INIT \
	{ \
		sizeof(msp_stats), 0, 0, 0, 0, 0, 0, 0 \
	}
#else
#define MSP_STATS_INIT \
	{ \
		.struct_size = sizeof(msp_stats) \
	}
#endif
MSP_API msp_status msp_stats_get(
    msp_queue *queue, msp_stats *stats, msp_error *error);

/*
 * The outbox: metrics in YOUR SQLite database, in YOUR transaction, so that
 * they commit or roll back with your data.  monspoold fetches them from there
 * when its configuration names the file:
 *   [outbox "shop"]
 *   path = /var/lib/shop/shop.db
 * As durable as your PRAGMA synchronous.  A metric counts as accepted once it
 * is in the queue; until then it is a row of monspool_outbox, and should the
 * queue's [checks] refuse it, its column "error" says why and it stays there.
 * The sqlite3 * must come from the libsqlite3 that this library is linked
 * with.  ATTACH of the queue is no substitute: it is not atomic in WAL mode.
 */
struct sqlite3;

/**
 * msp_install(database, error):
 * Make the tables monspool_outbox and monspool_outbox_meta in the main
 * database of ${database}; a second time does nothing.  Inside your
 * transaction, or by itself when none is open.  application_id, user_version
 * and journal mode stay as they are.  MSP_E_SCHEMA: another table has such a
 * name.
 */
MSP_API msp_status msp_install(struct sqlite3 *database, msp_error *error);

/**
 * msp_put_on(database, metric, outbox_id, error):
 * Check ${metric} against the built-in limits and insert one row into
 * monspool_outbox; ${outbox_id}, if not NULL, becomes its id there.  It is not
 * in the queue yet, so a known key is noticed later.  MSP_E_NOTFOUND: the
 * tables are not there.
 */
MSP_API msp_status msp_put_on(struct sqlite3 *database,
    const msp_metric *metric, int64_t *outbox_id, msp_error *error);

/** Optional, after your COMMIT: ring the forwarder of the queue at
 * ${queue_path}, which otherwise looks by itself every second.  Never fails,
 * never waits. */
MSP_API void msp_wake(const char *queue_path);

#ifdef __cplusplus
}
#endif

#endif
