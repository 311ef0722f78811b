#ifndef CLI_SHOW_ROW_H
#define CLI_SHOW_ROW_H

#include <stdint.h>

struct cli;
struct db;
struct deadletter_row;
struct fault;
struct pending_row;
struct text;

/** Where a row with all that is known of it is written. */
struct show {
	const struct cli *cli;
	struct db *db;
	struct text *text;
	int64_t now_ms;
	struct fault *fault; /* why a call returned -1 */
};

/** Add a row, its attempts and edits; as JSON the bracket is left open.  0 or
 * -1. */
int show_pending(struct show *show, const struct pending_row *row);
int show_dead(struct show *show, const struct deadletter_row *row);

#endif
