#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A VFS between SQLite and the true one: each call is shown to two hooks, of
 * which the first may let it fail and the second sees what came of it.
 */

enum shim_call {
	SHIM_OPEN,
	SHIM_DELETE,
	SHIM_ACCESS,
	SHIM_FULLPATH,
	SHIM_READ,
	SHIM_WRITE,
	SHIM_TRUNCATE,
	SHIM_SYNC,
	SHIM_SIZE,
	SHIM_LOCK,
	SHIM_UNLOCK, /* done in any case, whatever the hook says */
	SHIM_SHM_MAP,
	SHIM_SHM_LOCK,
	SHIM_CALLS
};

struct shim_event {
	enum shim_call call;
	const char *path; /* NULL: a temporary file */
	bool wal;
	const void *data; /* of a write */
	int64_t offset;   /* of a read or write; new size of a truncate */
	int64_t len;      /* of a read or write */
	int64_t done;     /* of a write that fails: bytes of it done before */
};

/** Before the call: SQLITE_OK lets it be made, anything else is its answer. */
typedef int shim_before(void *cookie, struct shim_event *event);
/** After a call that was made and did not fail. */
typedef void shim_after(void *cookie, const struct shim_event *event);

/** Make the shim the default VFS. */
void shim_install(void);
/** Show calls to these from now on; NULL: to nobody. */
void shim_hook(shim_before *before, shim_after *after, void *cookie);
/** What the system's error of a failed call is said to have been. */
void shim_set_errno(int error);
const char *shim_call_name(enum shim_call call);

#endif
