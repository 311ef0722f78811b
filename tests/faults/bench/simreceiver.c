#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/request.h"

#define CLOCK_TOLERANCE_MS (5 * SIM_MINUTE_MS)
#define SECOND_MS 1000

/* Whether the receiver may have taken the rows before it went wrong. */
enum reach {
	NEVER,
	MAYBE,
	UNSENT /* no byte left */
};

struct wrong {
	const char *name;
	int transfer, http, code;
	const char *body;
	enum reach reach;
	int64_t retry_after_ms;
};

#define API(number, how) \
	{ \
		.name = #number, .http = 200, .code = (number), .reach = (how) \
	}
#define HTTP(status, how) \
	{ \
		.name = "http-" #status, .http = (status), .body = "<p>sorry", \
		.reach = (how) \
	}
#define LIE(text, words) \
	{ \
		.name = (text), .http = 200, .body = (words), .reach = MAYBE \
	}
#define BROKEN(what, number, how) \
	{ \
		.name = (what), .transfer = (number), .reach = (how) \
	}

/* Everything but what blames rows. */
static const struct wrong FAULTS[] = {
	BROKEN("no such host", 6, UNSENT),
	BROKEN("refused", 7, UNSENT),
	BROKEN("no connection in time", 28, UNSENT),
	BROKEN("certificate", 60, UNSENT),
	BROKEN("handshake", 35, UNSENT),
	BROKEN("setting", 3, UNSENT),
	BROKEN("broke while sending", 55, MAYBE),
	BROKEN("closed without a reply", 52, MAYBE),
	BROKEN("reset", 56, MAYBE),
	BROKEN("no reply in time", 28, MAYBE),
	{ .name = "cut",
	    .transfer = 18,
	    .http = 200,
	    .body = "{\"code\":0}",
	    .reach = MAYBE },
	{ .name = "endless", .transfer = 63, .http = 200, .reach = MAYBE },
	BROKEN("unheard of", 92, MAYBE),
	HTTP(100, MAYBE),
	HTTP(204, MAYBE),
	HTTP(302, NEVER),
	HTTP(400, NEVER),
	HTTP(403, NEVER),
	HTTP(404, NEVER),
	HTTP(407, NEVER),
	HTTP(408, MAYBE),
	{ .name = "http-429",
	    .http = 429,
	    .body = "",
	    .reach = NEVER,
	    .retry_after_ms = 90 * SECOND_MS },
	HTTP(500, MAYBE),
	HTTP(501, NEVER),
	HTTP(502, MAYBE),
	{ .name = "http-503",
	    .http = 503,
	    .body = "",
	    .reach = MAYBE,
	    .retry_after_ms = 20 * SECOND_MS },
	HTTP(504, MAYBE),
	{ .name = "http-500 with code 0", .http = 500, .reach = MAYBE },
	API(1000, NEVER),
	API(1001, NEVER),
	API(1002, NEVER),
	API(1003, MAYBE),
	API(1006, NEVER),
	API(1007, NEVER),
	API(1008, NEVER),
	API(1011, NEVER),
	API(1012, NEVER),
	API(1018, NEVER),
	API(1021, NEVER),
	API(4100, NEVER),
	API(4200, NEVER),
	API(4300, NEVER),
	API(4400, NEVER),
	API(4500, NEVER),
	API(4600, NEVER),
	API(5000, NEVER),
	API(5100, MAYBE),
	API(5400, MAYBE),
	API(6000, MAYBE),
	API(6100, NEVER),
	API(6200, MAYBE),
	API(5200, MAYBE),
	API(7777, MAYBE),
	LIE("nothing", ""),
	LIE("a page", "<html>fine</html>"),
	LIE("half an answer", "{\"code\":0"),
	LIE("two answers", "{\"code\":0}{\"code\":0}"),
	LIE("two codes", "{\"code\":0,\"code\":0}"),
	LIE("no code", "{\"message\":\"OK\"}"),
	LIE("a code that is none", "{\"code\":null}"),
	LIE("nearly 0", "{\"code\":1e-400}"),
	LIE("nearly a code", "{\"Code\":0}"),
};

int
simreceiver_faults(void)
{
	return (int)(sizeof(FAULTS) / sizeof(FAULTS[0]));
}

/* ---- what a request holds ---- */

void
simreceiver_member(
    const struct request *request, const char *name, char *buf, size_t size)
{
	const char *text = request->get ? request->url.data
					: request->body.data;
	char look[32];
	const char *at;
	size_t len;

	snprintf(look, sizeof(look), request->get ? "%s=" : "\"%s\":", name);
	if ((at = strstr(text, look)) == NULL) {
		buf[0] = '\0';
		return;
	}
	at += strlen(look);
	at += *at == '"';
	len = strcspn(at, request->get ? "&" : "\",");
	snprintf(buf, size, "%.*s", (int)len, at);
}

/* ---- an honest receiver ---- */

static int
account_code(struct sim *sim, const struct request *request)
{
	const char *known = sim->receiver.mood == SIM_ROTATED ? "AKIDnext"
							      : "AKIDright";
	char id[32];

	simreceiver_member(request, "SecretId", id, sizeof(id));
	return strncmp(id, known, strlen(known)) == 0 ? 0 : 1011;
}

/* True time is that of the steady clock. */
static int64_t
own_time(const struct sim *sim)
{
	return SIM_START_MS + sim->steady_ms + sim->receiver.skew_ms;
}

