#ifndef CLI_JSONLINE_H
#define CLI_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

/*
 * Building one line of JSON.  Commas are put where they belong: none after an
 * opening bracket.  ${name} is NULL inside an array.
 */

/** Open an object ('{') or an array ('['); the top one has no name. */
void jsonline_open(struct text *text, const char *name, char bracket);
void jsonline_close(struct text *text, char bracket);
/** NULL becomes null. */
void jsonline_text(struct text *text, const char *name, const char *value);
/** ${len} bytes of whatever kind: what is no UTF-8 is shown as \\xNN. */
void jsonline_bytes(
    struct text *text, const char *name, const char *bytes, size_t len);
void jsonline_int(struct text *text, const char *name, int64_t value);
/** An integer, or null where ${value} is ${none}. */
void jsonline_optional(
    struct text *text, const char *name, int64_t value, int64_t none);
void jsonline_bool(struct text *text, const char *name, bool value);
/** RFC 3339, or null for -1. */
void jsonline_time(struct text *text, const char *name, int64_t at_ms);
/** Text that is JSON already; should it not be (a damaged row), a string. */
void jsonline_raw(struct text *text, const char *name, const char *json);

#endif
