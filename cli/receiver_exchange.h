#ifndef RECEIVER_EXCHANGE_H
#define RECEIVER_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "base/fault.h"
#include "receiver_outcome.h"
#include "receiver_record.h"

/** What requests are decided by and written to; all borrowed. */
struct exchange_setup {
	struct rules *rules;
	struct mishaps *mishaps;
	struct record *record;
	struct totals *totals;
};

/**
 * All requests that are under way, each from its first header to the end of
 * its answer, or of its mishap.
 */
struct exchanges {
	const struct exchange_setup *setup;
	struct exchange *suspended;
	int64_t gone_check_ms;
	bool failed; /* one could not be recorded: none is answered any more */
	struct fault fault;
};

/** The callbacks for libmicrohttpd; ${cookie} is the struct exchanges. */
void *exchange_begin(
    void *cookie, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_go_on(void *cookie, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **slot);
void exchange_end(void *cookie, struct MHD_Connection *connection, void **slot,
    enum MHD_RequestTerminationCode code);

/** Let those go on whose time has come, or whose client has gone. */
void exchanges_resume_due(struct exchanges *all);

/** How long to wait for the next of those, at most ${most_ms}. */
int64_t exchanges_wait_ms(const struct exchanges *all, int64_t most_ms);

/** Let all that are suspended end without an answer. */
void exchanges_drop(struct exchanges *all);

#endif
