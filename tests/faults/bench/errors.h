#ifndef BENCH_ERRORS_H
#define BENCH_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim.h"

/*
 * Errors of the file system, put into the calls of the shim: into one, into
 * every one from there on, or into some of those, as far as such a call can
 * fail that way.
 */

enum error_kind {
	ERROR_IO,    /* EIO */
	ERROR_SPACE, /* ENOSPC, nothing done */
	ERROR_SHORT, /* ENOSPC, after half of a write */
	ERROR_KINDS
};

struct errors {
	enum error_kind kind;
	int64_t at; /* the call, from 1; 0: none */
	bool for_ever;
	int one_in;      /* 0: all of them */
	uint64_t chance; /* which */
	int64_t calls, fired;
	enum shim_call first; /* the call that failed first */
	enum shim_call *log;  /* what the calls were, from 0, if at is 0; */
	int64_t log_room;     /* or NULL */
};

/** For shim_hook(); the cookie is the struct errors. */
int errors_before(void *errors, struct shim_event *event);
/** Whether such a call can fail that way. */
bool errors_can(enum error_kind kind, enum shim_call call);
const char *error_kind_name(enum error_kind kind);

#endif
