#include "receiver_mishap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/number.h"
#include "base/span.h"
#include "base/text.h"

/* The longest SPEC that makes sense is far below. */
#define SPEC_SIZE 512

const char *const MISHAP_FORMS[] = { "code=N", "http=N", "refuse",
	"outage=D[/D]", "reset", "hang", "delay=D[..D]", "slow=NB/s",
	"truncate", "garbage", "close-before-reply", NULL };

/* ---- arguments of kinds ---- */

static int
read_code(struct mishap *mishap, char *text)
{
	return number_read_whole(text, 0, 999999, &mishap->least);
}

static int
read_status(struct mishap *mishap, char *text)
{
	return number_read_whole(text, 200, 599, &mishap->least);
}

static int
read_outage(struct mishap *mishap, char *text)
{
	char *slash = strchr(text, '/');

	if (slash != NULL)
		*slash++ = '\0';
	if (span_read_ms(text, &mishap->least) || mishap->least <= 0)
		return -1;
	if (slash == NULL)
		return 0;
	return span_read_ms(slash, &mishap->most) ||
		mishap->most <= mishap->least
	    ? -1
	    : 0;
}

static int
read_delay(struct mishap *mishap, char *text)
{
	return span_read_range_ms(text, &mishap->least, &mishap->most);
}

/* "100B/s", "2K/s": bytes, their unit being optional. */
static int
read_speed(struct mishap *mishap, char *text)
{
	size_t len = strlen(text);

	if (len < 3 || strcmp(text + len - 2, "/s") != 0)
		return -1;
	len -= 2;
	if (text[len - 1] == 'B' && len > 1 && text[len - 2] >= '0' &&
	    text[len - 2] <= '9')
		len--;
	text[len] = '\0';
	if (span_read_bytes(text, &mishap->least))
		return -1;
	return mishap->least > 0 && mishap->least <= 1 << 30 ? 0 : -1;
}

static const struct {
	const char *name;
	int (*read)(struct mishap *mishap, char *text); /* NULL: no argument */
	bool accept;
} KINDS[MISHAP_KINDS] = {
	[MISHAP_CODE] = { "code", read_code, false },
	[MISHAP_HTTP] = { "http", read_status, false },
	[MISHAP_REFUSE] = { "refuse", NULL, false },
	[MISHAP_OUTAGE] = { "outage", read_outage, false },
	[MISHAP_RESET] = { "reset", NULL, false },
	[MISHAP_HANG] = { "hang", NULL, false },
	[MISHAP_DELAY] = { "delay", read_delay, true },
	[MISHAP_SLOW] = { "slow", read_speed, true },
	[MISHAP_TRUNCATE] = { "truncate", NULL, true },
	[MISHAP_GARBAGE] = { "garbage", NULL, true },
	[MISHAP_CLOSE] = { "close-before-reply", NULL, true },
};

/* ---- conditions ---- */

static int
read_p(struct mishap *mishap, const char *text)
{
	if (number_read(text, strlen(text), &mishap->p))
		return -1;
	return mishap->p >= 0.0 && mishap->p <= 1.0 ? 0 : -1;
}

static int
read_every(struct mishap *mishap, const char *text)
{
	return number_read_whole(text, 1, INT64_MAX, &mishap->every);
}

static int
read_after(struct mishap *mishap, const char *text)
{
	return number_read_whole(text, 0, INT64_MAX, &mishap->after);
}

static int
read_count(struct mishap *mishap, const char *text)
{
	return number_read_whole(text, 1, INT64_MAX, &mishap->count);
}

static int
read_glob(char *glob, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= size)
		return -1;
	memcpy(glob, text, len + 1);
	return 0;
}

static int
read_namespace(struct mishap *mishap, const char *text)
{
	return read_glob(mishap->namespace, sizeof(mishap->namespace), text);
}

static int
read_metric(struct mishap *mishap, const char *text)
{
	return read_glob(mishap->metric, sizeof(mishap->metric), text);
}

static int
read_min_rows(struct mishap *mishap, const char *text)
{
	return number_read_whole(text, 1, INT64_MAX, &mishap->min_rows);
}

static int
read_accept(struct mishap *mishap, const char *text)
{
	mishap->accept = true;
	return strcmp(text, "yes") == 0 ? 0 : -1;
}

static int
read_retry_after(struct mishap *mishap, const char *text)
{
	return number_read_whole(text, 0, INT32_MAX, &mishap->retry_after);
}

/* Conditions on requests mean nothing before one is read. */
#define NO_REQUEST_YET (1u << MISHAP_REFUSE | 1u << MISHAP_OUTAGE)

static const struct condition {
	const char *name, *form;
	int (*read)(struct mishap *mishap, const char *text);
	unsigned int not_for; /* bits of kinds */
} CONDITIONS[] = {
	{ "p", "p=0.1: a probability from 0 to 1", read_p, 0 },
	{ "every", "every=N", read_every, 0 },
	{ "after", "after=N", read_after, 0 },
	{ "count", "count=N", read_count, 0 },
	{ "namespace", "namespace=GLOB", read_namespace, NO_REQUEST_YET },
	{ "metric", "metric=GLOB", read_metric, NO_REQUEST_YET },
	{ "min-rows", "min-rows=N", read_min_rows, NO_REQUEST_YET },
	{ "accept", "accept=yes", read_accept, NO_REQUEST_YET },
	{ "retry-after", "retry-after=SECONDS, with http= alone",
	    read_retry_after, ~(1u << MISHAP_HTTP) },
};

