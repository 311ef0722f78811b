#ifndef FORWARD_WORLD_H
#define FORWARD_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct request;

/*
 * All that the core of the forwarder needs of the world outside the queue:
 * clocks, chance and a transport.  monspoold hands in the real ones, a
 * simulation its own.
 */

/* A receiver may lie about how long it wants to be left alone. */
#define MOST_RETRY_AFTER_MS ((int64_t)3600 * 1000)

/** What became of one request. */
struct reply {
	int transfer;           /* CURLcode */
	const char *error;      /* our words for a failed transfer, else "" */
	int64_t request_size;   /* bytes that left */
	int http_status;        /* 0: no status line came */
	int64_t retry_after_ms; /* 0: none, at most MOST_RETRY_AFTER_MS */
	int64_t date_ms;        /* the reply's Date; 0: none */
	const char *location;   /* of a redirect, else "" */
	const char *body;       /* lives until the callback returns */
	size_t len;
	int64_t took_ms;
};

/** A request under way. */
struct flight;
typedef void reply_fn(void *owner, const struct reply *reply);

struct world {
	void *cookie; /* handed to each function below */
	/** Unix time, and a time that only moves forward, milliseconds. */
	int64_t (*wall_ms)(void *cookie);
	int64_t (*steady_ms)(void *cookie);
	/** 64 bits that nobody can foretell. */
	uint64_t (*random)(void *cookie);
	/**
	 * Send ${request}, which stays the caller's and must live until
	 * ${done} is called or the flight cancelled.  Never calls back from
	 * inside; what cannot even start is answered later.  NULL: no memory.
	 */
	struct flight *(*post)(void *cookie, const struct request *request,
	    reply_fn *done, void *owner);
	/** Forget the flight: its callback will not come. */
	void (*cancel)(void *cookie, struct flight *flight);
};

#endif
