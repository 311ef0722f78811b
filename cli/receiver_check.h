#ifndef RECEIVER_CHECK_H
#define RECEIVER_CHECK_H

#include <stdint.h>

#include "receiver_known.h"
#include "receiver_pace.h"
#include "receiver_sign.h"

/** What a request must satisfy.  A bound of 0 is none. */
struct rules {
	const char *path;
	int64_t max_body, max_name; /* bytes */
	int64_t skew_ms;
	int64_t clock_offset_ms; /* of our clock */
	struct credentials credentials;
	struct known known;
	struct pace pace;
};

/** Bodies beyond this many bytes are not kept; they are too long under any
 * rules. */
#define CHECK_LONGEST_BODY (64 * 1024 * 1024)

/**
 * check_request(rules, request):
 * Return the code of the first check that ${request} fails, in the order of
 * interface.md section 4, or CODE_OK.  Takes from the pace what the checks of
 * 1006 and 1018 let pass.
 */
int check_request(struct rules *rules, const struct request *request);

#endif
