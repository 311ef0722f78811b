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
	int64_t
	    until_idle_ms; /* CORE_RUN: end after this without work; 0: never */
	struct core_bounds bounds;
	double rate; /* requests a second, at most; 0: as configured */
	int verbose; /* -v: +1, -q: -1 */
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

/** A request as --print shows it: SecretId and Signature are masked. */
struct forwarder_preview {
	const char *ns, *region, *account, *method, *url, *body;
	size_t rows, bytes;
};
typedef void forwarder_show(
    void *cookie, const struct forwarder_preview *preview);

/**
 * forwarder_print(options, show, cookie, fault):
 * Show the next requests, one or more a lane that has rows and may send now,
 * back-off forgotten.  Takes no lock, sends and changes nothing.  0, or -1
 * with ${fault}.
 */
int forwarder_print(const struct forwarder_options *options,
    forwarder_show *show, void *cookie, struct fault *fault);

#endif
