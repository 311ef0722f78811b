#include "receiver_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

/* Garbage is this long: more than a real answer, so that no length betrays
 * it. */
#define GARBAGE_LEN 64

/* ---- bodies ---- */

static void
write_code(struct text *body, int code)
{
	const char *message = code_text(code);

	text_addf(body, "{\"code\":%d,\"message\":", code);
	text_add_json(body, message, strlen(message));
	text_addc(body, '}');
}

static void
write_html(struct text *body, int status)
{
	text_addf(body,
	    "<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n"
	    "<center><h1>%d</h1></center>\r\n<hr><center>nginx</center>\r\n"
	    "</body>\r\n</html>\r\n",
	    status, status);
}

static void
write_garbage(struct text *body, struct mishap *mishap)
{
	char garbage[GARBAGE_LEN];

	mishap_garbage(mishap, garbage, sizeof(garbage));
	text_add(body, garbage, sizeof(garbage));
}

int
reply_make(struct reply *reply, const struct outcome *outcome)
{
	struct mishap *mishap = outcome->mishap;
	struct text body = { 0 };

	if (mishap != NULL && mishap->kind == MISHAP_HTTP)
		write_html(&body, outcome->http_status);
	else if (mishap != NULL && mishap->kind == MISHAP_GARBAGE)
		write_garbage(&body, mishap);
	else
		write_code(&body, outcome->code);
	if (body.failed) {
		text_free(&body);
		return -1;
	}
	reply->body = body.data; /* the text's memory is the reply's now */
	reply->len = reply->cut = body.len;
	if (mishap != NULL && mishap->kind == MISHAP_TRUNCATE)
		reply->cut = reply->len / 2;
	if (mishap != NULL && mishap->kind == MISHAP_SLOW)
		reply->speed = mishap->least;
	return 0;
}

void
reply_free(struct reply *reply)
{
	free(reply->body);
	reply->body = NULL;
}

/* ---- responses ---- */

/* How a body is read piece by piece. */
struct reading {
	struct reply *reply;
	void (*wait)(void *cookie);
	void *cookie;
};

/* The bytes that may be out by now. */
static uint64_t
allowance(struct reply *reply, uint64_t at)
{
	int64_t now_ms = clock_steady_ms();
	uint64_t speed = (uint64_t)reply->speed, due;

	if (reply->speed == 0)
		return reply->cut;
	if (reply->began_ms == 0)
		reply->began_ms = now_ms;
	due = (uint64_t)(now_ms - reply->began_ms) * speed / 1000;
	reply->next_due_ms = reply->began_ms +
	    (int64_t)(((at + 1) * 1000 + speed - 1) / speed);
	return due < reply->cut ? due : reply->cut;
}

static ssize_t
read_body(void *cookie, uint64_t at, char *buf, size_t size)
{
	struct reading *reading = cookie;
	struct reply *reply = reading->reply;
	uint64_t allowed;
	size_t len;

	if (at >= reply->cut) /* shorter than was announced */
		return MHD_CONTENT_READER_END_WITH_ERROR;
	allowed = allowance(reply, at);
	if (allowed <= at) {
		reading->wait(reading->cookie);
		return 0;
	}
	len = (size_t)(allowed - at) < size ? (size_t)(allowed - at) : size;
	memcpy(buf, reply->body + at, len);
	return (ssize_t)len;
}

static struct MHD_Response *
read_response(struct reply *reply, void (*wait)(void *cookie), void *cookie)
{
	struct reading *reading = malloc(sizeof(*reading));
	struct MHD_Response *response;

	if (reading == NULL)
		return NULL;
	*reading = (struct reading){ reply, wait, cookie };
	response = MHD_create_response_from_callback(
	    reply->len, 1024, read_body, reading, free);
	if (response == NULL)
		free(reading);
	return response;
}

/* As HTTP has it: "Tue, 24 Nov 2026 12:00:00 GMT". */
static void
add_date(struct MHD_Response *response, int64_t date_ms)
{
	static const char DAYS[] = "SunMonTueWedThuFriSat";
	static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(date_ms / 1000);
	struct tm tm;
	char date[64];

	if (gmtime_r(&seconds, &tm) == NULL)
		return;
	snprintf(date, sizeof(date), "%.3s, %02d %.3s %d %02d:%02d:%02d GMT",
	    DAYS + 3 * tm.tm_wday, tm.tm_mday, MONTHS + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, date);
}

static void
add_headers(struct MHD_Response *response, const struct outcome *outcome)
{
	const struct mishap *mishap = outcome->mishap;
	bool html = mishap != NULL && mishap->kind == MISHAP_HTTP;
	char seconds[32];

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	    html ? "text/html" : "application/octet-stream");
	if (outcome->date_ms != 0)
		add_date(response, outcome->date_ms);
	if (outcome->http_status >= 300 && outcome->http_status < 400)
		MHD_add_response_header(
		    response, MHD_HTTP_HEADER_LOCATION, "/moved");
	if (!html || mishap->retry_after == -1)
		return;
	snprintf(seconds, sizeof(seconds), "%" PRId64, mishap->retry_after);
	MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

struct MHD_Response *
reply_response(struct reply *reply, const struct outcome *outcome,
    void (*wait)(void *cookie), void *cookie)
{
	struct MHD_Response *response;

	if (reply->cut < reply->len || reply->speed > 0)
		response = read_response(reply, wait, cookie);
	else
		response = MHD_create_response_from_buffer(
		    reply->len, reply->body, MHD_RESPMEM_PERSISTENT);
	if (response != NULL)
		add_headers(response, outcome);
	return response;
}
