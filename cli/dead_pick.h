#ifndef CLI_DEAD_PICK_H
#define CLI_DEAD_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadletter_row;
struct text;

/** Rows that go together: they died alike. */
struct dead_pick_group {
	int64_t lane_id, code, http_status;
	char *ns, *region, *account, *metric;
	int64_t rows;
};

/** The rows a command is about, by ids, as they were chosen. */
struct dead_pick {
	int64_t *ids;
	size_t *groups_of; /* the group of each */
	size_t count, size;
	struct dead_pick_group *groups;
	size_t group_count, group_size;
	int64_t oldest_at, newest_at; /* accepted; -1: none */
};

/** Add a row.  0, or -1 when memory is short. */
int dead_pick_add(struct dead_pick *pick, const struct deadletter_row *row);
void dead_pick_free(struct dead_pick *pick);

/** The plan's lines, largest group first, for people. */
void dead_pick_describe(const struct dead_pick *pick, struct text *text);

#endif
