#ifndef RECEIVER_REQUEST_H
#define RECEIVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

struct cJSON;

/** The parameters of a PutMonitorData request. */
enum request_key {
	REQUEST_ACTION,
	REQUEST_NONCE,
	REQUEST_REGION,
	REQUEST_SECRET_ID,
	REQUEST_TIMESTAMP,
	REQUEST_SIGNATURE,
	REQUEST_NAMESPACE,
	REQUEST_DATA,
	REQUEST_KEYS
};

enum request_type {
	REQUEST_ABSENT,
	REQUEST_TEXT,
	REQUEST_WHOLE, /* digits only */
	REQUEST_LIST,
	REQUEST_OTHER
};

/** A parameter as it was sent: text unescaped, not NUL-terminated; a number
 * and Data as their raw text. */
struct request_value {
	enum request_type type;
	const char *text; /* "" when absent */
	size_t len;
};

enum request_form {
	REQUEST_NEITHER,
	REQUEST_GET,
	REQUEST_POST
};

enum request_signature {
	REQUEST_UNCHECKED, /* no credentials given, or nothing to check */
	REQUEST_SIGNED,
	REQUEST_FORGED
};

/**
 * What arrived, read as far as it can be read; nothing is refused here.
 * Borrows method, target and body for as long as it lives.
 */
struct request {
	int64_t number; /* from 1 */
	int64_t received_at_ms;
	const char *method;
	enum request_form form;
	struct json_span path; /* of the target, up to the query */
	size_t bytes;          /* of the body; GET: of the target */
	bool empty;            /* no body; GET: no query */
	bool json;             /* the body is an object; GET: Data parses */
	struct request_value values[REQUEST_KEYS];
	enum request_signature signature; /* set by sign_check() */
	const struct cJSON *data;         /* the list in Data, or NULL */
	size_t rows;                      /* in that list */

	struct cJSON *tree; /* owned: what data points into */
	char *query;        /* owned: the decoded query */
};

/**
 * request_read(request, method, target, body, len):
 * Fill ${request} (all but number, received_at_ms and signature) from a raw request
 * target and a body: a GET by its query alone, where '+' is a space, a POST
 * by its JSON body alone.  A parameter sent twice in a query counts as it was sent
 * last.  Return 0, or -1 if memory ran out; request_free() in either case.
 */
int request_read(struct request *request, const char *method,
    const char *target, const char *body, size_t len);
void request_free(struct request *request);

/** The name of ${key} on the wire, and the type it must have. */
const char *request_key_name(enum request_key key);
enum request_type request_key_type(enum request_key key);

/** Copy the text of ${key} into ${buf}, cut to fit, and return ${buf}. */
const char *request_copy(const struct request *request, enum request_key key,
    char *buf, size_t size);

/** Whether the value of ${key} is the string ${text}. */
bool request_is(
    const struct request *request, enum request_key key, const char *text);

/**
 * request_next_item(data, item):
 * Step ${item} (zeroed at first) to the next element of Data's raw text
 * ${data}, in the order of the tree.  Return false after the last.
 */
bool request_next_item(
    const struct request_value *data, struct json_span *item);

#endif
