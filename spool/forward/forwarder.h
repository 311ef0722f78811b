#ifndef FORWARD_FORWARDER_H
#define FORWARD_FORWARDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "core.h"

struct fault;

struct forwarder_options {
	const char *config_file; /* --config, or NULL */
	const char *queue;       /* -Q, or NULL */
	enum core_mode mode;
	int64_t drain_ms; /* CORE_DRAIN: give up after this; 0: never */
	int verbose;      /* -v: +1, -q: -1 */
	enum log_form log_form;
};

/** Keep the process from being looked into: no core files, no ptrace by
 * others, nothing created is for everybody.  Before a key is read. */
void forwarder_harden(void);

/**
 * forwarder_run(options, fault):
 * The process around a core: lock, bell, poll, signals, housekeeping, one
 * libev loop; logs on descriptor 2.  Return the exit code; where it is not 0, ${fault} says
 * why: it could not start, or --once or --drain left rows.
 */
int forwarder_run(const struct forwarder_options *options, struct fault *fault);

#endif
