#include "flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/config.h"
#include "protocol/request.h"

#define MOST_LOCATION 300
#define CONNECT_TIMEOUT_MS 3000
#define TIMEOUT_MS 10000

/* What holds for every request (protocol.md section 10).  Cookies, netrc, decoding of
 * compressed replies and HTTP/0.9 are off as libcurl comes; the last is said all
 * the same, since it would make a success of anything. */
static const struct {
	CURLoption option;
	long value;
} FIXED[] = {
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_HTTP09_ALLOWED, 0 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_NOPROGRESS, 1 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_LOW_SPEED_LIMIT, 1 },
	/* A name that does not resolve must not hold up the loop. */
	{ CURLOPT_QUICK_EXIT, 1 },
};

/* Our words for what goes wrong; never libcurl's. */
static const struct {
	CURLcode code;
	const char *words;
} WORDS[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL,
	    "receiver.url is neither http nor https" },
	{ CURLE_URL_MALFORMAT, "receiver.url is not a URL" },
	{ CURLE_BAD_FUNCTION_ARGUMENT, "a setting of [receiver] is refused" },
	{ CURLE_COULDNT_RESOLVE_PROXY, "the proxy's name does not resolve" },
	{ CURLE_COULDNT_RESOLVE_HOST,
	    "the receiver's name does not resolve (the standard one does only"
	    " inside a Tencent CVM)" },
	{ CURLE_COULDNT_CONNECT, "cannot connect" },
	{ CURLE_PROXY, "the proxy does not let us through" },
	{ CURLE_OUT_OF_MEMORY, "out of memory" },
	{ CURLE_SSL_CONNECT_ERROR, "the TLS handshake failed" },
	{ CURLE_SSL_CERTPROBLEM, "our TLS certificate is unusable" },
	{ CURLE_PEER_FAILED_VERIFICATION,
	    "the receiver's certificate is not to be trusted" },
	{ CURLE_SSL_CACERT_BADFILE, "receiver.ca_file cannot be used" },
	{ CURLE_SSL_PINNEDPUBKEYNOTMATCH,
	    "the receiver's public key is not the pinned one" },
	{ CURLE_SEND_ERROR, "the connection broke while sending" },
	{ CURLE_RECV_ERROR, "the connection broke before the reply was whole" },
	{ CURLE_GOT_NOTHING, "the connection was closed without a reply" },
	{ CURLE_PARTIAL_FILE, "the reply was cut short" },
	{ CURLE_WEIRD_SERVER_REPLY, "the reply is not HTTP" },
};

static size_t
refuse(struct flight *flight)
{
	flight->over = true;
	return 0;
}

/* Whether ${more} bytes may still come. */
static bool
has_room(const struct flight *flight, size_t more)
{
	return more <= FLIGHT_MOST_BYTES - flight->header_bytes &&
	    flight->body.len <= FLIGHT_MOST_BYTES - flight->header_bytes - more;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *cookie)
{
	struct flight *flight = cookie;

	if (!has_room(flight, size * count))
		return refuse(flight);
	text_add(&flight->body, bytes, size * count);
	return flight->body.failed ? 0 : size * count;
}

/* The value of header ${name}, its white space cut off, or false. */
static bool
header_value(const char **line, size_t *len, const char *name)
{
	size_t name_len = strlen(name);

	if (*len <= name_len || strncasecmp(*line, name, name_len) != 0)
		return false;
	*line += name_len;
	*len -= name_len;
	while (*len > 0 && (**line == ' ' || **line == '\t')) {
		++*line;
		--*len;
	}
	while (*len > 0 && strchr(" \t\r\n", (*line)[*len - 1]) != NULL)
		--*len;
	return true;
}

static void
note_date(struct flight *flight, const char *value, size_t len)
{
	char text[64];
	time_t at;

	if (len >= sizeof(text))
		return;
	memcpy(text, value, len);
	text[len] = '\0';
	at = curl_getdate(text, NULL);
	flight->date_ms = at == -1 ? 0 : (int64_t)at * 1000;
}

