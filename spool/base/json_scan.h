#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"
#include "json.h"

/*
 * The strict scanner of json.c (contract.md H25).  It allocates nothing and
 * follows RFC 8259; text must be valid UTF-8 (json_scan_all() sees to it).
 */
struct json_scan {
	const char *start, *end, *at;
	const char *wrong; /* what is wrong at ${at}; NULL: nothing */
	enum fault_kind kind;
	int depth;
	const char *opened[JSON_DEPTH]; /* the bracket of each open level */
	bool long_number; /* one of more bytes than JSON_NUMBER_MOST was seen */
	/* If set, called after each member name; not 0 stops the scan. */
	int (*on_name)(struct json_scan *scan, struct json_span name);
	/* If set, called after each number. */
	void (*on_number)(struct json_scan *scan, struct json_span number);
	void *cookie;
};

/** Bytes of a number that cJSON reads to its end. */
#define JSON_NUMBER_MOST 62

/** Begin with the first byte of ${bytes}. */
void json_scan_start(struct json_scan *scan, const char *bytes, size_t len);

/** Check all of the text: UTF-8, one value, nothing behind it.  Return 0, or
 * -1 with kind, wrong and at. */
int json_scan_all(struct json_scan *scan);

/** Move behind the value, the string (at its quote), or the white space at
 * ${at}.  Return 0, or -1 as above. */
int json_scan_value(struct json_scan *scan);
int json_scan_string(struct json_scan *scan);
void json_scan_space(struct json_scan *scan);

/** Whether the string ${raw}, quotes included, means ${name}. */
bool json_name_is(struct json_span raw, const char *name, size_t len);

#endif
