#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;
struct fault;

/** Nesting that is still taken. */
#define JSON_DEPTH 16

/**
 * json_parse(bytes, len, fault):
 * Parse ${bytes} as exactly one JSON value, strictly (contract.md H25): valid
 * UTF-8, RFC 8259 grammar to the last byte (no "01", no trailing bytes but
 * white space), finite numbers, no U+0000 (neither raw nor \u0000), no lone
 * surrogates, no duplicate members in any object (after unescaping), nesting
 * at most JSON_DEPTH.  Return a tree that the caller frees with
 * cJSON_Delete(), or NULL with ${fault}: FAULT_BAD_UTF8, FAULT_BAD_JSON,
 * FAULT_DUPLICATE_MEMBER or FAULT_BAD_VALUE (a number beyond double), with line and
 * column of the place within ${bytes}, and field where a member is at fault.
 */
struct cJSON *json_parse(const char *bytes, size_t len, struct fault *fault);

/**
 * json_check(bytes, len, fault):
 * As json_parse, but only checks; return 0 or -1.
 */
int json_check(const char *bytes, size_t len, struct fault *fault);

/** A piece of the raw text. */
struct json_span {
	const char *start;
	size_t len;
};

/**
 * json_find(bytes, len, path, span):
 * Find in ${bytes}, which must have passed json_check(), the raw text of the
 * value at ${path}: member names and array indices separated by '/', "" for
 * the top ("Data/3/value"; a '/' in a name is written "~1", a '~' "~0"). Return 0, or -1
 * if there is none.  Used for places in messages and for digits as written.
 */
int json_find(
    const char *bytes, size_t len, const char *path, struct json_span *span);

/** Line and column (both from 1, column in characters) of offset ${at}. */
void json_place(const char *bytes, size_t at, long *line, long *column);

#endif
