#ifndef CLI_LANES_H
#define CLI_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/lane.h"

struct db;
struct fault;
struct text;

/** All lanes of a queue, in id order. */
struct lanes {
	struct lane_row *rows;
	size_t count;
};

/** Read them.  0, or -1 with ${fault}. */
int lanes_read(struct lanes *lanes, struct db *db, struct fault *fault);
void lanes_free(struct lanes *lanes);

/** Add "cvm/gz/default", escaped; "-" is the empty region. */
void lanes_add_name(struct text *text, const struct lane_row *lane);
/** Add the members that status tells of a lane, bracket left open. */
void lanes_add_json(
    struct text *text, const struct lane_row *lane, int64_t now_ms);

/** A lane as people write it: NAMESPACE[/REGION[/ACCOUNT]], globs; missing parts
 * match all, "-" is the empty region. */
struct lane_pattern {
	char ns[LANE_TEXT], region[LANE_TEXT], account[LANE_TEXT];
	int parts; /* how many were given */
};

/** Read ${word}.  0, or -1 with ${fault} (FAULT_USAGE). */
int lanes_pattern(
    struct lane_pattern *pattern, const char *word, struct fault *fault);
bool lanes_match(
    const struct lane_pattern *pattern, const struct lane_row *lane);
/** Whether it can only be one lane: three parts without globs. */
bool lanes_exact(const struct lane_pattern *pattern);

#endif
