#include "dead_pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "queue/deadletter.h"
#include "lines.h"

/* Groups that are told one by one. */
#define GROUPS_TOLD 20

static bool
belongs(const struct dead_pick_group *group, const struct deadletter_row *row)
{
	return group->lane_id == row->lane_id && group->code == row->code &&
	    (row->code >= 0 || group->http_status == row->http_status) &&
	    strcmp(group->metric, row->metric) == 0;
}

static int
add_group(struct dead_pick *pick, const struct deadletter_row *row)
{
	struct dead_pick_group *groups;
	size_t size = pick->group_size * 2 + 16;

	if (pick->group_count == pick->group_size) {
		groups = realloc(pick->groups, size * sizeof(*groups));
		if (groups == NULL)
			return -1;
		pick->groups = groups;
		pick->group_size = size;
	}
	groups = &pick->groups[pick->group_count];
	*groups = (struct dead_pick_group){ .lane_id = row->lane_id,
		.code = row->code,
		.http_status = row->http_status,
		.ns = strdup(row->ns),
		.region = strdup(row->region),
		.account = strdup(row->account),
		.metric = strdup(row->metric) };
	pick->group_count++;
	return groups->ns == NULL || groups->region == NULL ||
		groups->account == NULL || groups->metric == NULL
	    ? -1
	    : 0;
}

/* The group of ${row}, looked for from the one of the row before: rows that
 * died alike come in runs.  -1 when memory is short. */
static ptrdiff_t
find_group(struct dead_pick *pick, const struct deadletter_row *row)
{
	size_t i, at = 0;

	if (pick->count > 0)
		at = pick->groups_of[pick->count - 1];
	for (i = 0; i < pick->group_count; i++, at++) {
		if (at >= pick->group_count)
			at = 0;
		if (belongs(&pick->groups[at], row))
			return (ptrdiff_t)at;
	}
	if (add_group(pick, row))
		return -1;
	return (ptrdiff_t)pick->group_count - 1;
}

static int
make_room(struct dead_pick *pick)
{
	size_t size = pick->size * 2 + 256, *groups_of;
	int64_t *ids;

	if (pick->count < pick->size)
		return 0;
	if ((ids = realloc(pick->ids, size * sizeof(*ids))) == NULL)
		return -1;
	pick->ids = ids;
	groups_of = realloc(pick->groups_of, size * sizeof(*groups_of));
	if (groups_of == NULL)
		return -1;
	pick->groups_of = groups_of;
	pick->size = size;
	return 0;
}

int
dead_pick_add(struct dead_pick *pick, const struct deadletter_row *row)
{
	ptrdiff_t group;

	if (make_room(pick) || (group = find_group(pick, row)) == -1)
		return -1;
	if (pick->count == 0)
		pick->oldest_at = pick->newest_at = row->accepted_at;
	if (row->accepted_at < pick->oldest_at)
		pick->oldest_at = row->accepted_at;
	if (row->accepted_at > pick->newest_at)
		pick->newest_at = row->accepted_at;
	pick->ids[pick->count] = row->id;
	pick->groups_of[pick->count] = (size_t)group;
	pick->count++;
	pick->groups[group].rows++;
	return 0;
}

void
dead_pick_free(struct dead_pick *pick)
{
	size_t i;

	for (i = 0; i < pick->group_count; i++) {
		free(pick->groups[i].ns);
		free(pick->groups[i].region);
		free(pick->groups[i].account);
		free(pick->groups[i].metric);
	}
	free(pick->groups);
	free(pick->groups_of);
	free(pick->ids);
}

static void
describe(const struct dead_pick_group *group, struct text *text)
{
	char rows[NUMBER_TEXT_SIZE];

	text_addf(text, "  %9s  %-8s ", number_print_grouped(rows, group->rows),
	    lines_code(group->code, group->http_status));
	text_add_escaped(text, group->ns, strlen(group->ns));
	if (group->region[0] != '\0') {
		text_addc(text, '/');
		text_add_escaped(text, group->region, strlen(group->region));
	}
	text_adds(text, "  ");
	text_add_escaped(text, group->metric, strlen(group->metric));
	text_addc(text, '\n');
}

static int
by_rows(const void *left, const void *right)
{
	const struct dead_pick_group *const *a = left, *const *b = right;

	if ((*a)->rows != (*b)->rows)
		return (*a)->rows < (*b)->rows ? 1 : -1;
	return *a < *b ? -1 : *a > *b;
}

void
dead_pick_describe(const struct dead_pick *pick, struct text *text)
{
	const struct dead_pick_group **sorted;
	char rest[NUMBER_TEXT_SIZE];
	size_t i;

	sorted = calloc(pick->group_count + 1, sizeof(*sorted));
	if (sorted == NULL)
		return;
	for (i = 0; i < pick->group_count; i++)
		sorted[i] = &pick->groups[i];
	qsort(sorted, pick->group_count, sizeof(*sorted), by_rows);
	for (i = 0; i < pick->group_count && i < GROUPS_TOLD; i++)
		describe(sorted[i], text);
	if (pick->group_count > GROUPS_TOLD)
		text_addf(text, "  and %s more groups\n",
		    number_print_grouped(
			rest, (int64_t)(pick->group_count - GROUPS_TOLD)));
	free(sorted);
}
