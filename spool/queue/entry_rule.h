#ifndef QUEUE_ENTRY_RULE_H
#define QUEUE_ENTRY_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

/** What one text of an entry has to be. */
struct entry_rule {
	const char *field; /* in faults */
	const char *noun;  /* in messages */
	enum fault_kind kind;
	bool may_be_empty;
	int64_t most;    /* bytes, 0: any */
	const char *key; /* of [checks], for the hint; NULL: no setting */
	const char *set; /* what set_holds() is, for people; NULL: any */
	bool (*set_holds)(unsigned char c);
};

/** Whether ${string} keeps ${rule}; NULL is missing.  0, or -1 with ${fault}:
 * the offender escaped, where it stands, and the cure. */
int entry_rule_check(
    const char *string, const struct entry_rule *rule, struct fault *fault);

#endif
