#include "influx_map.h"

#include <string.h>

#include "base/fault.h"
#include "base/text.h"

static const char TARGET[] = "metric=";
static const char MEASUREMENT[] = "{measurement}";
static const char FIELD[] = "{field}";

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The first brace of ${at} that begins or ends no placeholder; or NULL. */
static const char *
find_odd_brace(const char *at)
{
	while ((at = strpbrk(at, "{}")) != NULL) {
		if (begins(at, MEASUREMENT))
			at += strlen(MEASUREMENT);
		else if (begins(at, FIELD))
			at += strlen(FIELD);
		else
			return at;
	}
	return NULL;
}

int
influx_map_check(const char *map, struct fault *fault)
{
	if (begins(map, TARGET) && map[strlen(TARGET)] != '\0' &&
	    find_odd_brace(map + strlen(TARGET)) == NULL)
		return 0;
	fault_set(fault, FAULT_USAGE,
	    "--map takes metric=TEXT with {measurement} and {field} in it");
	fault_hint(fault, "--map '%s'", INFLUX_MAP);
	fault_field(fault, "map");
	return -1;
}

void
influx_map_apply(const char *map, const char *measurement, const char *field,
    struct text *metric)
{
	const char *at = map + strlen(TARGET);

	text_clear(metric);
	while (*at != '\0') {
		if (begins(at, MEASUREMENT)) {
			text_adds(metric, measurement);
			at += strlen(MEASUREMENT);
		} else if (begins(at, FIELD)) {
			text_adds(metric, field);
			at += strlen(FIELD);
		} else
			text_addc(metric, *at++);
	}
}