static size_t
on_header(char *line, size_t size, size_t count, void *cookie)
{
	struct flight *flight = cookie;
	const char *value = line;
	size_t len = size * count;

	if (!has_room(flight, len))
		return refuse(flight);
	flight->header_bytes += len;
	if (header_value(&value, &len, "HTTP/")) {
		/* Another reply begins: after a 1xx, or a proxy's. */
		flight->date_ms = 0;
		text_clear(&flight->location);
	} else if (header_value(&value, &len, "Date:"))
		note_date(flight, value, len);
	else if (header_value(&value, &len, "Location:") &&
	    flight->location.len == 0)
		text_add_escaped(&flight->location, value,
		    len < MOST_LOCATION ? len : MOST_LOCATION);
	return size * count;
}

/* The first setting that libcurl refuses counts. */
static void
note(struct flight *flight, CURLcode code)
{
	if (flight->unstarted == CURLE_OK)
		flight->unstarted = code;
}

static void
set_long(struct flight *flight, CURLoption option, int64_t value)
{
	note(flight, curl_easy_setopt(flight->easy, option, (long)value));
}

static void
set_pointer(struct flight *flight, CURLoption option, const void *value)
{
	note(flight, curl_easy_setopt(flight->easy, option, value));
}

static void
set_limits(struct flight *flight, const struct config_receiver *receiver)
{
	int64_t connect_ms = receiver->connect_timeout_ms;
	int64_t timeout_ms = receiver->timeout_ms;

	/* To libcurl 0 is "for ever", and no request is endless. */
	if (connect_ms <= 0)
		connect_ms = CONNECT_TIMEOUT_MS;
	if (timeout_ms <= 0)
		timeout_ms = TIMEOUT_MS;
	set_long(flight, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	set_long(flight, CURLOPT_TIMEOUT_MS, timeout_ms);
	set_long(flight, CURLOPT_LOW_SPEED_TIME, (timeout_ms + 999) / 1000);
}

static void
set_connection(struct flight *flight, const struct config_receiver *receiver)
{
	set_pointer(flight, CURLOPT_PROTOCOLS_STR, "http,https");
	/* "" and not NULL: else the environment decides. */
	set_pointer(flight, CURLOPT_PROXY, receiver->proxy);
	set_pointer(flight, CURLOPT_NOPROXY, "");
	set_long(
	    flight, CURLOPT_FRESH_CONNECT, receiver->fresh_connections ? 1 : 0);
	set_long(
	    flight, CURLOPT_FORBID_REUSE, receiver->fresh_connections ? 1 : 0);
	if (receiver->ca_file[0] != '\0')
		set_pointer(flight, CURLOPT_CAINFO, receiver->ca_file);
}

static void
set_callbacks(struct flight *flight)
{
	note(flight,
	    curl_easy_setopt(flight->easy, CURLOPT_WRITEFUNCTION, on_body));
	note(flight,
	    curl_easy_setopt(flight->easy, CURLOPT_HEADERFUNCTION, on_header));
	set_pointer(flight, CURLOPT_WRITEDATA, flight);
	set_pointer(flight, CURLOPT_HEADERDATA, flight);
	set_pointer(flight, CURLOPT_PRIVATE, flight);
}

/* libcurl reads the body from the request's own memory. */
static void
set_request(struct flight *flight, struct curl_slist *headers)
{
	const struct request *request = flight->request;

	set_pointer(flight, CURLOPT_URL, text_string(&request->url));
	set_pointer(flight, CURLOPT_HTTPHEADER, headers);
	set_pointer(flight, CURLOPT_USERAGENT, "monspool/" MONSPOOL_VERSION);
	if (request->get) {
		set_long(flight, CURLOPT_HTTPGET, 1);
		return;
	}
	set_long(flight, CURLOPT_POST, 1);
	note(flight,
	    curl_easy_setopt(flight->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)request->body.len));
	set_pointer(flight, CURLOPT_POSTFIELDS, text_string(&request->body));
}

void
flight_prepare(struct flight *flight, const struct config_receiver *receiver,
    struct curl_slist *headers)
{
	size_t i;

