#include "receiver_outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

#define CHECKED (-1)
#define ARGUMENT (-2)
#define SILENT (-3)

/* What a mishap says instead of what the checks found. */
static const struct {
	int http_status; /* or ARGUMENT; 0: no answer */
	int code;        /* or CHECKED, ARGUMENT, SILENT */
} SAYS[MISHAP_KINDS] = {
	[MISHAP_CODE] = { 200, ARGUMENT },
	[MISHAP_HTTP] = { ARGUMENT, SILENT },
	[MISHAP_RESET] = { 0, SILENT },
	[MISHAP_HANG] = { 0, SILENT },
	[MISHAP_DELAY] = { 200, CHECKED },
	[MISHAP_SLOW] = { 200, CHECKED },
	[MISHAP_TRUNCATE] = { 200, CHECKED },
	[MISHAP_GARBAGE] = { 200, SILENT },
	[MISHAP_CLOSE] = { 0, SILENT },
};

static void
let_happen(struct outcome *outcome, const struct mishap *mishap)
{
	int status = SAYS[mishap->kind].http_status;
	int code = SAYS[mishap->kind].code;

	outcome->http_status = status == ARGUMENT ? (int)mishap->least : status;
	if (code == ARGUMENT)
		outcome->code = (int)mishap->least;
	else if (code == SILENT)
		outcome->code = -1;
}

struct outcome
outcome_decide(
    struct mishaps *mishaps, struct rules *rules, const struct request *request)
{
	struct outcome outcome = { .http_status = 200 };

	outcome.mishap = mishaps_request(mishaps, request);
	if (outcome.mishap == NULL || outcome.mishap->accept) {
		outcome.code = check_request(rules, request);
		outcome.accepted = outcome.code == CODE_OK;
	}
	if (rules->clock_offset_ms != 0)
		outcome.date_ms = clock_wall_ms() + rules->clock_offset_ms;
	if (outcome.mishap != NULL)
		let_happen(&outcome, outcome.mishap);
	return outcome;
}

void
totals_add(struct totals *totals, const struct request *request,
    const struct outcome *outcome)
{
	int64_t rows = (int64_t)request->rows;

	totals->requests++;
	totals->mishaps += outcome->mishap != NULL;
	if (outcome->accepted)
		totals->accepted_rows += rows;
	else
		totals->refused_rows += rows;
	if (outcome->code == -1)
		totals->unanswered++;
	else
		totals->codes[code_place(outcome->code)]++;
}

/* ---- print ---- */

static void
add_count(struct text *text, const char *name, int64_t count)
{
	char buf[NUMBER_TEXT_SIZE];

	text_addf(text, "%-20s %12s\n", name, number_print_grouped(buf, count));
}

static void
print_plain(const struct totals *totals, struct text *text)
{
	char name[32];
	size_t i;

	add_count(text, "requests", totals->requests);
	add_count(text, "rows accepted", totals->accepted_rows);
	add_count(text, "rows not accepted", totals->refused_rows);
	add_count(text, "connections refused", totals->connections_refused);
	add_count(text, "faults", totals->mishaps);
	for (i = 0; i < CODE_COUNT; i++) {
		if (totals->codes[i] == 0)
			continue;
		snprintf(name, sizeof(name), "answered %d", code_at(i));
		add_count(text, name, totals->codes[i]);
	}
	if (totals->codes[CODE_COUNT] > 0)
		add_count(
		    text, "answered otherwise", totals->codes[CODE_COUNT]);
	if (totals->unanswered > 0)
		add_count(text, "answered no code", totals->unanswered);
}

static void
print_json(const struct totals *totals, struct text *text)
{
	const char *comma = "";
	size_t i;

	text_addf(text,
	    "{\"requests\":%" PRId64 ",\"accepted_rows\":%" PRId64
	    ",\"refused_rows\":%" PRId64 ",\"connections_refused\":%" PRId64
	    ",\"faults\":%" PRId64 ",\"no_code\":%" PRId64
	    ",\"other_codes\":%" PRId64 ",\"codes\":{",
	    totals->requests, totals->accepted_rows, totals->refused_rows,
	    totals->connections_refused, totals->mishaps, totals->unanswered,
	    totals->codes[CODE_COUNT]);
	for (i = 0; i < CODE_COUNT; i++) {
		if (totals->codes[i] == 0)
			continue;
		text_addf(text, "%s\"%d\":%" PRId64, comma, code_at(i),
		    totals->codes[i]);
		comma = ",";
	}
	text_adds(text, "}}\n");
}

void
totals_print(const struct totals *totals, int fd, bool json)
{
	struct text text = { 0 };

	if (json)
		print_json(totals, &text);
	else
		print_plain(totals, &text);
	if (write(fd, text_string(&text), text.len) == -1)
		text.failed = true; /* stderr is gone; whom could we tell? */
	text_free(&text);
}
