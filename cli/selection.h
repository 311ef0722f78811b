#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include <stddef.h>
#include <stdint.h>

struct fault;

/** Ids that were named: one by one or as ranges. */
struct selection {
	struct selection_range {
		int64_t first, last;
	} * ranges;
	size_t count;
};

/** Read "17", "104-120" and "-" (ids, or objects with an id, one a line on
 * standard input) from ${words}.  0, or -1 with ${fault}. */
int selection_read(
    struct selection *selection, char **words, int count, struct fault *fault);
void selection_free(struct selection *selection);

#endif
