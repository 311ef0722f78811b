#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "queue/db.h"
#include "jsonline.h"

#define LANES_A_PAGE 32

static int
add_page(struct lanes *lanes, const struct lane_row *page, int count)
{
	size_t total = lanes->count + (size_t)count;
	struct lane_row *rows = realloc(lanes->rows, total * sizeof(*rows));

	if (rows == NULL)
		return -1;
	memcpy(rows + lanes->count, page, (size_t)count * sizeof(*rows));
	lanes->rows = rows;
	lanes->count = total;
	return 0;
}

int
lanes_read(struct lanes *lanes, struct db *db, struct fault *fault)
{
	static struct lane_row page[LANES_A_PAGE];
	int64_t after = 0;
	int count;

	lanes->count = 0;
	do {
		count = lane_list(db, after, page, LANES_A_PAGE);
		if (count == -1) {
			*fault = *db_fault(db);
			return -1;
		}
		if (count > 0 && add_page(lanes, page, count))
			return fault_set(
			    fault, FAULT_INTERNAL, "out of memory");
		if (count > 0)
			after = page[count - 1].id;
	} while (count == LANES_A_PAGE);
	return 0;
}

void
lanes_free(struct lanes *lanes)
{
	free(lanes->rows);
	*lanes = (struct lanes){ 0 };
}

void
lanes_add_name(struct text *text, const struct lane_row *lane)
{
	const char *region = lane->region[0] != '\0' ? lane->region : "-";

	text_add_escaped(text, lane->ns, strlen(lane->ns));
	text_addc(text, '/');
	text_add_escaped(text, region, strlen(region));
	text_addc(text, '/');
	text_add_escaped(text, lane->account, strlen(lane->account));
}

void
lanes_add_json(struct text *text, const struct lane_row *lane, int64_t now_ms)
{
	bool waits = lane->wake_at >= 0 && lane->state != LANE_READY;
	int64_t left_ms = lane->wake_at - now_ms;

	jsonline_open(text, NULL, '{');
	jsonline_text(text, "namespace", lane->ns);
	jsonline_text(text, "region", lane->region);
	jsonline_text(text, "account", lane->account);
	jsonline_text(text, "state", lane_state_name(lane->state));
	jsonline_int(text, "pending", lane->pending);
	jsonline_text(
	    text, "reason", lane->reason[0] != '\0' ? lane->reason : NULL);
	jsonline_optional(text, "code", lane->code, -1);
	if (waits && left_ms > 0)
		jsonline_int(text, "wake_in_seconds", (left_ms + 999) / 1000);
	else
		jsonline_optional(text, "wake_in_seconds", waits ? 0 : -1, -1);
}

/* One part of a pattern, up to ${end}. */
static int
take_part(char *part, const char *from, const char *end, struct fault *fault)
{
	size_t len = (size_t)(end - from);

	if (len > 0 && len < LANE_TEXT) {
		memcpy(part, from, len);
		part[len] = '\0';
		return 0;
	}
	fault_set(fault, FAULT_USAGE, "no lane is called that");
	fault_hint(fault,
	    "lanes are written NAMESPACE[/REGION[/ACCOUNT]], as in"
	    " cvm/gz/default; - is the empty region");
	return -1;
}

int
lanes_pattern(
    struct lane_pattern *pattern, const char *word, struct fault *fault)
{
	char *const parts[] = { pattern->ns, pattern->region,
		pattern->account };
	const char *end;

	*pattern = (struct lane_pattern){ .ns = "*" };
	do {
		end = pattern->parts == 2 ? NULL : strchr(word, '/');
		if (end == NULL)
			end = word + strlen(word);
		if (take_part(parts[pattern->parts++], word, end, fault))
			return -1;
		word = end + 1;
	} while (*end != '\0');
	if (strcmp(pattern->region, "-") == 0)
		pattern->region[0] = '\0';
	return 0;
}

bool
lanes_match(const struct lane_pattern *pattern, const struct lane_row *lane)
{
	return text_glob(pattern->ns, lane->ns) &&
	    (pattern->parts < 2 || text_glob(pattern->region, lane->region)) &&
	    (pattern->parts < 3 || text_glob(pattern->account, lane->account));
}

bool
lanes_exact(const struct lane_pattern *pattern)
{
	return pattern->parts == 3 && strpbrk(pattern->ns, "*?") == NULL &&
	    strpbrk(pattern->region, "*?") == NULL &&
	    strpbrk(pattern->account, "*?") == NULL;
}