static int
clock_code(struct sim *sim, const struct request *request)
{
	char stamp[32];
	int64_t off_ms;

	if (!sim->receiver.strict_clock)
		return 0;
	simreceiver_member(request, "Timestamp", stamp, sizeof(stamp));
	off_ms = strtoll(stamp, NULL, 10) * 1000 - own_time(sim);
	return off_ms > CLOCK_TOLERANCE_MS || off_ms < -CLOCK_TOLERANCE_MS
	    ? 1021
	    : 0;
}

static int
lane_code(const struct sim *sim, const struct sim_flight *flight)
{
	if (sim->receiver.mood == SIM_FORGETFUL &&
	    flight->lane == sim->receiver.lane)
		return 1014;
	return sim->lanes[flight->lane].code;
}

static int
size_code(const struct sim *sim, const struct request *request)
{
	int64_t limit = sim->receiver.limit;

	return limit > 0 && (int64_t)request->bytes > limit
	    ? sim->receiver.limit_code
	    : 0;
}

static int
pace_code(struct sim *sim, const struct sim_flight *flight)
{
	struct sim_receiver *receiver = &sim->receiver;
	double price = receiver->mood == SIM_CROWDED ? flight->count : 1;
	double most = receiver->mood == SIM_CROWDED ? SIM_ROWS : 10;

	if (receiver->mood != SIM_CROWDED && receiver->mood != SIM_BUSY)
		return 0;
	receiver->tokens += receiver->rate *
	    (double)(sim->steady_ms - receiver->filled_ms) / 1e3;
	receiver->filled_ms = sim->steady_ms;
	if (receiver->tokens > most)
		receiver->tokens = most;
	if (receiver->tokens < price)
		return receiver->pace_code;
	receiver->tokens -= price;
	return 0;
}

/* The code of the first guilty row, or of any. */
static int
row_code(struct sim *sim, const struct sim_flight *flight)
{
	const struct sim_row *row;
	int i, code = 0, found = 0, own;

	for (i = 0; i < flight->count; i++) {
		row = &sim->rows[flight->rows[i]];
		own = row->code != 0 ? row->code
				     : sim->series[row->series].code;
		if (own == 0)
			continue;
		found++;
		if (code == 0 ||
		    (sim->receiver.any_guilt && sim_below(sim, found) == 0))
			code = own;
	}
	return code;
}

static int
honest_code(struct sim *sim, const struct sim_flight *flight)
{
	const struct request *request = flight->request;
	int code;

	if ((code = account_code(sim, request)) != 0 ||
	    (code = clock_code(sim, request)) != 0 ||
	    (code = pace_code(sim, flight)) != 0 ||
	    (code = lane_code(sim, flight)) != 0 ||
	    (code = size_code(sim, request)) != 0)
		return code;
	if (sim->receiver.mood == SIM_SLANDER && sim_odds(sim, 80))
		return sim->receiver.slander;
	return row_code(sim, flight);
}

/* ---- what is told ---- */

static const char *
good_words(struct sim *sim)
{
	static const char *const WORDS[] = { "{\"code\":0}",
		"{\"code\":0,\"message\":\"OK\"}", "{\"code\":\"0\"}",
		" {\"message\":\"\",\"code\":0}\n" };

	return WORDS[sim_below(sim, 4)];
}

static void
answer_honestly(struct sim *sim, struct sim_flight *flight)
{
	struct sim_heard *heard = &flight->heard;

	heard->http = 200;
	heard->code = honest_code(sim, flight);
	heard->taken = heard->code == 0;
	if (heard->taken)
		heard->body = good_words(sim);
	if (heard->code == 413 || heard->code == 414 || heard->code == 429) {
		heard->http = heard->code;
		heard->code = -1;
		heard->body = "";
	}
	if (sim->receiver.says_date)
		heard->date_ms = own_time(sim) / 1000 * 1000;
}

static void
go_wrong(struct sim *sim, struct sim_flight *flight, int number)
{
	const struct wrong *kind = &FAULTS[number];
	struct sim_heard *heard = &flight->heard;
	bool taken = false;

	if (kind->reach == MAYBE && sim_odds(sim, 50))
		taken = honest_code(sim, flight) == 0;
	*heard = (struct sim_heard){ .transfer = kind->transfer,
		.http = kind->http,
		.code = kind->code,
		.body = kind->body,
		.unsent = kind->reach == UNSENT,
		.retry_after_ms = kind->retry_after_ms,
		.taken = taken,
		.doubtful = kind->reach == MAYBE };
	if (kind->code == 1021 && sim_odds(sim, 50))
		heard->date_ms = own_time(sim);
	sim->all_faults++;
	sim_say(sim, "  goes wrong: %s%s", kind->name,
	    taken ? ", and was taken" : "");
}

void
simreceiver_hear(struct sim *sim, struct sim_flight *flight)
{
	const struct sim_receiver *receiver = &sim->receiver;

	if (receiver->mood == SIM_OUT)
		go_wrong(sim, flight, receiver->fault);
	else if (receiver->mood == SIM_FLAKY && sim_odds(sim, receiver->odds))
		go_wrong(sim, flight, sim_below(sim, simreceiver_faults()));
	else
		answer_honestly(sim, flight);
}

void
simreceiver_heal(struct sim *sim)
{
	sim->receiver.mood = SIM_WELL;
	sim->receiver.skew_ms = 0;
	sim->receiver.limit = sim->standing_limit;
	sim->receiver.limit_code = 1015;
}