	for (i = 0; i < sizeof(FIXED) / sizeof(FIXED[0]); i++)
		set_long(flight, FIXED[i].option, FIXED[i].value);
	set_limits(flight, receiver);
	set_connection(flight, receiver);
	set_callbacks(flight);
	set_request(flight, headers);
	flight->started_ms = clock_steady_ms();
}

static int64_t
info_long(const struct flight *flight, CURLINFO info)
{
	long value = 0;

	if (curl_easy_getinfo(flight->easy, info, &value) != CURLE_OK)
		return 0;
	return value;
}

static int64_t
info_wide(const struct flight *flight, CURLINFO info)
{
	curl_off_t value = 0;

	if (curl_easy_getinfo(flight->easy, info, &value) != CURLE_OK)
		return 0;
	return value;
}

static bool
is_https(const struct flight *flight)
{
	return strncasecmp(text_string(&flight->request->url), "https:", 6) ==
	    0;
}

/* Bytes of the request that left.  libcurl counts a CONNECT to a proxy, too;
 * as long as a new connection has no TLS, nothing of ours went into it. */
static int64_t
bytes_sent(const struct flight *flight)
{
	if (is_https(flight) && info_long(flight, CURLINFO_NUM_CONNECTS) > 0 &&
	    info_wide(flight, CURLINFO_APPCONNECT_TIME_T) == 0)
		return 0;
	return info_long(flight, CURLINFO_REQUEST_SIZE);
}

static const char *
timeout_words(const struct flight *flight)
{
	if (bytes_sent(flight) > 0)
		return "no whole reply within receiver.timeout";
	if (info_wide(flight, CURLINFO_NAMELOOKUP_TIME_T) == 0)
		return "the receiver's name did not resolve in time";
	if (info_wide(flight, CURLINFO_CONNECT_TIME_T) == 0)
		return "no connection within receiver.connect_timeout";
	return "the request could not be sent in time";
}

static const char *
words_of(const struct flight *flight, CURLcode code)
{
	size_t i;

	if (code == CURLE_OK)
		return "";
	if (flight->over)
		return "the reply is over 64 KiB";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return timeout_words(flight);
	if (code == CURLE_UNSUPPORTED_PROTOCOL && bytes_sent(flight) > 0)
		return "the reply is not HTTP"; /* HTTP/0.9, to libcurl */
	for (i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		if (WORDS[i].code == code)
			return WORDS[i].words;
	return NULL;
}

/* Say what went wrong in ${flight}->error, with the system's reason where it
 * belongs to a connection. */
static void
describe(struct flight *flight, CURLcode code)
{
	const char *words = words_of(flight, code);
	int64_t error = info_long(flight, CURLINFO_OS_ERRNO);
	size_t size = sizeof(flight->error);

	if (words == NULL)
		snprintf(flight->error, size,
		    "the transfer failed (libcurl %d)", (int)code);
	else if (error > 0 &&
	    (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR ||
		code == CURLE_RECV_ERROR))
		snprintf(
		    flight->error, size, "%s: %s", words, strerror((int)error));
	else
		snprintf(flight->error, size, "%s", words);
}

static int64_t
retry_after_ms(const struct flight *flight)
{
	int64_t seconds = info_wide(flight, CURLINFO_RETRY_AFTER);

	if (seconds <= 0)
		return 0;
	if (seconds >= MOST_RETRY_AFTER_MS / 1000)
		return MOST_RETRY_AFTER_MS;
	return seconds * 1000;
}

void
flight_reply(struct flight *flight, CURLcode code, struct reply *reply)
{
	describe(flight, code);
	reply->transfer = (int)code;
	reply->error = flight->error;
	reply->request_size = bytes_sent(flight);
	reply->http_status = (int)info_long(flight, CURLINFO_RESPONSE_CODE);
	reply->retry_after_ms = retry_after_ms(flight);
	reply->date_ms = flight->date_ms;
	reply->location = text_string(&flight->location);
	reply->body = text_string(&flight->body);
	reply->len = flight->body.len;
	reply->took_ms = clock_steady_ms() - flight->started_ms;
}

void
flight_free(struct flight *flight)
{
	if (flight == NULL)
		return;
	text_free(&flight->location);
	text_free(&flight->body);
	free(flight);
}
