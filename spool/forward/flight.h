#ifndef FORWARD_FLIGHT_H
#define FORWARD_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>

#include "base/text.h"
#include "world.h"

struct config_receiver;
struct request;

/** Of a reply, headers included. */
#define FLIGHT_MOST_BYTES ((size_t)64 * 1024)

/*
 * One request under way, for http.c: how libcurl is told to send it, and what
 * its reply comes to.
 */
struct flight {
	struct flight *next, **link; /* among those of the transport */
	const struct request *request;
	reply_fn *done;
	void *owner;
	CURL *easy;
	CURLcode unstarted; /* why it cannot even start */
	int64_t started_ms; /* steady */
	bool over;          /* the reply is over FLIGHT_MOST_BYTES */
	size_t header_bytes;
	int64_t date_ms;
	struct text location; /* escaped */
	struct text body;
	char error[160];
};

/** Tell ${flight}->easy, fresh or reset, all about the request.  ${headers}
 * outlives the flight.  What libcurl refuses goes into "unstarted". */
void flight_prepare(struct flight *flight,
    const struct config_receiver *receiver, struct curl_slist *headers);
/** What became of it, ended with ${code}; the texts are the flight's. */
void flight_reply(struct flight *flight, CURLcode code, struct reply *reply);
/** Free it, but for the easy handle. */
void flight_free(struct flight *flight);

#endif
