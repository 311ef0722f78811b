#include "receiver_mishap.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/text.h"

/* splitmix64: small, and its streams need no warming up. */
static uint64_t
draw(struct mishap *mishap)
{
	uint64_t z = (mishap->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Count one more that met the filters; return whether it is struck. */
static bool
strikes(struct mishap *mishap)
{
	bool struck;

	mishap->seen++;
	if (mishap->seen <= mishap->after)
		return false;
	struck = (mishap->seen - mishap->after) % mishap->every == 0;
	if (mishap->p < 1.0) /* drawn even if not due: a draw per request */
		struck &= (double)(draw(mishap) >> 11) * 0x1p-53 < mishap->p;
	return struck && (mishap->count == 0 || mishap->fired < mishap->count);
}

static bool
is_of_connections(const struct mishap *mishap)
{
	return mishap->kind == MISHAP_REFUSE || mishap->kind == MISHAP_OUTAGE;
}

/* Whether an outage is on: from its beginning for the first span, then, if
 * there is a period, again in each. */
static bool
is_out(struct mishap *mishap, int64_t now_ms)
{
	int64_t past_ms;

	if (mishap->window_began_ms == -1) {
		if (mishap->seen < mishap->after)
			return false;
		mishap->window_began_ms = now_ms;
	}
	past_ms = now_ms - mishap->window_began_ms;
	if (mishap->most > 0)
		past_ms %= mishap->most;
	return past_ms < mishap->least;
}

static void
begin(const struct mishaps *mishaps, size_t i, int64_t now_ms)
{
	struct mishap *mishap = mishaps->list[i];

	mishap->off = false;
	mishap->seen = mishap->fired = 0;
	mishap->random = mishaps->seed + i * 0xd1342543de82ef95u;
	mishap->window_began_ms = mishap->after == 0 ? now_ms : -1;
}

void
mishaps_start(struct mishaps *mishaps, uint64_t seed, int64_t now_ms)
{
	mishaps->seed = seed;
	mishaps_restart(mishaps, now_ms);
}

int
mishaps_add_now(struct mishaps *mishaps, const char *spec, int64_t now_ms,
    struct fault *fault)
{
	if (mishaps_add(mishaps, spec, fault))
		return -1;
	mishaps->list[mishaps->count - 1]->scripted = true;
	begin(mishaps, mishaps->count - 1, now_ms);
	return 0;
}

void
mishaps_clear(struct mishaps *mishaps)
{
	size_t i;

	for (i = 0; i < mishaps->count; i++)
		mishaps->list[i]->off = true;
}

void
mishaps_restart(struct mishaps *mishaps, int64_t now_ms)
{
	size_t i;

	mishaps_clear(mishaps);
	for (i = 0; i < mishaps->count; i++)
		if (!mishaps->list[i]->scripted)
			begin(mishaps, i, now_ms);
}

void
mishaps_free(struct mishaps *mishaps)
{
	size_t i;

	for (i = 0; i < mishaps->count; i++)
		free(mishaps->list[i]);
	free(mishaps->list);
	mishaps->list = NULL;
	mishaps->count = 0;
}

struct mishap *
mishaps_connection(struct mishaps *mishaps, int64_t now_ms)
{
	struct mishap *mishap, *first = NULL;
	bool struck;
	size_t i;

	for (i = 0; i < mishaps->count; i++) {
		mishap = mishaps->list[i];
		if (mishap->off || !is_of_connections(mishap))
			continue;
		struck = mishap->kind == MISHAP_REFUSE ||
		    is_out(mishap, now_ms);
		struck &= strikes(mishap);
		if (struck && first == NULL)
			first = mishap;
	}
	if (first != NULL)
		first->fired++;
	return first;
}

static bool
has_metric(const struct request *request, const char *glob)
{
	const struct cJSON *item, *name;

	if (request->data == NULL)
		return false;
	for (item = request->data->child; item != NULL; item = item->next) {
		name = cJSON_GetObjectItemCaseSensitive(item, "metricName");
		if (cJSON_IsString(name) && text_glob(glob, name->valuestring))
			return true;
	}
	return false;
}

static bool
meets_filters(const struct mishap *mishap, const struct request *request)
{
	char namespace[256];

	if ((int64_t)request->rows < mishap->min_rows)
		return false;
	if (mishap->namespace[0] != '\0' &&
	    (request->values[REQUEST_NAMESPACE].type != REQUEST_TEXT ||
		!text_glob(mishap->namespace,
		    request_copy(request, REQUEST_NAMESPACE, namespace,
			sizeof(namespace)))))
		return false;
	return mishap->metric[0] == '\0' || has_metric(request, mishap->metric);
}

struct mishap *
mishaps_request(struct mishaps *mishaps, const struct request *request)
{
	struct mishap *mishap, *first = NULL;
	size_t i;

	for (i = 0; i < mishaps->count; i++) {
		mishap = mishaps->list[i];
		if (mishap->off || is_of_connections(mishap) ||
		    !meets_filters(mishap, request))
			continue;
		if (strikes(mishap) && first == NULL)
			first = mishap;
	}
	if (first != NULL)
		first->fired++;
	return first;
}

int64_t
mishap_delay_ms(struct mishap *mishap)
{
	uint64_t span = (uint64_t)(mishap->most - mishap->least) + 1;

	return mishap->least + (int64_t)(draw(mishap) % span);
}

void
mishap_garbage(struct mishap *mishap, char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (char)(draw(mishap) & 0xff);
	if (len > 0)
		bytes[0] = '\xff'; /* starts no JSON text */
}