#define CONDITION_COUNT (sizeof(CONDITIONS) / sizeof(CONDITIONS[0]))

static const char CONDITION_FORMS[] =
    "p= every= after= count= namespace= metric= min-rows= accept=yes "
    "retry-after=";

/* ---- the SPEC ---- */

static int
refuse(struct fault *fault, const char *spec, const char *what,
    const char *near, const char *hint)
{
	char shown[128];

	fault_set(fault, FAULT_USAGE, "%s: %s",
	    log_text(shown, sizeof(shown), spec), what);
	if (near != NULL)
		fault_hint(fault, "did you mean %s?", near);
	else
		fault_hint(fault, "%s", hint);
	return -1;
}

/* Cut ${word} at its '='; return what stands behind it, or NULL. */
static char *
cut(char *word)
{
	char *equals = strchr(word, '=');

	if (equals == NULL)
		return NULL;
	*equals = '\0';
	return equals + 1;
}

static int
read_kind(
    struct mishap *mishap, char *word, const char *spec, struct fault *fault)
{
	const char *names[MISHAP_KINDS];
	char *argument;
	int i;

	snprintf(mishap->label, sizeof(mishap->label), "%s", word);
	argument = cut(word);
	for (i = 0; i < MISHAP_KINDS; i++) {
		names[i] = KINDS[i].name;
		if (strcmp(word, names[i]) == 0)
			break;
	}
	if (i == MISHAP_KINDS)
		return refuse(fault, spec, "unknown kind of fault",
		    text_nearest(word, names, MISHAP_KINDS),
		    "monspool-receiver --help lists the kinds");
	mishap->kind = (enum mishap_kind)i;
	mishap->accept = KINDS[i].accept;
	if ((argument == NULL) == (KINDS[i].read == NULL) &&
	    (argument == NULL || KINDS[i].read(mishap, argument) == 0))
		return 0;
	return refuse(
	    fault, spec, "its argument makes no sense", NULL, MISHAP_FORMS[i]);
}

static const struct condition *
find_condition(const char *name)
{
	size_t i;

	for (i = 0; i < CONDITION_COUNT; i++)
		if (strcmp(CONDITIONS[i].name, name) == 0)
			return &CONDITIONS[i];
	return NULL;
}

static const char *
nearest_condition(const char *name)
{
	const char *names[CONDITION_COUNT];
	size_t i;

	for (i = 0; i < CONDITION_COUNT; i++)
		names[i] = CONDITIONS[i].name;
	return text_nearest(name, names, CONDITION_COUNT);
}

static int
read_condition(
    struct mishap *mishap, char *word, const char *spec, struct fault *fault)
{
	char *argument = cut(word);
	const struct condition *condition = find_condition(word);

	if (condition == NULL)
		return refuse(fault, spec, "unknown condition",
		    nearest_condition(word), CONDITION_FORMS);
	if (condition->not_for & 1u << mishap->kind)
		return refuse(fault, spec,
		    "condition and kind do not go together", NULL,
		    "refuse and outage know no request; only http knows "
		    "retry-after");
	if (argument == NULL || condition->read(mishap, argument))
		return refuse(fault, spec, "a condition makes no sense", NULL,
		    condition->form);
	return 0;
}

static int
read_spec(
    struct mishap *mishap, char *copy, const char *spec, struct fault *fault)
{
	char *rest = NULL, *word = strtok_r(copy, ",", &rest);

	if (word == NULL)
		return refuse(
		    fault, spec, "no SPEC", NULL, "KIND[=ARG][,CONDITION]...");
	if (read_kind(mishap, word, spec, fault))
		return -1;
	while ((word = strtok_r(NULL, ",", &rest)) != NULL)
		if (read_condition(mishap, word, spec, fault))
			return -1;
	return 0;
}

int
mishaps_add(struct mishaps *mishaps, const char *spec, struct fault *fault)
{
	struct mishap *mishap = NULL, **list;
	char copy[SPEC_SIZE];
	size_t len = strlen(spec), size;

	if (len >= sizeof(copy))
		return refuse(fault, spec, "too long", NULL,
		    "give --fault several times");
	memcpy(copy, spec, len + 1);
	size = (mishaps->count + 1) * sizeof(struct mishap *);
	if ((list = realloc(mishaps->list, size)) != NULL)
		mishaps->list = list;
	if (list == NULL || (mishap = calloc(1, sizeof(*mishap))) == NULL)
		return fault_set(fault, FAULT_INTERNAL, "out of memory");
	*mishap = (struct mishap){ .retry_after = -1, .p = 1.0, .every = 1 };
	if (read_spec(mishap, copy, spec, fault)) {
		free(mishap);
		return -1;
	}
	list[mishaps->count++] = mishap;
	return 0;
}
