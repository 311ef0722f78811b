#ifndef FORWARD_FORWARDER_H
#define FORWARD_FORWARDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core.h"

struct fault;

struct forwarder_options {
	const char *config_file; /* --config, or NULL */
	const char *queue;       /* -Q, or NULL */
	enum core_mode mode;
	int64_t drain_ms; /* CORE_DRAIN: give up after this; 0: never */
	int verbose;      /* -v: +1, -q: -1 */
};

/**
 * forwarder_run(options, fault):
 * The process around a core: lock, bell, poll, signals, housekeeping, one libev loop.  Return the exit
 * code; where it is a failure to start, ${fault} says why.
 */
int forwarder_run(const struct forwarder_options *options, struct fault *fault);

#endif
